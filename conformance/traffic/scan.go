package traffic

import (
	"encoding/binary"
	"math/bits"
)

// Words are read little-endian, so that the first byte is the lowest.
const (
	wordSize = 8
	lows     = 0x0101010101010101 // times a byte: a word of it
	highs    = 0x8080808080808080
)

// objectEnd finds the end of an object or array without looking at more than strings and brackets: 64 bytes at a time,
// as bit masks, so that neither many escapes nor short strings slow it down. Of text that is no JSON it may find any end,
// but never one before the first byte that is wrong.
//
// The way to find out which bytes are escaped, and which are in strings, is that of Langdale and Lemire, "Parsing
// Gigabytes of JSON per Second" (2019), section 3.1.
type objectEnd struct {
	pos      int    // of the first byte that was not looked at
	depth    int    // of brackets, there
	inString uint64 // all ones if that byte is in a string
	escaped  uint64 // 1 if it is escaped
}

const blockSize = 64

// find returns the end of the value that starts where pos was at first, or false if it is not in b. It may be called
// again with more bytes behind b.
func (s *objectEnd) find(b []byte) (int, bool) {
	for len(b)-s.pos >= blockSize {
		if i, found := s.block((*[blockSize]byte)(b[s.pos:])); found {
			return s.pos + i, true
		}
		s.pos += blockSize
	}
	var last [blockSize]byte
	copy(last[:], b[s.pos:])
	again := *s // these bytes are looked at anew with those that follow
	i, found := again.block(&last)
	return s.pos + i, found
}

// block looks at a block, and returns the end of the value in it.
func (s *objectEnd) block(b *[blockSize]byte) (int, bool) {
	var quotes, backslashes uint64 // inverted at first
	for i := 0; i < blockSize; i += wordSize {
		w := binary.LittleEndian.Uint64(b[i : i+wordSize])
		low := w &^ highs
		quotes = quotes>>1 | differs(w, low^'"'*lows)
		backslashes = backslashes>>1 | differs(w, low^'\\'*lows)
	}
	quotes, backslashes = ^transpose(quotes), ^backslashes
	if backslashes != 0 {
		backslashes = transpose(backslashes)
	}

	escaped := s.escaped
	if s.escaped = 0; backslashes != 0 {
		const odd = 0xaaaaaaaaaaaaaaaa
		starts := backslashes &^ escaped
		series := (starts<<1 | odd) - starts ^ odd
		escaped = series ^ (backslashes | escaped)
		s.escaped = (series & backslashes) >> (blockSize - 1)
	}
	in := quotes &^ escaped
	in ^= in << 1
	in ^= in << 2
	in ^= in << 4
	in ^= in << 8
	in ^= in << 16
	in ^= in << 32
	in ^= s.inString
	s.inString = -(in >> (blockSize - 1))

	if in == ^uint64(0) {
		return 0, false
	}
	var opens, closes uint64
	for i := 0; i < blockSize; i += wordSize {
		w := binary.LittleEndian.Uint64(b[i : i+wordSize])
		low := w&^highs | 0x20*lows // makes { of [, and } of ]
		opens = opens>>1 | differs(w, low^'{'*lows)
		closes = closes>>1 | differs(w, low^'}'*lows)
	}
	opens, closes = ^(transpose(opens) | in), ^(transpose(closes) | in)
	if n := bits.OnesCount64(closes); n < s.depth {
		s.depth += bits.OnesCount64(opens) - n
		return 0, false
	}
	for all := opens | closes; all != 0; all &= all - 1 {
		if opens&all&-all != 0 {
			s.depth++
		} else if s.depth--; s.depth <= 0 {
			return bits.TrailingZeros64(all) + 1, true
		}
	}
	return 0, false
}

// differs sets the high bit of each byte that is not ASCII in the word w, or not 0 in low, which has no high bits.
func differs(w, low uint64) uint64 { return ((low + ^uint64(highs)) | w) & highs }

// transpose makes bit 8*i+j of bit 8*j+i (Warren, "Hacker's Delight", section 7-3).
func transpose(x uint64) uint64 {
	t := (x ^ x>>7) & 0x00aa00aa00aa00aa
	x ^= t ^ t<<7
	t = (x ^ x>>14) & 0x0000cccc0000cccc
	x ^= t ^ t<<14
	t = (x ^ x>>28) & 0x00000000f0f0f0f0
	return x ^ t ^ t<<28
}

// special returns a word whose lowest set bit is in the first byte of w that ends the plain text of a JSON string: a
// quote, a backslash, or a control character. It is 0 if there is none.
func special(w uint64) uint64 {
	quote, backslash := w^'"'*lows, w^'\\'*lows
	return ((quote-lows)&^quote | (backslash-lows)&^backslash | (w-0x20*lows)&^w) & highs
}
