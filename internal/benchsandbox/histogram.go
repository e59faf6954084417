package main

import (
	"math/bits"
	"time"
)

// histogram counts times in buckets that are at most a 32nd of their time wide. It takes up to two minutes; what is
// longer counts as that.
type histogram [(maxShift + 2) * subBuckets]uint32

const (
	subBuckets = 32
	maxShift   = 31 // of the longest time, 2^37 ns
)

func (h *histogram) add(d time.Duration) { h[bucket(d)]++ }

func (h *histogram) merge(other *histogram) {
	for i, n := range other {
		h[i] += n
	}
}

// quantile returns the time that a share q of all did not exceed, rounded up to its bucket's end; 0 where there is none.
func (h *histogram) quantile(q float64) time.Duration {
	var total uint64
	for _, n := range h {
		total += uint64(n)
	}
	var seen uint64
	for i, n := range h {
		if seen += uint64(n); n > 0 && float64(seen) >= q*float64(total) {
			return bucketEnd(i)
		}
	}
	return 0
}

// bucket finds the place of a time: times below 32 ns have one each, and each doubling after that has 32.
func bucket(d time.Duration) int {
	ns := uint64(max(d, 0))
	if ns < subBuckets {
		return int(ns)
	}
	shift := bits.Len64(ns) - bits.Len64(subBuckets)
	if shift > maxShift {
		return len(histogram{}) - 1
	}
	return shift*subBuckets + int(ns>>shift) //nolint:gosec // less than 64
}

// bucketEnd is the longest time that falls into a bucket.
func bucketEnd(i int) time.Duration {
	if i < 2*subBuckets {
		return time.Duration(i)
	}
	shift := i/subBuckets - 1
	return time.Duration(i%subBuckets+subBuckets+1)<<shift - 1
}
