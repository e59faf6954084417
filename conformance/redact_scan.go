package conformance

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"io"
	"slices"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

const (
	mostLayers   = 3  // base64 within compressed data within base64
	mostArchives = 16 // in one text
)

// standsIn reports whether a credential of the set stands in any part of an exchange.
func (s *credentialSet) standsIn(ex *traffic.Exchange) bool {
	u := ex.URL
	texts := [][]byte{[]byte(ex.Source), []byte(ex.Method), []byte(u.String()), []byte(u.Path), ex.Request.Body, ex.Response.Body}
	for _, m := range []*traffic.Message{&ex.Request, &ex.Response} {
		for name, values := range m.Header {
			texts = append(texts, []byte(name))
			for _, value := range values {
				texts = append(texts, []byte(value))
			}
		}
	}
	return slices.ContainsFunc(texts, s.stands)
}

// stands reports whether a credential of the set stands in a text, in a form that redact replaces or in any of: taken apart
// by spaces or punctuation, within base64 at any offset, compressed. What cannot be looked through counts, too.
func (s *credentialSet) stands(text []byte) bool {
	archives := mostArchives
	return len(s.words) > 0 && s.standsBelow(text, 0, &archives)
}

func (s *credentialSet) standsBelow(text []byte, depth int, archives *int) bool {
	for _, r := range readings(text) {
		folded := lower(r.text)
		if s.forms.in(folded) || depth == 0 && s.runs.in(squeezed(folded)) {
			return true
		}
		if depth < mostLayers && (s.standsInBase64(r.text, depth, archives) || s.standsCompressed(r.text, depth, archives)) {
			return true
		}
	}
	return false
}

// standsInBase64 decodes what looks like base64 (RFC 4648, both alphabets), from each of the four places that a group may
// begin at, as text before it may look the same. Line breaks within it are left out.
func (s *credentialSet) standsInBase64(text []byte, depth int, archives *int) bool {
	shortest := base64.RawStdEncoding.EncodedLen(shortestSecret)
	var run []byte
	for i := range len(text) + 1 {
		var c byte
		if i < len(text) {
			c = text[i]
		}
		switch {
		case c == '-':
			run = append(run, '+')
			continue
		case c == '_':
			run = append(run, '/')
			continue
		case c == '+' || c == '/' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z':
			run = append(run, c)
			continue
		case c == '\r' || c == '\n' || c == '\t' || c == ' ':
			continue
		}
		for start := 0; start < 4 && len(run)-start >= shortest; start++ {
			group := run[start:]
			if len(group)%4 == 1 {
				group = group[:len(group)-1] // no byte ends there
			}
			decoded := make([]byte, base64.RawStdEncoding.DecodedLen(len(group)))
			n, err := base64.RawStdEncoding.Decode(decoded, group)
			if err == nil && s.standsBelow(decoded[:n], depth+1, archives) {
				return true
			}
		}
		run = run[:0]
	}
	return false
}

// standsCompressed looks into gzip (RFC 1952) wherever it begins, and into zlib (RFC 1950) at the start.
func (s *credentialSet) standsCompressed(text []byte, depth int, archives *int) bool {
	for rest := text; ; rest = rest[1:] {
		i := bytes.Index(rest, []byte{0x1f, 0x8b, 8})
		if i < 0 {
			break
		}
		rest = rest[i:]
		if r, err := gzip.NewReader(bytes.NewReader(rest)); err == nil && s.standsInflated(r, depth, archives) {
			return true
		}
	}
	if len(text) < 2 || text[0] != 0x78 {
		return false
	}
	r, err := zlib.NewReader(bytes.NewReader(text))
	return err == nil && s.standsInflated(r, depth, archives)
}

func (s *credentialSet) standsInflated(r io.Reader, depth int, archives *int) bool {
	*archives--
	data, _ := io.ReadAll(io.LimitReader(r, mostBody+1)) // of a broken one, what there is
	return *archives < 0 || len(data) > mostBody || s.standsBelow(data, depth+1, archives)
}
