package traffic

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// cursor reads JSON that it does not trust (RFC 8259), in one pass and without allocating. What is malformed, and what a
// jsonValue would take in another way than it stands there, sets bad, after which nothing that the cursor says counts. It takes it for granted that the bytes are valid UTF-8.
type cursor struct {
	b       []byte
	i       int
	fresh   bool   // an object or array was entered, and nothing read of it
	bad     bool   // for good
	scratch []byte // where texts with escapes are decoded to; must have room for as many bytes as b, and a word
}

// mostNested bounds the nesting of what a cursor skips.
const mostNested = 100

// skipBlanks returns the index of the first byte of b, from i on, that is no blank of JSON, or its length.
func skipBlanks(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// next returns the first byte that is no blank, without going past it, or 0 at the end.
func (c *cursor) next() byte {
	if c.i < len(c.b) {
		if b := c.b[c.i]; b > ' ' {
			return b
		}
	}
	if c.i = skipBlanks(c.b, c.i); c.i < len(c.b) {
		return c.b[c.i]
	}
	return 0
}

// enter goes into an object or array.
func (c *cursor) enter(open byte) {
	if c.next() != open {
		c.bad = true
		return
	}
	c.i++
	c.fresh = true
}

// more reports whether the object or array goes on, and goes past its end if it does not.
func (c *cursor) more(end byte) bool {
	b := c.next()
	switch {
	case c.bad:
		return false
	case b == end:
		c.i++
		c.fresh = false
		return false
	case c.fresh:
		c.fresh = false
		return true
	case b == ',':
		c.i++
		return true
	default:
		c.bad = true
		return false
	}
}

// name reads the name of a member, and the colon. A name with escapes might be one that we know, so it is bad.
func (c *cursor) name() []byte {
	name := c.plain()
	if c.next() != ':' {
		c.bad = true
		return nil
	}
	c.i++
	return name
}

// plain reads a string without escapes.
func (c *cursor) plain() []byte {
	if c.next() != '"' {
		c.bad = true
		return nil
	}
	start := c.i + 1
	end := plainEnd(c.b, start)
	if end == len(c.b) || c.b[end] != '"' {
		c.bad = true
		return nil
	}
	c.i = end + 1
	return c.b[start:end:end]
}

// plainEnd returns the index of the first byte of b, from i on, that ends the plain text of a string, or the length of b.
func plainEnd(b []byte, i int) int {
	for ; i+wordSize <= len(b); i += wordSize {
		if m := special(binary.LittleEndian.Uint64(b[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= ' ' {
		i++
	}
	return i
}

// text reads a string. It lies in b, or in scratch if it has escapes.
func (c *cursor) text() []byte {
	if c.next() != '"' {
		c.bad = true
		return nil
	}
	start := c.i + 1
	end := plainEnd(c.b, start)
	if end < len(c.b) && c.b[end] == '"' {
		c.i = end + 1
		return c.b[start:end:end]
	}
	from := len(c.scratch)
	room := c.scratch[:cap(c.scratch)]
	to := from + copy(room[from:], c.b[start:end])
	i := end
	for {
		// Writing a word where less than a word is plain does no harm: what follows overwrites it.
		if i+wordSize <= len(c.b) && to+wordSize <= len(room) {
			w := binary.LittleEndian.Uint64(c.b[i:])
			binary.LittleEndian.PutUint64(room[to:], w)
			m := special(w)
			if m == 0 {
				i += wordSize
				to += wordSize
				continue
			}
			n := bits.TrailingZeros64(m) >> 3
			i += n
			to += n
		}
		if i >= len(c.b) {
			c.bad = true
			return nil
		}
		switch b := c.b[i]; {
		case b == '"':
			c.i = i + 1
			c.scratch = room[:to]
			return room[from:to:to]
		case b == '\\':
			var n int
			if n, to = unescape(c.b[i:], room, to); n == 0 {
				c.bad = true
				return nil
			}
			i += n
		case b < ' ':
			c.bad = true
			return nil
		default:
			room[to] = b
			to++
			i++
		}
	}
}

// unescape decodes the escape that b starts with to room[to:]. It returns the length of the escape, which is 0 if it is
// wrong or half of a surrogate pair, and the end of what it wrote.
func unescape(b, room []byte, to int) (n, end int) {
	if len(b) < 2 {
		return 0, to
	}
	if plain := escapes[b[1]]; plain != 0 {
		room[to] = plain
		return 2, to + 1
	}
	r, ok := hex4(b)
	if !ok || r >= 0xdc00 && r < 0xe000 {
		return 0, to
	}
	n = 6
	if r >= 0xd800 && r < 0xdc00 {
		low, ok := hex4(b[6:])
		if !ok || low < 0xdc00 || low >= 0xe000 {
			return 0, to
		}
		n, r = 12, (r-0xd800)<<10|(low-0xdc00)+0x10000
	}
	if r < utf8.RuneSelf {
		room[to] = byte(r) //nolint:gosec // it is ASCII
		return n, to + 1
	}
	return n, to + utf8.EncodeRune(room[to:to+n], r)
}

// escapes holds what a letter behind a backslash stands for, or 0.
var escapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// hex4 decodes an escape such as \u003c at the start of b.
func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, d := range b[2:6] {
		switch {
		case d >= '0' && d <= '9':
			d -= '0'
		case d|0x20 >= 'a' && d|0x20 <= 'f':
			d = d | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

// skip goes past a value, all of which it checks.
func (c *cursor) skip() { c.skipNested(0) }

func (c *cursor) skipNested(depth int) {
	switch b := c.next(); b {
	case '"':
		c.skipText()
	case '{', '[':
		if depth == mostNested {
			c.bad = true
			return
		}
		c.i++
		c.fresh = true
		for c.more(b + 2) { // the closing bracket is two after the opening one in ASCII
			if b == '{' {
				if c.next() != '"' {
					c.bad = true
					return
				}
				c.skipText()
				if c.next() != ':' {
					c.bad = true
					return
				}
				c.i++
			}
			c.skipNested(depth + 1)
		}
	case 't':
		c.literal("true")
	case 'f':
		c.literal("false")
	case 'n':
		c.literal("null")
	default:
		c.number()
	}
}

// skipText goes past a string, whose quote is next.
func (c *cursor) skipText() {
	i := c.i + 1
	for {
		i = plainEnd(c.b, i)
		if i == len(c.b) || c.b[i] < ' ' {
			c.bad = true
			return
		}
		if c.b[i] == '"' {
			c.i = i + 1
			return
		}
		switch _, ok := hex4(c.b[i:]); { // half of a surrogate pair is fine in what nobody reads
		case ok:
			i += 6
		case i+1 < len(c.b) && escapes[c.b[i+1]] != 0:
			i += 2
		default:
			c.bad = true
			return
		}
	}
}

func (c *cursor) literal(want string) {
	if !bytes.HasPrefix(c.b[c.i:], []byte(want)) {
		c.bad = true
		return
	}
	c.i += len(want)
}
