package main

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"runtime"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// batch is a batch of exchanges for a worker: to hand over each alone would cost as much as to edit it.
type batch struct {
	exchanges []*traffic.Exchange
	bytes     int64       // in the recording
	lines     chan result // has one
}

type result struct {
	text []byte
	err  error
}

// The limits of a batch. A run has three batches for each worker in memory.
const (
	maxBatch      = 32
	maxBatchBytes = 1 << 20
)

// writeEdited edits exchanges on all processors, and writes them as NDJSON in their order. It skips those that are not
// chosen. Its first error is that of an exchange, the second that of w.
func writeEdited(w io.Writer, exchanges iter.Seq2[*traffic.Exchange, error], choose func(*traffic.Exchange) bool,
	edit func(*traffic.Exchange) (*traffic.Exchange, error)) (failed, writeErr error) {
	workers := runtime.GOMAXPROCS(0)
	batches, ordered := make(chan *batch, workers), make(chan *batch, workers)
	broken := make(chan struct{}) // closed after an error in writing
	var done sync.WaitGroup
	for range workers {
		done.Go(func() {
			for b := range batches {
				b.lines <- encode(b.exchanges, edit)
			}
		})
	}
	done.Go(func() {
		for b := range ordered {
			r := <-b.lines
			if failed != nil || writeErr != nil {
				continue
			}
			if failed = r.err; failed == nil {
				_, writeErr = w.Write(r.text)
			}
			if failed != nil || writeErr != nil {
				close(broken)
			}
		}
	})
	next := &batch{lines: make(chan result, 1)}
	send := func() bool {
		select {
		case <-broken:
			return false
		case ordered <- next:
			batches <- next
			next = &batch{lines: make(chan result, 1)}
			return true
		}
	}
	var readErr error
	for ex, err := range exchanges {
		if readErr = err; err != nil {
			break
		}
		if choose(ex) {
			next.exchanges, next.bytes = append(next.exchanges, ex), next.bytes+ex.Size
		}
		if (len(next.exchanges) == maxBatch || next.bytes >= maxBatchBytes) && !send() {
			break
		}
	}
	send()
	close(ordered)
	close(batches)
	done.Wait()
	if failed == nil {
		failed = readErr
	}
	return failed, writeErr
}

// encode returns edited exchanges as NDJSON.
func encode(exchanges []*traffic.Exchange, edit func(*traffic.Exchange) (*traffic.Exchange, error)) result {
	var lines bytes.Buffer
	for _, ex := range exchanges {
		source := ex.Source
		ex, err := edit(ex)
		if err != nil {
			return result{err: err}
		}
		if err := traffic.WriteNDJSON(&lines, ex); err != nil {
			return result{err: fmt.Errorf("%s cannot be written: %w", source, err)}
		}
	}
	return result{text: lines.Bytes()}
}
