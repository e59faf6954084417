package conformance

import "math/bits"

// bitset is a set of claims by their index.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) add(i int) {
	if i != noClaim {
		b[i>>6] |= 1 << (i & 63)
	}
}

func (b bitset) addAll(list []int) {
	for _, i := range list {
		b.add(i)
	}
}

func (b bitset) without(other bitset) {
	for w := range b {
		b[w] &^= other[w]
	}
}

// each visits the members in order.
func (b bitset) each(visit func(i int)) {
	for w, word := range b {
		for ; word != 0; word &= word - 1 {
			visit(w<<6 + bits.TrailingZeros64(word))
		}
	}
}

// evidence is what one exchange says of the claims. About those in neither set it is silent.
type evidence struct {
	kept     bitset // claims that the exchange bears on and does not break
	broken   bitset
	enforced int // the one claim that the request broke, and was refused for; noClaim for none
}

func (c *Contract) newEvidence() *evidence {
	return &evidence{kept: newBitset(len(c.claims)), broken: newBitset(len(c.claims)), enforced: noClaim}
}

func (e *evidence) reset() {
	clear(e.kept)
	clear(e.broken)
	e.enforced = noClaim
}
