package redact

import (
	"encoding/base64"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// The limits of [Secrets]. Beyond them, a redactor does not search for the credentials, and replaces every text.
const (
	defaultWords = 1000
	bytesOfWord  = 64 // on average
)

// Secrets collects credentials, for example those of an exchange. The zero value has those with the names of
// [IsCredential].
//
// It ignores words that occur in other texts by chance: values of fewer than 6 bytes, words of fewer than 8 letters, numbers
// of fewer than 8 digits, JSON literals, names of authentication schemes, and the public values of Names. A redactor
// replaces them only as values of a header, parameter, property or cookie with the name of a credential.
type Secrets struct {
	Names    *Names // nil for those of [IsCredential]
	MaxWords int    // default 1000
	Words    map[string]bool
	TooMany  bool // there are more than MaxWords, or more than 64 bytes for each of MaxWords

	bytes int
}

// Redactor returns a redactor for the credentials and the names. If the credentials are too many, it replaces every text.
func (s *Secrets) Redactor() *Redactor { return s.With(&Redactor{names: s.Names}) }

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
		if len(value) <= defaultWords*bytesOfWord/8 { // a longer one is a list, or exceeds the limits by its words
			s.AddWord(strings.TrimSpace(value))
		}
		for word := range strings.FieldsFuncSeq(value, isSeparator) {
			if s.TooMany {
				return
			}
			s.AddWord(strings.Trim(word, `"`))
			if _, value, ok := strings.Cut(word, "="); ok {
				s.AddWord(strings.Trim(value, `"`))
			}
			pair, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(forBase64.Replace(word), "="))
			if name, password, ok := strings.Cut(string(pair), ":"); err == nil && ok && isText(name) {
				s.AddWord(string(pair))
				s.AddWord(password)
			}
		}
	}
}

var forBase64 = strings.NewReplacer("-", "+", "_", "/")

func isText(text string) bool { return !strings.ContainsFunc(text, unicode.IsControl) }

func isSeparator(r rune) bool { return strings.ContainsRune(" \t\r\n,;:()", r) }

// AddCookies adds the cookies of Cookie or Set-Cookie headers: those with the name of a credential, and those that look
// random, so that the values of settings such as a language are not replaced in other texts.
func (s *Secrets) AddCookies(header string, values ...string) {
	for _, value := range values {
		for _, c := range cookies(header, value) {
			name, value, named := strings.Cut(value[c.start:c.end], "=")
			if !named {
				name, value = "", name
			}
			if value = strings.Trim(value, ` "`); !named || s.Names.Has(name) || isRandom(value) {
				s.AddWord(value)
				s.AddWord(unescapeQuery(value))
			}
			s.AddNamed([]byte(value))
		}
	}
}

// AddNamed adds the values in a text that have the name of a credential, also below layers of escapes.
func (s *Secrets) AddNamed(text []byte) {
	for layer := 0; len(text) >= MinLength; layer++ {
		for _, v := range s.Names.orDefault().values(text, nil) {
			value := string(text[v.start:v.end])
			s.addValue(value)
			s.addValue(unescapeQuery(value))
			if end := strings.IndexAny(value, "';?,)"); end >= 0 { // if it is of a URL in quotation marks, for example
				s.addValue(value[:end])
			}
		}
		decoded, changed := unescape(text)
		if !changed || layer == maxLayers {
			return
		}
		text = decoded
	}
}

// AddWord adds one secret, unless it is a word that occurs in other texts by chance.
func (s *Secrets) AddWord(word string) {
	if s.Words[word] || s.TooMany || isOrdinary(word) || s.Names.orDefault().isPublic([]byte(word)) || IsScheme(word) {
		return
	}
	if s.Words == nil {
		s.Words = map[string]bool{}
	}
	s.Words[word] = true
	s.bytes += len(word)
	limit := s.MaxWords
	if limit == 0 {
		limit = defaultWords
	}
	s.TooMany = len(s.Words) > limit || s.bytes > limit*bytesOfWord
}

// addValue adds a value, and the words of one with an authentication scheme.
func (s *Secrets) addValue(value string) {
	if scheme, _, ok := strings.Cut(value, " "); ok && IsScheme(scheme) {
		s.Add(value)
		return
	}
	s.AddWord(value)
}

// literals are JSON literals, which are common values of cookies and no secrets.
var literals = []string{"true", "false", "null"}

func isLiteral(word string) bool { return slices.Contains(literals, word) }

