package conformance

import (
	"bytes"
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
	forms *wordIndex
	runs  *wordIndex // the letters and digits of each alone, to see one that was taken apart
	words map[string]bool
	bytes int

	tooMany bool // to look for
}

func newCredentialSet() *credentialSet {
	return &credentialSet{forms: &wordIndex{}, runs: &wordIndex{}, words: map[string]bool{}}
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
	if run := squeezed(nil, lower([]byte(word))); len(run) >= shortestRun {
		s.runs.add(run)
	}
}

// wordIndex holds words in lower case, by how they begin.
type wordIndex struct {
	pairs   [1 << 10]uint64 // a bit for the first two bytes of each, so that most places of a text are passed over
	words   map[[shortestSecret]byte][]string
	longest int
}

func (x *wordIndex) add(word []byte) {
	if len(word) < shortestSecret {
		return
	}
	if x.words == nil {
		x.words = map[[shortestSecret]byte][]string{}
	}
	key := [shortestSecret]byte(word)
	if !slices.Contains(x.words[key], string(word)) {
		x.words[key] = append(x.words[key], string(word))
		x.longest = max(x.longest, len(word))
		pair := uint(word[0])<<8 | uint(word[1])
		x.pairs[pair>>6] |= 1 << (pair & 63)
	}
}

// at returns the length of the longest word that a text begins with, or 0.
func (x *wordIndex) at(text []byte) int {
	longest := 0
	var begin [shortestSecret]byte
	for i := range begin {
		begin[i] = folded[text[i]]
	}
	for _, word := range x.words[begin] {
		if len(word) > longest && len(word) <= len(text) && isFolded(text[:len(word)], word) {
			longest = len(word)
		}
	}
	return longest
}

// isFolded reports whether a text is a word that is in lower case.
func isFolded(text []byte, word string) bool {
	for i, c := range text {
		if folded[c] != word[i] {
			return false
		}
	}
	return true
}

// matcher finds words in a text that comes in pieces.
type matcher struct {
	index *wordIndex
	left  reading // what a word may still begin in, as far as it is not known how it goes on
}

// write takes the next piece, and calls found with the offsets of each word, by its beginning, until that returns false; write
// does then, too. Where the way before has the same words it calls nothing.
func (m *matcher) write(next reading, last bool, found func(start, end int) bool) bool {
	if m.index.longest == 0 {
		return true
	}
	isNew := !next.same || !m.left.same
	same := next.same && (m.left.same || len(next.text) >= m.index.longest)
	m.left.add(next)
	m.left.same = same
	text, i := m.left.text, 0
	limit := len(text) - m.index.longest
	if last {
		limit = len(text) - shortestSecret
	}
	if !isNew {
		i = max(0, limit+1)
	}
	pair := uint16(0)
	if i <= limit {
		pair = uint16(folded[text[i]])
	}
	for ; i <= limit; i++ {
		if pair = pair<<8 | uint16(folded[text[i+1]]); m.index.pairs[pair>>6]&(1<<(pair&63)) == 0 {
			continue
		}
		if n := m.index.at(text[i:]); n > 0 && !found(m.left.offset(i), m.left.offset(i+n)) {
			return false
		}
	}
	if last {
		i = len(text)
	}
	m.left.drop(i)
	return true
}

// folded are the bytes with the case of ASCII lowered.
var folded = func() (table [256]byte) {
	for i := range table {
		table[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			table[i] += 'a' - 'A'
		}
	}
	return table
}()

// lower lowers the case of ASCII, so that offsets stay.
func lower(text []byte) []byte {
	result := make([]byte, len(text))
	for i, c := range text {
		result[i] = folded[c]
	}
	return result
}

// squeezed appends the letters and digits of a text.
func squeezed(result, text []byte) []byte {
	for _, c := range text {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c >= utf8.RuneSelf {
			result = append(result, c)
		}
	}
	return result
}

// mostReadings is how often escapes are undone: a text may hold JSON in a string of JSON in a query.
const mostReadings = 4

// reading is a piece of a text, with some of its escapes undone. It comes in pieces as a body may be large, and there are many
// ways to read it.
type reading struct {
	text []byte
	from []int // where each byte stood in the text as it was, and the end; nil where that is not asked
	same bool  // there is no escape in it that was undone last, so that one reading is like the one before
}

// pieceSize is about how many bytes a piece has.
const pieceSize = 32 << 10

func (r *reading) add(next reading) {
	r.text = append(r.text, next.text...)
	if next.from != nil {
		r.from = append(r.from[:max(0, len(r.from)-1)], next.from...)
	}
}

// drop removes the first n bytes.
func (r *reading) drop(n int) {
	if n == 0 {
		return
	}
	r.text = r.text[:copy(r.text, r.text[n:])]
	if r.from != nil {
		r.from = r.from[:copy(r.from, r.from[n:])]
	}
}

func (r *reading) offset(i int) int {
	if r.from == nil {
		return 0
	}
	return r.from[i]
}

// unescaper undoes a layer of escapes: those of JSON strings and patterns (\u0041, \/) and of URLs (%41).
type unescaper struct {
	left, done reading
	begun      bool
	changed    bool // there was one in the text, so far
}

// longestEscape is a surrogate pair.
const longestEscape = len(`\ud83d\ude00`)

