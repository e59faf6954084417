package conformance

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// A word of a header that carries credentials is taken for a secret from shortestSecret bytes on: a shorter one is none,
// and hiding it would garble every text. Where the words are more, or have more bytes in all, than a browser sends,
// nothing is shown at all.
const (
	shortestSecret  = 4
	mostSecrets     = 1000
	mostSecretBytes = 64 << 10
)

const (
	concealed = "[credential]"
	withheld  = "[withheld]"
)

// secrets finds the credentials of one request in other texts.
type secrets struct {
	forms    [256][]string // folded, by their first byte, the longest first: one may be a part of another
	list     []string      // the words themselves
	words    int
	bytes    int
	withhold bool // too many to look for

	encoded *credentialSet // made when first needed
}

// carriers are the request headers that hold credentials whatever the spec says.
var carriers = []string{"Authorization", "Proxy-Authorization", "Cookie", "Api-Key", "X-Api-Key", "X-Auth-Token", "X-Csrf-Token"}

// literals are what JSON would not be without. They stand in cookies, and are no secret.
var literals = []string{"true", "false", "null"}

// parameter is how credentials stand in a header next to their names: key="value", session=value.
var parameter = regexp.MustCompile(`^[^=]+=(.+)$`)

func (op *operation) findSecrets(ex *traffic.Exchange) *secrets {
	s := &secrets{}
	s.collect(op.security, ex)
	for i, forms := range s.forms {
		slices.SortFunc(forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
		s.forms[i] = slices.Compact(forms)
	}
	return s
}

// collect adds what a request carries.
func (s *secrets) collect(security []alternative, ex *traffic.Exchange) {
	for _, a := range security {
		for _, k := range a {
			switch k.in {
			case "header":
				s.takeAll(ex.Request.Header.Values(k.name))
			case "query":
				s.takeAll(ex.URL.Query()[k.name])
			}
		}
	}
	for _, name := range carriers {
		s.takeAll(ex.Request.Header.Values(name))
	}
	if user := ex.URL.User; user != nil {
		password, _ := user.Password()
		s.takeAll([]string{user.Username(), password})
	}
}

// takeAll adds the values of a header, whole and by their words.
func (s *secrets) takeAll(values []string) {
	for _, value := range values {
		if len(value) <= mostSecretBytes/8 { // a longer one is a list of cookies, or is withheld for its words
			s.take(strings.TrimSpace(value))
		}
		for _, word := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t,;:()", r) }) {
			if slices.Contains(authSchemes, strings.ToLower(word)) {
				continue
			}
			if m := parameter.FindStringSubmatch(word); m != nil && len(m[1]) >= shortestSecret {
				word = m[1]
			}
			s.take(strings.Trim(word, `"`))
			if pair, err := base64.StdEncoding.DecodeString(word); err == nil && strings.Contains(string(pair), ":") {
				_, password, _ := strings.Cut(string(pair), ":") // Basic, RFC 7617
				s.take(string(pair))
				s.take(password)
			}
			if s.withhold {
				return
			}
		}
	}
}

// take adds a secret in the forms that texts give it.
func (s *secrets) take(word string) {
	if len(word) < shortestSecret || slices.Contains(literals, strings.ToLower(word)) {
		return
	}
	s.list = append(s.list, word)
	s.words++
	s.bytes += len(word)
	if s.words > mostSecrets || s.bytes > mostSecretBytes {
		s.withhold = true
		return
	}
	for _, form := range []string{
		word, strings.ToValidUTF8(word, "\uFFFD"), url.QueryEscape(word), url.PathEscape(word), escapeToken(word),
		regexp.QuoteMeta(word), strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(word)), "="),
		strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(word)), "="),
	} {
		form = fold(form)
		s.forms[form[0]] = append(s.forms[form[0]], form)
	}
}

// fold lowers the case of ASCII, byte by byte, so that offsets stay.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// conceal removes the credentials of the request, which a server may repeat anywhere and in any letter case.
func (k *checker) conceal(text string) string { return k.concealFirst(text, len(text)) }

// concealFirst may end once it has that many bytes to show.
func (k *checker) concealFirst(text string, enough int) string {
	shown := k.replaceForms(text, enough)
	if k.secrets != nil && k.secrets.within(shown) {
		return withheld
	}
	return shown
}

// Within other encodings credentials are only looked for from shortestWithin bytes on, in runs of letters and digits that
// could hold one: shorter ones meet by chance.
const shortestWithin = 8

var encodedRun = regexp.MustCompile(`[0-9A-Za-z+/_=%\\-]{11}`)

// within reports whether a text still holds a credential: in hex, or in base64 of a longer text, say.
func (s *secrets) within(text string) bool {
	if !encodedRun.MatchString(text) {
		return false
	}
	if s.encoded == nil {
		s.encoded = newCredentialSet()
		for _, word := range s.list {
			if len(word) >= shortestWithin {
				s.encoded.add(word)
			}
		}
	}
	return s.encoded.stands([]byte(text))
}

// replaceForms replaces what [secrets.take] knows.
func (k *checker) replaceForms(text string, enough int) string {
	if len(text) < shortestSecret {
		return text
	}
	if k.secrets == nil {
		k.secrets = k.findSecrets()
	}
	switch {
	case k.secrets.withhold:
		return withheld
	case k.secrets.words == 0:
		return text
	}
	text = strings.ToValidUTF8(text, "?")
	folded := fold(text)
	var b strings.Builder
	done := 0
	for i := 0; i < len(folded); {
		if b.Len()+i-done > enough {
			return b.String() + text[done:i]
		}
		n := 0
		for _, form := range k.secrets.forms[folded[i]] {
			if strings.HasPrefix(folded[i:], form) {
				n = len(form)
				break
			}
		}
		if n == 0 {
			i++
			continue
		}
		b.WriteString(text[done:i] + concealed)
		i += n
		done = i
	}
	return b.String() + text[done:]
}

// concealPointer leaves the names alone that the spec knows, as those hold no secret but by chance.
func (k *checker) concealPointer(pointer string) string {
	tokens := splitPointer(pointer)
	for i, token := range tokens {
		if !k.contract.names[token] {
			tokens[i] = k.conceal(token)
		}
	}
	return pointerOf(tokens...)
}