// isOrdinary reports whether a word occurs in other texts by chance: it is short, a single word or a number.
func isOrdinary(word string) bool {
	const minMixed, minLetters, minDigits = 6, 8, 8
	var letters, digits, others, inner int
	for i, c := range word {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case unicode.IsLetter(c):
			letters++
			if i > 0 && unicode.IsUpper(c) {
				inner++
			}
		case !strings.ContainsRune(" -_.,:/", c):
			others++
		}
	}
	switch {
	case len(word) < minMixed:
		return true
	case letters == 0 && others == 0:
		return digits < minDigits
	case digits == 0 && others == 0 && (inner == 0 || inner == letters-1):
		return letters < minLetters
	}
	return false
}

// isRandom reports whether a value has a part that looks random: at least 8 letters, digits and hyphens in a row, of them a
// digit and two letters, which a date does not have, or 16 of any kind.
func isRandom(value string) bool {
	const minMixed, minLetters, minSame = 8, 2, 16
	letters, digits, hyphens := 0, 0, 0
	for i := range len(value) + 1 {
		switch {
		case i == len(value), !alphanumeric[value[i]] && value[i] != '-' && value[i] != '_':
			if n := letters + digits + hyphens; n >= minSame || n >= minMixed && letters >= minLetters && digits > 0 {
				return true
			}
			letters, digits, hyphens = 0, 0, 0
		case !alphanumeric[value[i]]:
			hyphens++
		case '0' <= value[i] && value[i] <= '9':
			digits++
		default:
			letters++
		}
	}
	return false
}

// commonSchemes are names of authentication schemes (RFC 9110, section 11.1), in lower case.
var commonSchemes = []string{"token", "bearer", "basic", "digest", "apikey", "negotiate"}

// IsScheme reports whether a word is the name of an authentication scheme: a common one, or one of more.
func IsScheme(word string, more ...string) bool {
	word = strings.TrimSpace(word)
	is := func(scheme string) bool { return strings.EqualFold(scheme, word) }
	return slices.ContainsFunc(commonSchemes, is) || slices.ContainsFunc(more, is)
}

// Header returns the value of a credential header with placeholders for the credentials, which need not be secrets of r. It
// keeps the names of cookies and of authentication schemes, and a value without a credential, which may be a finding.
func (r *Redactor) Header(name, value string, schemes ...string) string {
	if name == "Set-Cookie" || name == "Cookie" {
		for _, c := range slices.Backward(cookies(name, value)) {
			value = value[:c.start] + r.cookie(value[c.start:c.end]) + value[c.end:]
		}
		return value
	}
	text := strings.TrimLeft(value, " \t")
	scheme, rest, _ := strings.Cut(text, " ")
	switch rest = strings.TrimSpace(rest); {
	case strings.TrimSpace(text) == "", IsScheme(scheme, schemes...) && (rest == "" || IsScheme(rest, schemes...)):
		return value
	case IsScheme(scheme, schemes...):
		return value[:len(value)-len(text)] + scheme + " " + r.placeholder(rest)
	}
	return r.placeholder(value)
}

// nextCookie is the start of a cookie in one header field that a recorder joined from several.
var nextCookie = regexp.MustCompile(`[\r\n]+|, *[!#$%&\x27*+.^_\x60|~0-9A-Za-z-]+=`)

// cookies returns the spans of the cookies in a header field, each name=value, without the attributes of Set-Cookie (RFC
// 6265, section 4).
func cookies(header, field string) (pairs []span) {
	for start := 0; start < len(field); {
		end, next := len(field), len(field)
		if at := nextCookie.FindStringIndex(field[start:]); at != nil {
			end, next = start+at[0], start+at[0]+1
		}
		for pair := range strings.SplitSeq(field[start:end], ";") {
			if strings.TrimSpace(pair) != "" {
				pairs = append(pairs, span{start: start, end: start + len(pair)})
			}
			if start += len(pair) + 1; header == "Set-Cookie" {
				break
			}
		}
		start = next
	}
	return pairs
}

func (r *Redactor) cookie(pair string) string {
	name, value, named := strings.Cut(pair, "=")
	switch {
	case named && strings.TrimSpace(value) != "":
		return name + "=" + r.placeholder(value)
	case !named:
		return r.placeholder(pair)
	}
	return pair
}

// User returns user information with placeholders.
func User(user *url.Userinfo) *url.Userinfo {
	if _, ok := user.Password(); ok {
		return url.UserPassword(Name, Name)
	}
	return url.User(Name)
}