// write takes the next piece, and returns what can be said of it so far, which counts until the next call.
func (u *unescaper) write(next reading, last bool) reading {
	u.left.add(next)
	r, i := u.left, 0
	u.done.same = true
	u.done.text, u.done.from = u.done.text[:0], u.done.from[:0]
	u.changed = u.changed && u.begun
	u.begun = !last
	end := len(r.text)
	if !last {
		end -= longestEscape - 1
	}
	percent, backslash := -1, -1 // the next ones
	for i < end {
		if percent < i {
			percent = i + indexByte(r.text[i:end], '%')
		}
		if backslash < i {
			backslash = i + indexByte(r.text[i:end], '\\')
		}
		if n := min(percent, backslash) - i; n > 0 {
			u.done.text = append(u.done.text, r.text[i:i+n]...)
			if r.from != nil {
				u.done.from = append(u.done.from, r.from[i:i+n]...)
			}
			i += n
			continue
		}
		before := len(u.done.text)
		var n int
		u.done.text, n = undoEscape(u.done.text, r.text[i:])
		if n > 1 {
			u.changed, u.done.same = true, false
		}
		if r.from != nil {
			for range len(u.done.text) - before {
				u.done.from = append(u.done.from, r.from[i])
			}
		}
		i += n
	}
	if r.from == nil {
		u.done.from = nil
	} else {
		u.done.from = append(u.done.from, r.from[i])
	}
	u.left.drop(i)
	return u.done
}

// indexByte returns where a byte stands first in a text, or the text's length.
func indexByte(text []byte, c byte) int {
	if i := bytes.IndexByte(text, c); i >= 0 {
		return i
	}
	return len(text)
}

// hasEscapes tells that there may be more than one way to read a text.
func hasEscapes(text []byte) bool {
	return bytes.IndexByte(text, '%') >= 0 || bytes.IndexByte(text, '\\') >= 0
}

// undoEscape appends what a text starts with, and returns how many bytes of it that took.
func undoEscape(to, text []byte) (result []byte, n int) {
	switch {
	case text[0] == '%' && len(text) >= 3:
		if result, err := hex.AppendDecode(to, text[1:3]); err == nil {
			return result, 3
		}
	case text[0] == '\\' && len(text) >= 2:
		if text[1] != 'u' {
			if i := strings.IndexByte(`nrtbf`, text[1]); i >= 0 {
				return append(to, "\n\r\t\b\f"[i]), 2
			}
			return append(to, text[1]), 2
		}
		if first, ok := unit(text); ok {
			if second, ok := unit(text[6:]); ok && utf16.IsSurrogate(first) {
				if pair := utf16.DecodeRune(first, second); pair != utf8.RuneError {
					return utf8.AppendRune(to, pair), 12
				}
			}
			return utf8.AppendRune(to, first), 6
		}
	}
	return append(to, text[0]), 1
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
func (s *credentialSet) redact(text string) string { return string(s.redactBytes([]byte(text))) }

// redactBytes is redact; it returns the text itself where there is nothing to replace.
func (s *credentialSet) redactBytes(text []byte) []byte {
	if len(s.words) == 0 || len(text) < shortestSecret {
		return text
	}
	spans := s.spans(text)
	if len(spans) == 0 {
		return text
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(a.start-b.start, b.end-a.end) })
	result := make([]byte, 0, len(text))
	done := 0
	for i := 0; i < len(spans); {
		start, end := spans[i].start, spans[i].end
		for i++; i < len(spans) && spans[i].start < end; i++ {
			end = max(end, spans[i].end)
		}
		result = append(append(result, text[done:start]...), replacement(string(text[start:end]))...)
		done = end
	}
	return append(result, text[done:]...)
}

// spans are where the words stand in a text, those that overlap as one.
func (s *credentialSet) spans(text []byte) (spans []span) {
	layers := 1
	if hasEscapes(text) {
		layers = mostReadings
	}
	var matchers [mostReadings]matcher
	var unescapers [mostReadings]unescaper
	var lists [mostReadings][]span
	var from []int
	for start := 0; start < len(text); start += pieceSize {
		end := min(len(text), start+pieceSize)
		from = from[:0]
		for i := start; i <= end; i++ {
			from = append(from, i)
		}
		piece, last := reading{text: text[start:end], from: from}, end == len(text)
		for k := range layers {
			if k > 0 {
				piece = unescapers[k].write(piece, last)
			}
			matchers[k].index = s.forms
			matchers[k].write(piece, last, func(start, end int) bool {
				if n := len(lists[k]); n > 0 && start < lists[k][n-1].end {
					lists[k][n-1].end = max(end, lists[k][n-1].end)
				} else {
					lists[k] = append(lists[k], span{start, end})
				}
				return true
			})
		}
	}
	return slices.Concat(lists[:]...)
}

// redacted stands where a credential was.
const redacted = "redacted"

var partOfNumber = regexp.MustCompile(`^[-+]?[0-9.]*[0-9][0-9.]*([eE][-+]?[0-9]*)?$`)

// replacement is a number for a number, so that JSON stays JSON.
func replacement(credential string) string {
	if c := credential[0]; c > '9' || !partOfNumber.MatchString(credential) {
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

// span is a part of a text.
type span struct{ start, end int }
