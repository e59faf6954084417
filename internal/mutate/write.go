package mutate

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf16"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

func canonicalName(name string) string { return http.CanonicalHeaderKey(name) }

var templated = regexp.MustCompile(`\{[^{}/]+\}`)

// exchange writes a draft down. With a source of chance, it is written in one of the many ways that JSON and HTTP have
// for the same; with nil, in the plainest.
func (d *draft) exchange(rng *rand.Rand) *traffic.Exchange {
	u := &url.URL{Scheme: "https", Host: "api.example", Path: d.base() + templated.ReplaceAllString(d.op.path, "7")}
	ex := &traffic.Exchange{Method: d.op.method, URL: u, Status: d.status,
		Request: d.request.write(rng), Response: d.response.write(rng)}
	query := url.Values{}
	for name, value := range d.request.headers {
		if name, isQuery := strings.CutPrefix(name, "query "); isQuery {
			query.Set(name, value)
		}
		if name, isCookie := strings.CutPrefix(name, "cookie "); isCookie {
			ex.Request.Header.Set("Cookie", "theme=dark; "+name+"="+value)
		}
	}
	u.RawQuery = query.Encode()
	return ex
}

// base is the path of the first server.
func (d *draft) base() string {
	servers := d.spec.doc.Servers
	if len(d.op.item.Servers) > 0 {
		servers = d.op.item.Servers
	}
	if d.op.operation.Servers != nil {
		servers = *d.op.operation.Servers
	}
	if len(servers) == 0 {
		return ""
	}
	base := servers[0].URL
	for name, v := range servers[0].Variables {
		base = strings.ReplaceAll(base, "{"+name+"}", v.Default)
	}
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}

func (m message) write(rng *rand.Rand) traffic.Message {
	w := traffic.Message{Header: http.Header{}, BodyOmitted: m.omitted}
	for name, value := range m.headers {
		if strings.Contains(name, " ") {
			continue
		}
		if name == "Content-Type" && rng != nil && m.has && !strings.Contains(value, ";") {
			value = []string{value, strings.ToUpper(value), value + "; charset=utf-8", value + `;charset="UTF-8"`}[rng.IntN(4)]
		}
		w.Header.Set(name, value)
	}
	switch {
	case m.omitted:
	case m.has && rng != nil:
		var b strings.Builder
		spell(&b, rng, m.value)
		w.Body = []byte(b.String())
	case m.has:
		w.Body = []byte(encode(m.value))
	default:
		w.Body = []byte(m.text)
	}
	return w
}

// spell writes JSON in unusual ways: white space, order of members, escapes.
func spell(b *strings.Builder, rng *rand.Rand, v any) {
	space := func() { b.WriteString([]string{"", "", "", " ", "\n", "\r\n\t"}[rng.IntN(6)]) }
	space()
	switch v := v.(type) {
	case map[string]any:
		b.WriteByte('{')
		space()
		names := sortedKeys(v)
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
		b.WriteString(encode(v))
	}
	space()
}

// spellText writes a text with as many escapes as the sender likes.
func spellText(b *strings.Builder, rng *rand.Rand, s string) {
	escapes := rng.IntN(3) // none but the needed, some, all
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
				fmt.Fprintf(b, []string{`\u%04x`, `\u%04X`}[rng.IntN(2)], unit)
			}
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}

// spelled writes a number with an exponent.
func spelled(n json.Number) json.Number {
	digits := strings.TrimRight(rat(n).FloatString(12), "0")
	whole, fraction, _ := strings.Cut(digits, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	all := strings.TrimLeft(whole+fraction, "0")
	if all == "" {
		return "0E+5"
	}
	return json.Number(fmt.Sprintf("%s%se-%d", sign, all, len(fraction)))
}
