// Package redact replaces credentials in texts: values that have the name of a credential, and secrets, wherever they are:
// in any letter case (ASCII), escaped for JSON, URLs, HTML, regular expressions and JSON pointers, in hex, and in base64 at
// any offset, encoded once or twice.
//
// It also finds secrets in compressed data, where it cannot replace them.
package redact

import (
	"bytes"
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

// Redactor replaces secrets, and values that have the name of a credential. The zero value has no secrets and the names of
// [IsCredential]. It is safe for concurrent use.
type Redactor struct {
	names  *Names // nil for those of [IsCredential]
	sets   []*patterns
	opaque bool // every text is replaced
	masks  bool // see Masking
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
	with := *r
	with.sets = append(slices.Clip(r.sets), p)
	return &with
}

// Masking returns a redactor that replaces letters by letters and digits by digits instead of writing a placeholder, so
// that the length and the kind of characters of a secret stay.
func (r *Redactor) Masking() *Redactor {
	masking := *r
	masking.masks = true
	return &masking
}

// Text returns a text with placeholders for display; if a secret cannot be replaced, the placeholder alone.
func (r *Redactor) Text(text string) string {
	result, ok := r.redact([]byte(text), false)
	if !ok {
		return Placeholder
	}
	return string(result)
}

// Data returns a text with placeholders for further use, and false if a secret cannot be replaced. JSON stays JSON: a
// placeholder is within a string, and other digits replace those of a number.
func (r *Redactor) Data(text []byte) ([]byte, bool) { return r.redact(text, true) }

// isPlaceholder reports whether a word is, contains or is a part of a placeholder, in any letter case.
func isPlaceholder(word string) bool {
	word = strings.ToLower(word)
	return strings.Contains(word, Name) || strings.Contains(Placeholder, word)
}

func (r *Redactor) redact(text []byte, numbers bool) ([]byte, bool) {
	const maxRounds = 3 // a number or a mask may be another secret
	for round := range maxRounds {
		s := search{r, maxInflated, round == 0}
		spans, opaque := s.layers(text, maxLayers)
		switch {
		case opaque:
			return nil, false
		case len(spans) == 0:
			return text, true
		}
		result, isNew := replace(text, spans, numbers, r.masks)
		if !isNew || bytes.Equal(result, text) {
			return result, true
		}
		text = result
	}
	return nil, false
}

// maxLayers is the maximum number of layers of escapes: a query may contain JSON in a JSON string.
const maxLayers = 3

// search finds credentials in a text.
type search struct {
	*Redactor

	inflatable int  // the size of the data that it may still decompress, in bytes
	named      bool // also find values that have the name of a credential
}

// layers returns the spans of credentials in a text, also below layers of escapes, sorted and apart from each other. opaque
// reports whether there is, or may be, a credential in compressed data.
func (s *search) layers(text []byte, layers int) (spans []span, opaque bool) {
	if s.opaque || len(text) < MinLength {
		return nil, s.opaque
	}
	if s.named {
		spans = s.names.orDefault().values(text, nil)
	}
	for _, p := range s.sets {
		spans = p.find(text, spans)
	}
	opaque = len(s.sets) > 0 && s.inArchives(text)
	if decoded, changed := unescape(text); changed && layers > 0 && !opaque {
		var below []span
		below, opaque = s.layers(decoded, layers-1)
		source(text, below)
		spans = append(spans, below...)
	}
	return merge(spans), opaque
}
