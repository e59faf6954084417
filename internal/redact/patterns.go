package redact

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// minEncoded is the minimum length of a secret in hex or base64, as short ones match by chance.
const minEncoded = 8

// patterns are the forms of secrets. One pass finds all of them: it reads four bytes at each stride-th offset of a text,
// looks them up among the first ones of each pattern, and compares the pattern if they are there.
type patterns struct {
	stride int
	filter []uint64 // a bit for the hash of each key, which excludes most offsets in a text
	shift  int      // to the right, of a hash
	byKey  map[uint32][]pattern
}

// pattern is a form of a secret in lower case, with the offset of a key in it.
type pattern struct {
	text   string
	offset int
}

// keySize is the length of a key in bytes, and the minimum length of a pattern.
const keySize = MinLength

func newPatterns(secrets []string) *patterns {
	forms := map[string]bool{}
	for _, secret := range secrets {
		if len(secret) >= MinLength && !isPlaceholder(secret) {
			addForms(forms, secret)
		}
	}
	const maxStride = 5
	p := &patterns{stride: maxStride, byKey: map[uint32][]pattern{}}
	for form := range forms {
		p.stride = min(p.stride, len(form)-keySize+1)
	}
	if len(forms) > 1<<12 {
		p.stride = 1 // the keys would fill the cache
	}
	keys := len(forms) * p.stride
	width := min(max(bits.Len(uint(keys))+4, 12), 24) // a bit in 16 is set
	p.filter, p.shift = make([]uint64, 1<<(width-6)), 32-width
	for form := range forms {
		for offset := range p.stride {
			k := key([]byte(form[offset : offset+keySize]))
			word, mask := p.bit(k)
			p.filter[word] |= mask
			p.byKey[k] = append(p.byKey[k], pattern{form, offset})
		}
	}
	return p
}

// key returns four bytes in lower case; it maps some other characters to one, too.
func key(text []byte) uint32 { return binary.LittleEndian.Uint32(text) | 0x20202020 }

// bit returns the bit of a key in the filter.
func (p *patterns) bit(key uint32) (word uint32, mask uint64) {
	hash := key * 0x9e3779b1 >> p.shift // Fibonacci hashing
	return hash >> 6, 1 << (hash & 63)
}

func addForms(forms map[string]bool, secret string) {
	addForm(forms, strings.ToValidUTF8(secret, "\uFFFD"), MinLength)
	// A part of the secret that looks like an escape is decoded in a text together with the real escapes.
	for form, layer := []byte(secret), 0; layer <= maxLayers; layer++ {
		addForm(forms, string(form), MinLength)
		form, _ = unescape(form)
	}
	addForm(forms, strings.ReplaceAll(secret, " ", "+"), MinLength) // in a query
	// A search decodes escapes in a text, but not within base64 or hex.
	quoted := strconv.Quote(secret)
	texts := []string{
		secret, url.QueryEscape(secret), quoted[1 : len(quoted)-1], strings.ReplaceAll(secret, "/", `\/`),
	}
	slices.Sort(texts)
	for _, text := range slices.Compact(texts) {
		addForm(forms, hex.EncodeToString([]byte(text)), minEncoded)
		for _, once := range inBase64(text) {
			addForm(forms, once, minEncoded)
			for _, twice := range inBase64(once) {
				addForm(forms, twice, minEncoded)
			}
		}
	}
}

// inBase64 returns the forms of a text in base64: alone, and within a longer text the characters that encode nothing else,
// at each of the three offsets.
func inBase64(text string) []string {
	forms := []string{base64.RawStdEncoding.EncodeToString([]byte(text))}
	for offset := range 3 {
		form := base64.RawStdEncoding.EncodeToString([]byte("  "[:offset] + text))
		forms = append(forms, form[(offset*8+5)/6:(offset+len(text))*8/6])
	}
	return forms
}

var forURLs = strings.NewReplacer("+", "-", "/", "_")

// addForm adds a form of at least minLength bytes, as it is and in the URL alphabet of base64.
func addForm(forms map[string]bool, form string, minLength int) {
	if len(form) < minLength {
		return
	}
	folded := []byte(form)
	for i, c := range folded {
		folded[i] = lower[c]
	}
	forms[string(folded)] = true
	forms[forURLs.Replace(string(folded))] = true
}

// find appends the spans of patterns in a text.
func (p *patterns) find(text []byte, spans []span) []span {
	for i := 0; i+keySize <= len(text); i += p.stride {
		k := key(text[i:])
		if word, mask := p.bit(k); p.filter[word]&mask == 0 {
			continue
		}
		for _, pattern := range p.byKey[k] {
			if start := i - pattern.offset; start >= 0 && pattern.isAt(text[start:]) {
				spans = appendSpan(spans, span{start: start, end: start + len(pattern.text)})
			}
		}
	}
	return spans
}

// isAt reports whether a text starts with a pattern.
func (p pattern) isAt(text []byte) bool {
	if len(text) < len(p.text) {
		return false
	}
	for i := range len(p.text) {
		if lower[text[i]] != p.text[i] {
			return false
		}
	}
	return true
}

// lower maps bytes to lower case (ASCII only); alphanumeric has ASCII letters, digits and the bytes beyond ASCII.
var lower, alphanumeric = func() (lower [256]byte, alphanumeric [256]bool) {
	for c := range lower {
		lower[c] = byte(c)
		if 'A' <= c && c <= 'Z' {
			lower[c] += 'a' - 'A'
		}
		alphanumeric[c] = 'a' <= lower[c] && lower[c] <= 'z' || '0' <= c && c <= '9' || c >= utf8.RuneSelf
	}
	return lower, alphanumeric
}()
