// Package redact replaces secrets in texts: in any letter case (ASCII), escaped for JSON, URLs, HTML, regular expressions
// and JSON pointers, in hex, and in base64 at any offset, encoded once or twice.
//
// It also finds secrets that it cannot replace: with spaces or punctuation between their characters, or in compressed
// data.
package redact

import (
	"cmp"
	"slices"
	"strings"
)

const (
	// Placeholder replaces a secret.
	Placeholder = "[redacted]"

	// Name is the placeholder where brackets are not allowed: in names of headers and hosts, and in user information.
	Name = "redacted"

	// MinLength is the minimum length of a secret, in bytes. Shorter ones occur in many texts by chance.
	MinLength = 4
)

// Redactor replaces a set of secrets. The zero value has none. It is safe for concurrent use.
type Redactor struct {
	sets   []*patterns
	opaque bool // every text is replaced
}

// New returns a redactor for secrets. It ignores those shorter than [MinLength] and parts of a
// placeholder.
func New(secrets ...string) *Redactor { return new(Redactor).With(secrets...) }

// With returns a redactor for the secrets of r and others.
func (r *Redactor) With(secrets ...string) *Redactor {
	p := newPatterns(secrets)
	if len(p.byKey) == 0 {
		return r
	}
	return &Redactor{sets: append(slices.Clip(r.sets), p), opaque: r.opaque}
}

// Text returns a text with placeholders for display; if a secret cannot be replaced, the placeholder alone.
func (r *Redactor) Text(text string) string {
	result, ok := r.redact([]byte(text), false)
	if !ok {
		return Placeholder
	}
	return string(result)
}

// Data returns a text with placeholders for further use, and false if a secret cannot be replaced. Other digits replace a
// secret of digits, so that JSON stays valid.
func (r *Redactor) Data(text []byte) ([]byte, bool) { return r.redact(text, true) }

// isPlaceholder reports whether a word is, contains or is a part of a placeholder, in any letter case.
func isPlaceholder(word string) bool {
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

// replace returns the text with a placeholder or a number in place of each span. isNew reports whether it has a new number,
// which may be another secret.
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
		if secret := string(text[start:end]); numbers && strings.Trim(secret, "0123456789") == "" {
			result = append(result, otherDigits(secret)...)
			isNew = true
		} else {
			result = append(result, Placeholder...)
		}
		done = end
	}
	return append(result, text[done:]...), isNew
}

func otherDigits(digits string) string {
	if ones := strings.Repeat("1", len(digits)); ones != digits {
		return ones
	}
	return strings.Repeat("2", len(digits))
}

// maxLayers is the maximum number of layers of escapes: a query may contain JSON in a JSON string.
const maxLayers = 3

// found is the result of a search.
type found struct {
	spans  []span
	apart  bool // there is a secret with other characters between its own
	opaque bool // there is, or may be, a secret in compressed data
}

// search finds the secrets in a text.
func (r *Redactor) search(text []byte) found {
	if r.opaque || len(r.sets) == 0 {
		return found{opaque: r.opaque}
	}
	inflatable := maxInflated
	return r.searchLayers(text, maxLayers, &inflatable)
}

// searchLayers finds the secrets in a text, below layers of escapes, and in compressed data of at most inflatable bytes.
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
