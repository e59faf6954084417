package redact

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Patterns other than the secret itself are longer, as short ones meet by chance.
const (
	minEncoded = 8
	minApart   = 10 // letters and digits
)

// patterns are the forms of secrets, all of which are found in one pass.
type patterns struct {
	filter [1 << 10]uint64     // a bit for a hash of each key, so that most places of a text are passed over
	byKey  map[uint32][]string // in lower case, by their first four bytes
}

func newPatterns(secrets []string) *patterns {
	p := &patterns{byKey: map[uint32][]string{}}
	for _, secret := range secrets {
		if len(secret) >= MinLength && !IsPlaceholder(secret) {
			p.addSecret(secret)
		}
	}
	for key, list := range p.byKey { // the longest first, as a shorter one may be its beginning
		slices.SortFunc(list, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
		p.byKey[key] = slices.Compact(list)
	}
	return p
}

func (p *patterns) addSecret(secret string) {
	p.add(strings.ToValidUTF8(secret, "\uFFFD"), MinLength)
	// What looks like an escape in the secret is undone in a text together with the true ones.
	for form, layer := []byte(secret), 0; layer <= maxLayers; layer++ {
		p.add(string(form), MinLength)
		form, _ = unescape(form)
	}
	p.add(strings.ReplaceAll(secret, " ", "+"), MinLength) // in a query
	// Escapes are undone in a text, but not in what it holds in base64 or hex.
	quoted, _ := json.Marshal(secret) // a string never fails
	texts := []string{secret, url.QueryEscape(secret), strings.Trim(string(quoted), `"`), strings.ReplaceAll(secret, "/", `\/`)}
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

// inBase64 returns what a text is in base64, alone and within longer texts: the characters that hold nothing else, at each of
// the three offsets.
func inBase64(text string) []string {
	forms := []string{base64.RawStdEncoding.EncodeToString([]byte(text))}
	for offset := range 3 {
		form := base64.RawStdEncoding.EncodeToString([]byte("  "[:offset] + text))
		forms = append(forms, form[(offset*8+5)/6:(offset+len(text))*8/6])
	}
	return forms
}

var forURLs = strings.NewReplacer("+", "-", "/", "_")

// add adds a form of at least minLength, as it is and in base64's alphabet for URLs, and the letters and digits of it alone.
func (p *patterns) add(form string, minLength int) {
	if len(form) < minLength {
		return
	}
	form = toLower(form)
	p.addPattern(form)
	p.addPattern(forURLs.Replace(form))
	squeezed := slices.DeleteFunc([]byte(form), func(c byte) bool { return !alphanumeric[c] })
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

// bit returns the place of a key in the filter.
func bit(key uint32) (word uint32, mask uint64) {
	hash := key * 0x9e3779b1 >> 16 // Fibonacci hashing
	return hash >> 6, 1 << (hash & 63)
}

// find appends where the patterns stand in a text. They may overlap. It reports whether one of at least [minApart] stands there
// with other characters than letters and digits in between.
func (p *patterns) find(text []byte, spans []span) (_ []span, apart bool) {
	var key, apartKey uint32  // of the last four bytes, and of the last four letters and digits
	var starts [MinLength]int // of those
	n := 0
	for i, c := range text {
		c = lower[c]
		key = key<<8 | uint32(c)
		word, mask := bit(key)
		hit := p.filter[word]&mask != 0
		if hit && i >= MinLength-1 {
			if length := p.match(key, text[i-MinLength+1:]); length > 0 {
				spans = append(spans, span{i - MinLength + 1, i - MinLength + 1 + length})
			}
		}
		if !alphanumeric[c] {
			continue
		}
		if apartKey = apartKey<<8 | uint32(c); apartKey != key {
			word, mask = bit(apartKey)
			hit = p.filter[word]&mask != 0
		}
		starts[n%MinLength] = i
		if n++; hit && !apart && n >= MinLength {
			apart = p.matchApart(apartKey, text[starts[n%MinLength]:])
		}
	}
	return spans, apart
}

// match returns the length of the longest pattern that a text begins with, or 0.
func (p *patterns) match(key uint32, text []byte) int {
	for _, pattern := range p.byKey[key] {
		i := 0
		for i < min(len(pattern), len(text)) && lower[text[i]] == pattern[i] {
			i++
		}
		if i == len(pattern) {
			return i
		}
	}
	return 0
}

// matchApart reports whether the letters and digits of a text begin with a pattern.
func (p *patterns) matchApart(key uint32, text []byte) bool {
	for _, pattern := range p.byKey[key] {
		if len(pattern) < minApart {
			break
		}
		matched := 0
		for _, c := range text {
			if c = lower[c]; !alphanumeric[c] {
				continue
			}
			if c != pattern[matched] {
				break
			}
			if matched++; matched == len(pattern) {
				return true
			}
		}
	}
	return false
}

// lower are the bytes with ASCII letters in lower case; alphanumeric are these letters, digits and what is not ASCII.
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

func toLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = lower[c]
	}
	return string(b)
}
