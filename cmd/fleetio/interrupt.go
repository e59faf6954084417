package main

import (
	"context"
	"iter"
)

// interruptible does work that nothing can call off, until ctx ends. Then it leaves the work behind, as the process is
// about to end.
func interruptible[T any](ctx context.Context, work func() (T, error)) (T, error) {
	var none T
	if ctx.Err() != nil {
		return none, errInterrupted
	}
	type outcome struct {
		result T
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		result, err := work()
		done <- outcome{result, err}
	}()
	select {
	case <-ctx.Done():
		return none, errInterrupted
	case out := <-done:
		return out.result, out.err
	}
}

// until yields what seq yields, and errInterrupted once ctx ends, even where seq waits for a read that blocks: that read
// is left behind, and seq with it.
func until[T any](ctx context.Context, seq iter.Seq2[T, error]) iter.Seq2[T, error] {
	type pair struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		reading, stop := context.WithCancel(ctx)
		defer stop()
		pairs := make(chan pair)
		go func() {
			defer close(pairs)
			for value, err := range seq {
				select {
				case pairs <- pair{value, err}:
				case <-reading.Done():
					return
				}
			}
		}()
		for {
			select {
			case <-ctx.Done():
			case next, more := <-pairs:
				if more {
					if !yield(next.value, next.err) {
						return
					}
					continue
				}
			}
			if ctx.Err() != nil { // pairs is closed then, too, which must not pass for the end of the traffic
				var none T
				yield(none, errInterrupted)
			}
			return
		}
	}
}
