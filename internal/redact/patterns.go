package redact

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The minimum lengths of patterns other than the secret itself: short ones match by chance.
const (
	minEncoded = 8
	minApart   = 10 // letters and digits
)

// patterns are the forms of secrets. One pass finds all of them.
type patterns struct {
	filter [1 << 10]uint64     // a bit for the hash of each key, which excludes most offsets in a text
	byKey  map[uint32][]string // patterns in lower case by their first four bytes, the longest first
}

func newPatterns(secrets []string) *patterns {
	p := &patterns{byKey: map[uint32][]string{}}
	for _, secret := range secrets {
		if len(secret) >= MinLength && !isPlaceholder(secret) {
			p.addSecret(secret)
		}
	}
	for key, list := range p.byKey {
		slices.SortFunc(list, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
		p.byKey[key] = slices.Compact(list)
	}
	return p
}

func (p *patterns) addSecret(secret string) {
	p.add(strings.ToValidUTF8(secret, "\uFFFD"), MinLength)
	// A part of the secret that looks like an escape is decoded in a text together with the real escapes.
	for form, layer := []byte(secret), 0; layer <= maxLayers; layer++ {
		p.add(string(form), MinLength)
		form, _ = unescape(form)
	}
	p.add(strings.ReplaceAll(secret, " ", "+"), MinLength) // in a query
	// A search decodes escapes in a text, but not within base64 or hex.
	quoted := strconv.Quote(secret)
	texts := []string{
		secret, url.QueryEscape(secret), quoted[1 : len(quoted)-1], strings.ReplaceAll(secret, "/", `\/`),
	}
	slices.Sort(texts)
	for _, text := range slices.Compact(texts) {
		p.add(hex.EncodeToString([]byte(text)), minEncoded)
		for _, once := range inBase64(text) {
			p.add(once, minEncoded)
			for _, twice := range inBase64(once) {
				p.add(twice, minEncoded)
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

// add adds a form of at least minLength bytes, as it is, in the URL alphabet of base64, and without punctuation.
func (p *patterns) add(form string, minLength int) {
	if len(form) < minLength {
		return
	}
	folded := []byte(form)
	for i, c := range folded {
		folded[i] = lower[c]
	}
	p.addPattern(string(folded))
	p.addPattern(forURLs.Replace(string(folded)))
	squeezed := slices.DeleteFunc(folded, func(c byte) bool { return !alphanumeric[c] })
	if len(squeezed) >= minApart {
		p.addPattern(string(squeezed))
	}
}

func (p *patterns) addPattern(pattern string) {
	key := uint32(pattern[0])<<24 | uint32(pattern[1])<<16 | uint32(pattern[2])<<8 | uint32(pattern[3])
	word, mask := bit(key)
	p.filter[word] |= mask
	p.byKey[key] = append(p.byKey[key], pattern)
}

// bit returns the bit of a key in the filter.
func bit(key uint32) (word uint32, mask uint64) {
	hash := key * 0x9e3779b1 >> 16 // Fibonacci hashing
	return hash >> 6, 1 << (hash & 63)
}

// mayHave reports whether there may be a pattern with a key.
func (p *patterns) mayHave(key uint32) bool {
	word, mask := bit(key)
	return p.filter[word]&mask != 0
}

// find appends the spans of patterns in a text; overlapping ones are one span. apart reports whether a pattern of at least
// minApart bytes occurs with punctuation or spaces in between.
func (p *patterns) find(text []byte, spans []span) (_ []span, apart bool) {
	before := len(spans)
	var key, apartKey uint32 // of the last four bytes, and of the last four letters and digits
	for i, c := range text {
		c = lower[c]
		key = key<<8 | uint32(c)
		if alphanumeric[c] {
			apartKey = apartKey<<8 | uint32(c)
		}
		if !p.mayHave(key) && (apartKey == key || !alphanumeric[c] || !p.mayHave(apartKey)) {
			continue
		}
		if start := i - MinLength + 1; start >= 0 {
			switch length := p.match(key, text[start:], false); {
			case length == 0:
			case len(spans) > before && start < spans[len(spans)-1].end:
				spans[len(spans)-1].end = max(start+length, spans[len(spans)-1].end)
			default:
				spans = append(spans, span{start, start + length})
			}
		}
		if alphanumeric[c] && !apart {
			start := apartStart(text[:i+1])
			apart = start >= 0 && p.match(apartKey, text[start:], true) > 0
		}
	}
	return spans, apart
}

// apartStart returns the offset of the fourth-last letter or digit of a text, or -1.
func apartStart(text []byte) int {
	left := MinLength
	for i, c := range slices.Backward(text) {
		if alphanumeric[c] {
			left--
		}
		if left == 0 {
			return i
		}
	}
	return -1
}

// match returns the length of the longest pattern at the start of a text, or 0. If apart, it skips punctuation and spaces
// in the text.
func (p *patterns) match(key uint32, text []byte, apart bool) int {
	for _, pattern := range p.byKey[key] {
		if apart && len(pattern) < minApart {
			break
		}
		matched := 0
		for i, c := range text {
			if c = lower[c]; apart && !alphanumeric[c] {
				continue
			}
			if c != pattern[matched] {
				break
			}
			if matched++; matched == len(pattern) {
				return i + 1
			}
		}
	}
	return 0
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
