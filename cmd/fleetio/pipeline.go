package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"iter"
	"runtime"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// result is a batch of edited exchanges as NDJSON.
type result struct {
	text []byte
	err  error
}

// The limits of a batch: to hand over each exchange alone would cost as much as to edit it. A run has two batches for each
// processor in memory.
const (
	maxBatch      = 32
	maxBatchBytes = 1 << 20 // in the recording
)

// writeEdited edits exchanges on all processors, and writes them as NDJSON in their order. It skips those that are not
// chosen, and puts those that are written into the pool. It stops at the first error.
func writeEdited(w io.Writer, pool *traffic.Pool, exchanges iter.Seq2[*traffic.Exchange, error], choose func(*traffic.Exchange) bool,
	edit func(*traffic.Exchange) (*traffic.Exchange, error)) error {
	ordered := make(chan chan result, runtime.GOMAXPROCS(0)) // one for each batch
	var failed error
	stopped := make(chan struct{}) // closed if failed
	var done sync.WaitGroup
	done.Go(func() {
		for batch := range ordered {
			r := <-batch
			if failed != nil {
				continue
			}
			if failed = r.err; failed == nil {
				_, failed = w.Write(r.text)
			}
			if failed != nil {
				close(stopped)
			}
		}
	})
	var next []*traffic.Exchange
	var size int64
	send := func() bool {
		batch, exchanges := make(chan result, 1), next
		next, size = nil, 0
		select {
		case <-stopped:
			return false
		case ordered <- batch:
			go func() { batch <- encode(exchanges, pool, edit) }()
			return true
		}
	}
	var readErr error
	for ex, err := range exchanges {
		if readErr = err; err != nil {
			break
		}
		if choose(ex) {
			next, size = append(next, ex), size+ex.Size
		}
		if (len(next) == maxBatch || size >= maxBatchBytes) && !send() {
			break
		}
	}
	send()
	close(ordered)
	done.Wait()
	return cmp.Or(failed, readErr)
}

// encode returns edited exchanges as NDJSON.
func encode(exchanges []*traffic.Exchange, pool *traffic.Pool, edit func(*traffic.Exchange) (*traffic.Exchange, error)) result {
	var lines bytes.Buffer
	var size int64
	for _, ex := range exchanges {
		size += ex.Size
	}
	lines.Grow(int(size)) // lines are about as long as what was read
	for _, ex := range exchanges {
		edited, err := edit(ex)
		if err != nil {
			return result{err: err}
		}
		if err := traffic.WriteNDJSON(&lines, edited); err != nil {
			return result{err: fmt.Errorf("%s cannot be written: %w", ex.Source, err)}
		}
		pool.Put(ex)
	}
	return result{text: lines.Bytes()}
}
