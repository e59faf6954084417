package mutate

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/generate"
)

// positiveCase is an exchange that conforms, and what the ledger must then say of one claim.
type positiveCase struct {
	name, claim string
	exchange    *traffic.Exchange
	state       conformance.State
	rejected    bool // a rejection is evidence for the one claim only
}

func claimID(part conformance.Part, at string) string { return string(part) + "#" + at }

// positiveCases are exchanges for the claims that forbid nothing, for criteria, and for requests that violate a claim and
// are rejected.
func positiveCases(t *testing.T, c *contract, mutants []Mutant) (all []positiveCase) {
	t.Helper()
	names := map[string]bool{}
	prefix := ""
	add := func(name, claim string, m *exchangeModel, state conformance.State) {
		if name = prefix + name; !names[name] && len(m.violations()) == 0 {
			names[name] = true
			ex := m.exchange()
			ex.Source = name
			all = append(all, positiveCase{name, claim, ex, state, false})
		}
	}
	rng := newRand(3)
	for _, of := range c.combinations() {
		prefix = of.op.id + "/"
		for range 4 {
			base := conforming(rng, of, true)
			require.NotNil(t, base)
			status := strconv.Itoa(base.status)
			add(status+"/status/documented", claimID(conformance.ResponseStatus, base.to.at), base, conformance.Supported)
			for _, s := range base.sides() {
				state := supportedBy(s.body)
				add(status+"/"+string(s.head)+"/media-type/"+strings.ReplaceAll(s.media.name, "/", "|"), claimID(s.head, s.media.at), base, state)
				whole, known := base.value(s.body)
				if !known {
					continue
				}
				for _, at := range generate.Sites(s.media.schema, whole, nil, s.media.schema) {
					if at.Schema.Nullable && len(at.Schema.Types) > 0 {
						for _, quiet := range base.quiet() {
							if _, known := quiet.value(s.body); !known {
								continue
							}
							add(base.label(s.body)+pointer(at.Path...)+"/nullable/null", claimID(s.body, at.Schema.At+"/nullable"),
								quiet.with(s.body, at.Path, nil), state)
						}
					}
				}
			}
			for _, one := range base.to.criteria {
				name := status + "/criterion/" + one.name
				claim := one.violation().Claim
				applicable := base.applicable(rng, one)
				if applicable == nil {
					continue
				}
				add(name+"/holds", claim, applicable, conformance.Supported)
				for _, o := range one.unless {
					if base.find(o).present {
						add(name+"/skipped-with"+pointer(o.path...), claim, base, conformance.Unobserved)
					}
				}
				applicable.unequal(rng, one, func(_ string, v any) {
					changed := applicable.with(one.left.part, one.left.path, v)
					if !slices.Equal(changed.violations(), []Expectation{one.violation()}) {
						return
					}
					for _, o := range one.when {
						if o.part == conformance.RequestBody || base.mayLack(o) {
							add(name+"/skipped-without"+pointer(o.path...), claim, changed.without(o.part, o.path), conformance.Unobserved)
						}
					}
					for _, o := range slices.Concat(one.when, one.unless) {
						if o.part == conformance.RequestBody {
							add(name+"/skipped-where-not-recorded", claim, changed.quiet()[1], conformance.Unobserved)
						}
					}
				})
			}
		}
	}
	return append(all, rejections(t, c, mutants)...)
}

func supportedBy(part conformance.Part) conformance.State {
	if generate.OfRequest(part) {
		return conformance.Consistent // that others are rejected is not known
	}
	return conformance.Supported
}

// rejections are the requests that violate one claim, with each 4xx response: because of the violation, or of something
// else (RFC 9110, section 15.5).
func rejections(t *testing.T, c *contract, mutants []Mutant) (all []positiveCase) {
	t.Helper()
	responses := map[*response]*exchangeModel{}
	rng := newRand(4)
	for _, m := range mutants {
		if !generate.OfRequest(m.Expected.Part) || m.Expected.Claim == "" || m.SideEffects != nil {
			continue
		}
		about := []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity}
		if m.Expected.Rule == "security" {
			about = []int{http.StatusUnauthorized, http.StatusForbidden}
		}
		op := c.operationOf(m.Exchange)
		for _, r := range op.responses {
			if r.status/100 != 4 || r.key != strconv.Itoa(r.status) {
				continue
			}
			if responses[r] == nil {
				responses[r] = conforming(rng, combination{op, r, nil, combinations(op, r)[0].response}, false)
				require.NotNil(t, responses[r])
			}
			ex := responses[r].exchange()
			ex.URL, ex.Request = m.Exchange.URL, m.Exchange.Request
			ex.Source = m.Name + "/rejected-with-" + r.key
			state := conformance.Unobserved
			if slices.Contains(about, r.status) {
				state = conformance.Supported
			}
			all = append(all, positiveCase{ex.Source, m.Expected.Claim, ex, state, true})
		}
	}
	return all
}

