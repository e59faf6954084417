package redact

import (
	"encoding/base64"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// The limits of [Secrets]. Beyond them, a redactor does not search for the credentials, and replaces every text.
const (
	maxSecrets     = 1000
	maxSecretBytes = 64 << 10
)

// Secrets collects the credentials of one exchange.
type Secrets struct {
	Words   map[string]bool
	TooMany bool // the limits are exceeded

	bytes int
}

// Redactor returns a redactor for the credentials. If they are too many, it replaces every text.
func (s *Secrets) Redactor() *Redactor { return s.With(&Redactor{}) }

// With returns a redactor for the credentials and the secrets of another redactor.
func (s *Secrets) With(r *Redactor) *Redactor {
	if s.TooMany {
		return &Redactor{opaque: true}
	}
	return r.With(slices.Collect(maps.Keys(s.Words))...)
}

// Add adds the values of a header or parameter, and their words; of name="value" also the value, and of Basic credentials
// (RFC 7617) also the decoded pair and the password.
func (s *Secrets) Add(values ...string) {
	for _, value := range values {
		if len(value) <= maxSecretBytes/8 { // a longer one is a list of cookies, or exceeds the limits by its words
			s.AddWord(strings.TrimSpace(value))
		}
		for word := range strings.FieldsFuncSeq(value, isSeparator) {
			if s.TooMany {
				return
			}
			if IsScheme(word) {
				continue
			}
			s.AddWord(strings.Trim(word, `"`))
			if _, value, ok := strings.Cut(word, "="); ok {
				s.AddWord(strings.Trim(value, `"`))
			}
			if pair, err := base64.StdEncoding.DecodeString(word); err == nil && strings.Contains(string(pair), ":") {
				_, password, _ := strings.Cut(string(pair), ":")
				s.AddWord(string(pair))
				s.AddWord(password)
			}
		}
	}
}

func isSeparator(r rune) bool { return strings.ContainsRune(" \t,;:()", r) }

// literals are JSON literals, which are common values of cookies and no secrets.
var literals = []string{"true", "false", "null"}

// AddWord adds one secret of at least [MinLength] bytes.
func (s *Secrets) AddWord(word string) {
	if len(word) < MinLength || s.Words[word] || slices.Contains(literals, strings.ToLower(word)) {
		return
	}
	if s.Words == nil {
		s.Words = map[string]bool{}
	}
	s.Words[word] = true
	s.bytes += len(word)
	s.TooMany = s.TooMany || len(s.Words) > maxSecrets || s.bytes > maxSecretBytes
}

// commonSchemes are names of authentication schemes (RFC 9110, section 11.1), in lower case.
var commonSchemes = []string{"token", "bearer", "basic", "digest", "apikey", "negotiate"}

// IsScheme reports whether a word is the name of an authentication scheme: a common one, or one of more.
func IsScheme(word string, more ...string) bool {
	word = strings.TrimSpace(word)
	is := func(scheme string) bool { return strings.EqualFold(scheme, word) }
	return slices.ContainsFunc(commonSchemes, is) || slices.ContainsFunc(more, is)
}

// Header returns the value of a credential header with placeholders for the credentials. It keeps the names of cookies and
// of authentication schemes, and a value without a credential, which may be a finding.
func Header(name, value string, schemes ...string) string {
	switch name {
	case "Set-Cookie":
		pair, attributes, more := strings.Cut(value, ";")
		if pair = cookie(pair); more {
			pair += ";" + attributes
		}
		return pair
	case "Cookie":
		pairs := strings.Split(value, ";")
		for i, pair := range pairs {
			pairs[i] = cookie(pair)
		}
		return strings.Join(pairs, ";")
	}
	text := strings.TrimLeft(value, " \t")
	scheme, rest, _ := strings.Cut(text, " ")
	switch rest = strings.TrimSpace(rest); {
	case strings.TrimSpace(text) == "", IsScheme(scheme, schemes...) && (rest == "" || IsScheme(rest, schemes...)):
		return value
	case IsScheme(scheme, schemes...):
		return value[:len(value)-len(text)] + scheme + " " + Placeholder
	}
	return Placeholder
}

func cookie(pair string) string {
	name, value, named := strings.Cut(pair, "=")
	switch {
	case named && strings.TrimSpace(value) != "":
		return name + "=" + Placeholder
	case !named && strings.TrimSpace(pair) != "":
		return Placeholder
	}
	return pair
}

// Query returns a query or form with placeholders for the values of the parameters that are credentials.
func Query(query string, isCredential func(name string) bool) string {
	parameters := strings.Split(query, "&")
	for i, parameter := range parameters {
		name, value, _ := strings.Cut(parameter, "=")
		if decoded, err := url.QueryUnescape(name); err == nil && strings.Trim(value, "+ ") != "" && isCredential(decoded) {
			parameters[i] = name + "=" + Placeholder
		}
	}
	return strings.Join(parameters, "&")
}

// User returns user information with placeholders.
func User(user *url.Userinfo) *url.Userinfo {
	if _, ok := user.Password(); ok {
		return url.UserPassword(Name, Name)
	}
	return url.User(Name)
}

var credentialName = regexp.MustCompile(`(?i)auth|token|secret|passw|cookie|session|api-?_?key`)

// IsCredential reports whether a header or parameter of this name usually is a credential.
func IsCredential(name string) bool {
	return credentialName.MatchString(name) && !strings.EqualFold(name, "WWW-Authenticate")
}
