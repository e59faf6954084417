package conformance

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// credentialSet finds credentials in texts, in any letter case and in the forms that texts give them, and takes them out.
type credentialSet struct {
	forms wordIndex
	runs  wordIndex // the letters and digits of each alone, to see one that was taken apart
	words map[string]bool
	bytes int

	tooMany bool // to look for
}

func newCredentialSet() *credentialSet {
	return &credentialSet{forms: wordIndex{}, runs: wordIndex{}, words: map[string]bool{}}
}

// shortestRun is how many letters and digits must follow each other, whatever stands between them, to be a credential that
// was taken apart. Fewer meet by chance.
const shortestRun = 10

func (s *credentialSet) add(word string) {
	if s.words[word] {
		return
	}
	s.words[word] = true
	s.bytes += len(word)
	for _, form := range []string{
		word, strings.ToValidUTF8(word, "\uFFFD"), url.QueryEscape(word), escapeToken(word), html.EscapeString(word),
		hex.EncodeToString([]byte(word)), base64.RawStdEncoding.EncodeToString([]byte(word)),
		base64.RawURLEncoding.EncodeToString([]byte(word)),
	} {
		s.forms.add(lower([]byte(form)))
	}
	if run := squeezed(lower([]byte(word))); len(run) >= shortestRun {
		s.runs.add(run)
	}
}

// wordIndex holds words by their first bytes.
type wordIndex map[[shortestSecret]byte][]string

func (x wordIndex) add(word []byte) {
	if len(word) < shortestSecret {
		return
	}
	key := [shortestSecret]byte(word)
	if !slices.Contains(x[key], string(word)) {
		x[key] = append(x[key], string(word))
	}
}

// at returns the length of the longest word that starts at a place in a text, or 0.
func (x wordIndex) at(text []byte, i int) int {
	if len(text)-i < shortestSecret {
		return 0
	}
	longest := 0
	for _, word := range x[[shortestSecret]byte(text[i:])] {
		if len(word) > longest && len(word) <= len(text)-i && string(text[i:i+len(word)]) == word {
			longest = len(word)
		}
	}
	return longest
}

// in reports whether one of the words stands in a text.
func (x wordIndex) in(text []byte) bool {
	for i := range text {
		if x.at(text, i) > 0 {
			return true
		}
	}
	return false
}

// lower lowers the case of ASCII, so that offsets stay.
func lower(text []byte) []byte {
	result := make([]byte, len(text))
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		result[i] = c
	}
	return result
}

// squeezed leaves letters and digits.
func squeezed(text []byte) []byte {
	result := make([]byte, 0, len(text))
	for _, c := range text {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c >= utf8.RuneSelf {
			result = append(result, c)
		}
	}
	return result
}

// mostReadings is how often escapes are undone: a text may hold JSON in a string of JSON in a query.
const mostReadings = 4

// reading is a text with some of its escapes undone.
type reading struct {
	text []byte
	from []int // where each byte stood in the text as it was, and its end
}

// readings returns the text as it is, and then with one layer of escapes undone after the other.
func readings(text []byte) []reading {
	r := reading{text: text, from: make([]int, len(text)+1)}
	for i := range r.from {
		r.from[i] = i
	}
	list := []reading{r}
	for len(list) < mostReadings {
		next, changed := list[len(list)-1].unescaped()
		if !changed {
			break
		}
		list = append(list, next)
	}
	return list
}

// unescaped undoes the escapes of JSON strings and patterns (\u0041, \/) and of URLs (%41).
func (r reading) unescaped() (next reading, changed bool) {
	for i := 0; i < len(r.text); {
		c, n := undoEscape(r.text[i:])
		changed = changed || n > 1
		for range c {
			next.from = append(next.from, r.from[i])
		}
		next.text = append(next.text, c...)
		i += n
	}
	next.from = append(next.from, r.from[len(r.text)])
	return next, changed
}

// undoEscape returns what a text starts with, and how many bytes of it that took.
func undoEscape(text []byte) (c []byte, n int) {
	switch {
	case text[0] == '%' && len(text) >= 3:
		if b, err := hex.DecodeString(string(text[1:3])); err == nil {
			return b, 3
		}
	case text[0] == '\\' && len(text) >= 2:
		if text[1] != 'u' {
			if i := strings.IndexByte(`nrtbf`, text[1]); i >= 0 {
				return []byte("\n\r\t\b\f"[i : i+1]), 2
			}
			return text[1:2], 2
		}
		if first, ok := unit(text); ok {
			if second, ok := unit(text[6:]); ok && utf16.IsSurrogate(first) {
				if pair := utf16.DecodeRune(first, second); pair != utf8.RuneError {
					return utf8.AppendRune(nil, pair), 12
				}
			}
			return utf8.AppendRune(nil, first), 6
		}
	}
	return text[:1], 1
}

// unit reads a \u0041.
func unit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(v), err == nil
}

// redact replaces the credentials of the set wherever they stand in a text.
func (s *credentialSet) redact(text string) string {
	if len(s.words) == 0 || len(text) < shortestSecret {
		return text
	}
	type span struct{ start, end int }
	var spans []span
	for _, r := range readings([]byte(text)) {
		folded := lower(r.text)
		for i := range folded {
			if n := s.forms.at(folded, i); n > 0 {
				spans = append(spans, span{r.from[i], r.from[i+n]})
			}
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(a.start-b.start, b.end-a.end) })
	var b strings.Builder
	done := 0
	for i := 0; i < len(spans); {
		start, end := spans[i].start, spans[i].end
		for i++; i < len(spans) && spans[i].start < end; i++ {
			end = max(end, spans[i].end)
		}
		b.WriteString(text[done:start] + replacement(text[start:end]))
		done = end
	}
	return b.String() + text[done:]
}

// redacted stands where a credential was.
const redacted = "redacted"

var partOfNumber = regexp.MustCompile(`^[-+]?[0-9.]*[0-9][0-9.]*([eE][-+]?[0-9]*)?$`)

// replacement is a number for a number, so that JSON stays JSON.
func replacement(credential string) string {
	if !partOfNumber.MatchString(credential) {
		return redacted
	}
	all := func(digit rune) string {
		return strings.Map(func(r rune) rune {
			if '0' <= r && r <= '9' {
				return digit
			}
			return r
		}, credential)
	}
	if ones := all('1'); ones != credential {
		return ones
	}
	return all('2')
}
