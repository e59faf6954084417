// Package redact takes secrets out of texts, in any letter case of ASCII and in the encodings that repeat them: escaped for
// JSON, URLs, HTML, regular expressions and JSON pointers, in hex, and in base64 at any offset, once or twice.
//
// A secret that cannot be replaced is found all the same: one with spaces or punctuation between its characters, and one in
// compressed data.
package redact

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strings"
)

const (
	// Placeholder stands in place of a secret.
	Placeholder = "[redacted]"

	// Name is the placeholder where brackets are not allowed: in names of headers and hosts, and in user information.
	Name = "redacted"

	// MinLength is the length of the shortest secret, in bytes. A shorter one stands in many texts by chance.
	MinLength = 4
)

// Redactor finds a set of secrets. The zero value has none. It is safe for concurrent use.
type Redactor struct {
	sets   []*patterns
	opaque bool // nothing may be shown
}

// New returns a redactor for these secrets. It ignores those that are shorter than [MinLength], or [IsPlaceholder].
func New(secrets ...string) *Redactor { return new(Redactor).With(secrets...) }

// With returns a redactor that finds more secrets.
func (r *Redactor) With(secrets ...string) *Redactor {
	return &Redactor{sets: append(slices.Clip(r.sets), newPatterns(secrets)), opaque: r.opaque}
}

// Text returns a text for display, with placeholders; all of it is one where a secret cannot be replaced.
func (r *Redactor) Text(text string) string {
	result, ok := r.redact([]byte(text), false)
	if !ok {
		return Placeholder
	}
	return string(result)
}

// Data returns a text for further use, or false where a secret cannot be replaced. A secret that is a number becomes another
// number of the same length, so that JSON stays JSON.
func (r *Redactor) Data(text []byte) ([]byte, bool) { return r.redact(text, true) }

// IsPlaceholder reports whether a word is, contains or is a part of a placeholder, in any letter case.
func IsPlaceholder(word string) bool {
	word = strings.ToLower(word)
	return strings.Contains(word, Name) || strings.Contains(Placeholder, word)
}

func (r *Redactor) redact(text []byte, numbers bool) ([]byte, bool) {
	for range 3 {
		found := r.search(text)
		switch {
		case found.opaque:
			return nil, false
		case len(found.spans) == 0:
			return text, !found.apart
		}
		var isNew bool
		if text, isNew = replace(text, found.spans, numbers); !isNew && !found.apart {
			return text, true
		}
	}
	return nil, false
}

// span is a part of a text.
type span struct{ start, end int }

// replace returns the text with a placeholder or a number in place of each span. A number is new text, which may be a secret.
func replace(text []byte, spans []span, numbers bool) (result []byte, isNew bool) {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(a.start-b.start, b.end-a.end) })
	result = make([]byte, 0, len(text))
	done := 0
	for i := 0; i < len(spans); {
		start, end := spans[i].start, spans[i].end
		for i++; i < len(spans) && spans[i].start < end; i++ {
			end = max(end, spans[i].end)
		}
		result = append(result, text[done:start]...)
		if secret := text[start:end]; numbers && secret[0] <= '9' && number.Match(secret) {
			result = append(result, otherNumber(secret)...)
			isNew = true
		} else {
			result = append(result, Placeholder...)
		}
		done = end
	}
	return append(result, text[done:]...), isNew
}

var number = regexp.MustCompile(`^[-+]?[0-9.]*[0-9][0-9.]*([eE][-+]?[0-9]*)?$`)

// otherNumber returns a number with the digit 1 in place of each, or 2.
func otherNumber(number []byte) []byte {
	all := func(digit rune) []byte {
		return bytes.Map(func(r rune) rune {
			if '0' <= r && r <= '9' {
				return digit
			}
			return r
		}, number)
	}
	if ones := all('1'); !bytes.Equal(ones, number) {
		return ones
	}
	return all('2')
}

// maxLayers is how many layers of escapes are undone: a query may hold JSON in a string of JSON.
const maxLayers = 3

// found is the result of a search.
type found struct {
	spans  []span
	apart  bool // a secret stands there with other characters between its own
	opaque bool // a secret stands in compressed data, or may stand there
}

// search looks for the secrets in a text.
func (r *Redactor) search(text []byte) found {
	inflatable := maxInflated
	f := r.searchLayers(text, maxLayers, &inflatable)
	f.opaque = f.opaque || r.opaque
	return f
}

// searchLayers also looks for them behind layers of escapes, and in as much compressed data as inflatable says.
func (r *Redactor) searchLayers(text []byte, layers int, inflatable *int) found {
	if len(text) < MinLength {
		return found{}
	}
	f := found{opaque: r.inArchives(text, inflatable)}
	for _, p := range r.sets {
		var apart bool
		f.spans, apart = p.find(text, f.spans)
		f.apart = f.apart || apart
	}
	if layers == 0 {
		return f
	}
	if decoded, escapes := unescape(text); len(escapes) > 0 {
		below := r.searchLayers(decoded, layers-1, inflatable)
		f.apart, f.opaque = f.apart || below.apart, f.opaque || below.opaque
		for _, b := range below.spans {
			start, _ := source(escapes, b.start)
			_, end := source(escapes, b.end-1)
			f.spans = append(f.spans, span{start, end})
		}
	}
	return f
}
