package sandbox

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// hidden stands where a credential stood.
const hidden = "[hidden]"

// leastHidden is how long a credential is that is looked for outside its header: a shorter one would take letters out of
// words.
const leastHidden = 6

// credentialName tells headers and parameters of a query that hold a credential, also of other services.
var credentialName = regexp.MustCompile(`(?i)auth|token|secret|passw|cookie|session|api-?_?key`)

// redactor takes credentials out of texts.
type redactor struct {
	secrets []string // in lower case, the longest first, as one may be the beginning of another
}

// redactorOf knows all credentials of the fixtures.
func redactorOf(f Fixtures) redactor {
	var secrets []string
	for _, a := range f.Accounts {
		secrets = append(secrets, a.Token)
		for _, k := range a.APIKeys {
			secrets = append(secrets, k.Key)
		}
	}
	return redactor{}.with(secrets...)
}

// with adds credentials to those that a redactor knows.
func (r redactor) with(secrets ...string) redactor {
	r.secrets = slices.Clone(r.secrets)
	for _, secret := range secrets {
		if len(secret) >= leastHidden {
			r.secrets = append(r.secrets, lower(secret))
		}
	}
	slices.SortStableFunc(r.secrets, func(a, b string) int { return len(b) - len(a) })
	return r
}

// redactorFor knows all credentials of the fixtures, and those of a request.
func (s *Sandbox) redactorFor(header http.Header) redactor {
	var own []string
	for _, name := range []string{"Authorization", "Account-Token"} {
		for _, value := range header[name] {
			// Either could be the key, or in Rails' notation (token="KEY", nonce="x") a part of what is behind the scheme.
			own = append(own, value, value[strings.LastIndexByte(value, ' ')+1:])
			if _, rest, more := strings.Cut(value, " "); more {
				own = append(own, strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune(` ,="`, r) })...)
			}
		}
	}
	return s.redactor.with(own...)
}

// Redact returns a text with "[hidden]" in place of the credentials that the fixtures have.
func (s *Sandbox) Redact(text string) string { return s.redactor.text(text) }

// text hides the credentials in a text, in any letter case. Where one is written in escapes of a URL or of JSON, all of the
// text is hidden.
func (r redactor) text(s string) string {
	low := lower(s)
	plain := lower(unescape(s))
	for _, secret := range r.secrets {
		if plain != low && strings.Count(plain, secret) > strings.Count(low, secret) {
			return hidden
		}
	}
	for _, secret := range r.secrets {
		if strings.Contains(low, secret) {
			s = hide(s, low, secret)
			low = lower(s)
		}
	}
	return s
}

// hide goes over a text once, however often the secret is in it. Low is the text in lower case.
func hide(s, low, secret string) string {
	var b strings.Builder
	for at := strings.Index(low, secret); at >= 0; at = strings.Index(low, secret) {
		b.WriteString(s[:at])
		b.WriteString(hidden)
		s, low = s[at+len(secret):], low[at+len(secret):]
	}
	b.WriteString(s)
	return b.String()
}

var escape = regexp.MustCompile(`%[0-9A-Fa-f]{2}|\\u00[0-7][0-9A-Fa-f]|\\["\\/]`)

// unescape undoes what can be written of ASCII in a URL or in JSON.
func unescape(s string) string {
	if !strings.ContainsAny(s, `%\`) {
		return s
	}
	return escape.ReplaceAllStringFunc(s, func(code string) string {
		if len(code) == len(`\/`) {
			return code[1:]
		}
		n, _ := strconv.ParseUint(code[len(code)-2:], 16, 8) // two digits
		return string([]byte{byte(n)})
	})
}

// lower keeps the length, unlike [strings.ToLower].
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// url hides what stands where a URL has credentials, too: user info, and parameters with such a name.
func (r redactor) url(s string) string {
	if u, err := url.Parse(s); err == nil && u.User != nil {
		u.User = url.User("hidden")
		s = u.String()
	}
	path, query, has := strings.Cut(s, "?")
	if has {
		parameters := strings.Split(query, "&")
		for i, p := range parameters {
			if name, _, has := strings.Cut(p, "="); has && credentialName.MatchString(unescape(name)) {
				parameters[i] = name + "=" + hidden
			}
		}
		path += "?" + strings.Join(parameters, "&")
	}
	return r.text(path)
}

// knownScheme tells schemes from keys that were sent without one.
var knownScheme = regexp.MustCompile(`(?i)^(token|bearer|basic|digest)$`)

func (r redactor) header(header http.Header) http.Header {
	if header == nil {
		return nil
	}
	clone := make(http.Header, len(header))
	for name, values := range header {
		for _, value := range values {
			scheme, secret, _ := strings.Cut(value, " ")
			switch {
			case strings.TrimSpace(value) == "": // that it is empty is worth knowing
			case name == "Authorization" && knownScheme.MatchString(scheme) && strings.TrimSpace(secret) != "":
				value = scheme + " " + hidden // so is a wrong scheme
			case credentialName.MatchString(name) && name != "Www-Authenticate":
				value = hidden
			default:
				value = r.text(value)
			}
			clone[r.text(name)] = append(clone[r.text(name)], value)
		}
	}
	return clone
}

// exchange takes the credentials out of a copy.
func (r redactor) exchange(e *Exchange) {
	e.Method, e.URL = r.text(e.Method), r.url(e.URL)
	e.Body, e.AnswerBody = []byte(r.text(string(e.Body))), []byte(r.text(string(e.AnswerBody)))
	e.Header, e.AnswerHeader = r.header(e.Header), r.header(e.AnswerHeader)
}
