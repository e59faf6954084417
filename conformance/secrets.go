package conformance

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// shortestSecret is the length from which a credential is taken for a secret. A shorter one is none, and hiding it
// would garble every text.
const shortestSecret = 4

const concealed = "[credential]"

// secrets finds the credentials of one request in other texts.
type secrets struct{ pattern *regexp.Regexp } // nil where there are none

// carriers are the request headers that hold credentials whatever the spec says.
var carriers = []string{"Authorization", "Proxy-Authorization", "Cookie"}

// parameter is how credentials stand in a header next to their names: key="value", session=value.
var parameter = regexp.MustCompile(`^[A-Za-z0-9_.-]+=(.+)$`)

func (op *operation) findSecrets(ex *traffic.Exchange) *secrets {
	var words []string
	take := func(value string) {
		words = append(words, strings.TrimSpace(value))
		fields := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == ';' })
		for i, word := range fields {
			if m := parameter.FindStringSubmatch(word); m != nil {
				words = append(words, strings.Trim(m[1], `"`))
			}
			if i > 0 { // the first names the scheme
				words = append(words, strings.Trim(word, `"`))
			}
		}
	}
	names := slices.Clone(carriers)
	for _, a := range op.security {
		for _, k := range a {
			switch k.in {
			case "header":
				names = append(names, k.name)
			case "query":
				for _, value := range ex.URL.Query()[k.name] {
					take(value)
				}
			}
		}
	}
	for _, name := range names {
		for _, value := range ex.Request.Header.Values(name) {
			take(value)
		}
	}
	if password, has := ex.URL.User.Password(); has {
		take(password)
	}
	var forms []string
	for _, word := range words {
		if len(word) < shortestSecret {
			continue
		}
		for _, form := range []string{word, url.QueryEscape(word), url.PathEscape(word), escapeToken(word),
			regexp.QuoteMeta(word), strings.Trim(base64.StdEncoding.EncodeToString([]byte(word)), "=")} {
			forms = append(forms, regexp.QuoteMeta(form))
		}
	}
	if len(forms) == 0 {
		return &secrets{}
	}
	// The longest first: one secret may be a part of another.
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	return &secrets{regexp.MustCompile("(?i)" + strings.Join(slices.Compact(forms), "|"))}
}

// conceal removes the credentials of the request, which a server may repeat anywhere and in any letter case.
func (k *check) conceal(text string) string {
	if k.secrets == nil {
		k.secrets = k.op.findSecrets(k.ex)
	}
	if k.secrets.pattern == nil {
		return text
	}
	return k.secrets.pattern.ReplaceAllLiteralString(text, concealed)
}

// concealPointer leaves the names alone that the spec knows, as those hold no secret but by chance.
func (k *check) concealPointer(pointer string) string {
	tokens := splitPointer(pointer)
	for i, token := range tokens {
		if !k.contract.names[token] {
			tokens[i] = k.conceal(token)
		}
	}
	return pointerOf(tokens...)
}
