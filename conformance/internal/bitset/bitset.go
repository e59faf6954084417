// Package bitset has sets of small integers, such as the indexes of claims.
package bitset

import (
	"iter"
	"math/bits"
	"slices"
)

// Set is a set of integers from 0 on.
type Set []uint64

// New returns an empty set for integers below n.
func New(n int) Set { return make(Set, (n+63)/64) }

// Add adds an integer. A negative one stands for none.
func (s Set) Add(i int) {
	if i >= 0 {
		s[i>>6] |= 1 << (i & 63)
	}
}

// Remove removes an integer. A negative one stands for none.
func (s Set) Remove(i int) {
	if i >= 0 {
		s[i>>6] &^= 1 << (i & 63)
	}
}

// Word is a part of a set, to add many integers at once.
type Word struct {
	at   int
	bits uint64
}

// Words returns the parts of a set with these integers.
func Words(list []int) []Word {
	var result []Word
	for _, i := range list {
		at := slices.IndexFunc(result, func(w Word) bool { return w.at == i>>6 })
		if at < 0 {
			at = len(result)
			result = append(result, Word{at: i >> 6})
		}
		result[at].bits |= 1 << (i & 63)
	}
	return result
}

// AddWords adds the integers of [Words].
func (s Set) AddWords(list []Word) {
	for _, w := range list {
		s[w.at] |= w.bits
	}
}

// Subtract removes the integers of another set for as many integers.
func (s Set) Subtract(other Set) {
	for w := range s {
		s[w] &^= other[w]
	}
}

// All iterates over the integers in order.
func (s Set) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for w, word := range s {
			for ; word != 0; word &= word - 1 {
				if !yield(w<<6 + bits.TrailingZeros64(word)) {
					return
				}
			}
		}
	}
}