// reasons say why some claims cannot be violated, or not alone.
func reasons(c *contract, mutants []Mutant) map[string]string {
	all := map[string]string{}
	for _, m := range mutants {
		if m.SideEffects != nil {
			var texts []string
			for _, e := range m.SideEffects {
				texts = append(texts, fmt.Sprintf("%s %s at %q", e.Part, e.Rule, e.Pointer))
			}
			all[m.Expected.Claim] = "whatever violates it also violates: " + strings.Join(texts, ", ")
		}
	}
	const allows = "it allows, and forbids nothing; an exchange shows that"
	for at, n := range c.schemas {
		for _, part := range valueParts {
			if n.Nullable {
				all[claimID(part, at+"/nullable")] = allows
			}
			for _, chosen := range n.Choices {
				for _, of := range append([]*generate.Schema{chosen}, chosen.AllOf...) {
					all[claimID(part, of.At+"/type")] = "only an object can choose this schema"
				}
				property := pointer(n.Discriminator)
				for _, keyword := range []string{"/required" + property, "/properties" + property + "/type", "/properties" + property + "/nullable"} {
					all[claimID(part, chosen.At+keyword)] = "only a text in this property can choose this schema"
				}
			}
		}
	}
	for _, of := range c.combinations() {
		all[claimID(conformance.ResponseStatus, of.to.at)] = allows
		for _, s := range []struct {
			content *content
			part    conformance.Part
		}{{of.op.request, conformance.RequestHeader}, {of.to.content, conformance.ResponseHeader}} {
			if s.content != nil && len(s.content.media) > 1 {
				for _, m := range s.content.media {
					all[claimID(s.part, m.at)] = "one media type of several: a message of another violates the claim about all of them"
				}
			}
		}
		for _, part := range textParts {
			parameters := of.op.parameters[part]
			if part == conformance.ResponseHeader {
				parameters = of.to.headers
			}
			for _, p := range parameters.byName {
				if p.JSON {
					continue
				}
				p.reasons(p.Schema, func(keyword, reason string) { all[claimID(part, keyword)] = reason })
			}
		}
		for part, m := range map[conformance.Part]*media{conformance.RequestBody: of.request, conformance.ResponseBody: of.response} {
			if m != nil && m.isText() {
				all[claimID(part, m.schema.At+"/type")] = "any text is of this type"
			}
		}
		anonymous := slices.ContainsFunc(of.op.security, func(all []credential) bool { return len(all) == 0 })
		for i, way := range of.op.security {
			for _, one := range way {
				if anonymous {
					all[claimID(conformance.RequestHeader, one.at)] = "the operation can be called without any credential"
				} else if i > 0 {
					all[claimID(conformance.RequestHeader, one.at)] = "a request without it lacks no less of another way to authenticate, which comes first"
				}
			}
		}
	}
	return all
}

// conformingExchanges are random exchanges, of each combination in turn, written in unusual ways.
func conformingExchanges(t *testing.T, c *contract, n int) (all []*traffic.Exchange) {
	t.Helper()
	rng := newRand(5)
	combinations := c.combinations()
	for i := range n {
		of := combinations[i%len(combinations)]
		m := conforming(rng, of, false)
		require.NotNil(t, m)
		if quiet := m.quiet(); rng.IntN(10) == 0 {
			m = quiet[len(quiet)-1]
		}
		ex := m.exchange()
		ex.Source = fmt.Sprintf("conforming/%s/%d/%d", of.op.id, of.to.status, i)
		for _, s := range []struct {
			message *traffic.Message
			body    conformance.Part
		}{{&ex.Request, conformance.RequestBody}, {&ex.Response, conformance.ResponseBody}} {
			if v, known := m.value(s.body); known && isJSON(s.message.Header.Get("Content-Type")) {
				mediaType := s.message.Header.Get("Content-Type")
				if !strings.Contains(mediaType, ";") {
					s.message.Header.Set("Content-Type", generate.Pick(rng, []string{mediaType, strings.ToUpper(mediaType),
						mediaType + "; charset=utf-8", mediaType + `;charset="UTF-8"`}))
				}
				var b strings.Builder
				spell(&b, rng, v)
				s.message.Body = []byte(b.String())
			}
		}
		all = append(all, ex)
	}
	return all
}

// spell writes JSON in unusual ways: white space, the order of properties, escapes.
func spell(b *strings.Builder, rng *rand.Rand, v any) {
	space := func() { b.WriteString(generate.Pick(rng, []string{"", "", "", " ", "\n", "\r\n\t"})) }
	space()
	switch v := v.(type) {
	case map[string]any:
		b.WriteByte('{')
		space()
		names := generate.SortedKeys(v)
		rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for i, name := range names {
			if i > 0 {
				b.WriteByte(',')
				space()
			}
			spellText(b, rng, name)
			space()
			b.WriteByte(':')
			spell(b, rng, v[name])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		space()
		for i, item := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			spell(b, rng, item)
		}
		b.WriteByte(']')
	case string:
		spellText(b, rng, v)
	default:
		b.WriteString(generate.Encode(v))
	}
	space()
}

// spellText writes a text with the needed escapes only, with some or with all.
func spellText(b *strings.Builder, rng *rand.Rand, s string) {
	escapes := rng.IntN(3)
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	b.WriteByte('"')
	for _, r := range s {
		needed := r < ' ' || r == '"' || r == '\\'
		switch {
		case short[r] != "" && rng.IntN(2) == 0:
			b.WriteString(short[r])
		case r == '/' && escapes > 0:
			b.WriteString(`\/`)
		case needed || escapes == 2 || escapes == 1 && rng.IntN(2) == 0:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(b, generate.Pick(rng, []string{`\u%04x`, `\u%04X`}), unit)
			}
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}
