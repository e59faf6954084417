package conformance

import (
	"iter"
	"math/bits"
	"slices"
)

// bitset is a set of claims by their index.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) add(i int) {
	if i != noClaim {
		b[i>>6] |= 1 << (i & 63)
	}
}

// word is a part of a [bitset], for adding many claims at once.
type word struct {
	at   int
	bits uint64
}

func words(claims []int) []word {
	var result []word
	for _, i := range claims {
		at := slices.IndexFunc(result, func(w word) bool { return w.at == i>>6 })
		if at < 0 {
			at = len(result)
			result = append(result, word{at: i >> 6})
		}
		result[at].bits |= 1 << (i & 63)
	}
	return result
}

func (b bitset) addWords(list []word) {
	for _, w := range list {
		b[w.at] |= w.bits
	}
}

func (b bitset) without(other bitset) {
	for w := range b {
		b[w] &^= other[w]
	}
}

// all visits the members in order.
func (b bitset) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		for w, word := range b {
			for ; word != 0; word &= word - 1 {
				if !yield(w<<6 + bits.TrailingZeros64(word)) {
					return
				}
			}
		}
	}
}

// evidence is what one exchange says of the claims. Those in neither set do not apply.
type evidence struct {
	satisfied bitset // claims that apply to the exchange, which does not violate them
	violated  bitset
	enforced  int // the one claim that the request violates, and was refused for; noClaim for none
}

func (c *Contract) newEvidence() evidence {
	return evidence{satisfied: newBitset(len(c.claims)), violated: newBitset(len(c.claims)), enforced: noClaim}
}

func (e *evidence) reset() {
	clear(e.satisfied)
	clear(e.violated)
	e.enforced = noClaim
}
