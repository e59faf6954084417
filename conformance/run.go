package conformance

import (
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance/internal/credentials"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Options are the options of [Contract.Verify].
type Options struct {
	// Shard of Shards, from 1, limits the run to one part of the exchanges, by a stable hash of their position (default
	// 0 of 0: all exchanges).
	Shard, Shards int
	// Workers is the number of goroutines that check exchanges (default 0: GOMAXPROCS).
	Workers int
	// Warn is called with each warning about the traffic, by one goroutine at a time (default nil): a [*traffic.EntryError] for
	// an exchange that may be for an operation and cannot be read, and a [*MissingCredentialsError] for a recording.
	Warn func(error)
	// Deviating is called with each exchange that has findings, drift and notes included, by several goroutines at once
	// (default nil).
	Deviating func(*traffic.Exchange, []Finding)
	// Progress is called after each batch of exchanges, by one goroutine at a time (default nil).
	Progress func(Progress)
	// Release is called with each exchange after its check, by several goroutines at once (default nil). With
	// [traffic.Pool.Put], for exchanges of [traffic.Pool.Read], a run takes about two thirds of the time.
	Release func(*traffic.Exchange)
}

// Progress is the progress of a run.
type Progress struct {
	Bytes     int64 // read from the recordings, for all shards
	Exchanges int   // of the shard, checked or not
	Findings  int   // with drift and notes
}

// Verify checks exchanges, such as those of [traffic.Read], on all processors and returns the report, which does not
// depend on the number of workers. It counts each [*traffic.EntryError] in the sequence, stops at the first other error and
// returns that error.
//
// If no exchange of a recording has a credential, see [traffic.Exchange.Source], those without it are no findings: other than
// [Contract.Check], Verify knows that the recording has none.
func (c *Contract) Verify(exchanges iter.Seq2[*traffic.Exchange, error], o Options) (*Report, error) {
	if o.Shards < 0 || o.Shard < min(1, o.Shards) || o.Shard > o.Shards {
		return nil, fmt.Errorf("there is no shard %d of %d: shards count from 1", o.Shard, o.Shards)
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if o.Warn == nil {
		o.Warn = func(error) {}
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.Release == nil {
		o.Release = func(*traffic.Exchange) {}
	}
	r := &run{contract: c, options: o, batches: make(chan batch)}
	var done sync.WaitGroup
	for range workers {
		done.Go(r.work)
	}
	err := r.distribute(exchanges)
	close(r.batches)
	done.Wait()
	if err != nil {
		return nil, err
	}
	report := merge(r.reports)
	if o.Shards > 1 {
		report.Shards = &Shards{Of: o.Shards, Parts: []int{o.Shard}}
	}
	return report, nil
}

// batch is a batch of exchanges for a worker: to hand over each alone would cost as much as to check it.
type batch struct {
	exchanges []indexed
	bytes     int64 // read from the recordings, for all shards
}

// indexed is an exchange with its position in the traffic.
type indexed struct {
	*traffic.Exchange
	target

	index     int64
	recording *credentials.Recording // nil if it is of none
}

// The limits of a batch. A run has one batch for each worker, and one more, in memory.
const (
	maxBatch      = 128
	maxBatchBytes = 1 << 20
)

// run is the state of [Contract.Verify].
type run struct {
	contract *Contract
	options  Options
	batches  chan batch

	mu       sync.Mutex
	reports  []*Report
	progress Progress
}

// distribute sends the exchanges of the shard to the workers.
func (r *run) distribute(exchanges iter.Seq2[*traffic.Exchange, error]) error {
	var next batch
	index, size := int64(0), 0
	var file string
	var recording *credentials.Recording
	unreadable := r.contract.NewLedger()
	for ex, err := range exchanges {
		if entry, ok := errors.AsType[*traffic.EntryError](err); ok {
			next.bytes += entry.Size
			if inShard(index, r.options) && unreadable.addUnreadable(entry) {
				r.options.Warn(entry)
			}
			index++
			continue
		}
		if err != nil {
			return err
		}
		next.bytes += ex.Size
		if at := strings.LastIndexByte(ex.Source, '#'); at < 0 {
			r.endRecording(file, recording)
			file, recording = "", nil
		} else if recording == nil || ex.Source[:at] != file {
			r.endRecording(file, recording)
			file, recording = ex.Source[:at], &credentials.Recording{}
		}
		of := r.contract.target(ex.Method, ex.URL)
		if recording != nil && ex.Answered() && of.err == nil {
			recording.Add(of.op.security, ex)
		}
		if inShard(index, r.options) {
			next.exchanges = append(next.exchanges, indexed{ex, of, index, recording})
			size += len(ex.Request.Body) + len(ex.Response.Body)
		} else {
			r.options.Release(ex)
		}
		index++
		if len(next.exchanges) == maxBatch || size >= maxBatchBytes || next.bytes >= maxBatchBytes {
			r.batches <- next
			next, size = batch{exchanges: make([]indexed, 0, maxBatch)}, 0
		}
	}
	r.endRecording(file, recording)
	r.batches <- next
	r.addReport(unreadable.Report())
	return nil
}

// endRecording warns about a recording without credentials.
func (r *run) endRecording(file string, recording *credentials.Recording) {
	if recording == nil {
		return
	}
	if names := recording.Missing(); len(names) > 0 {
		r.options.Warn(&MissingCredentialsError{file, names})
	}
}

func (r *run) work() {
	l := r.contract.NewLedger()
	for b := range r.batches {
		findings := l.findings()
		for _, ex := range b.exchanges {
			if list, _ := l.addAt(ex); len(list) > 0 && r.options.Deviating != nil { // the ledger counts errors
				r.options.Deviating(ex.Exchange, list)
			}
			r.options.Release(ex.Exchange)
		}
		r.report(Progress{b.bytes, len(b.exchanges), l.findings() - findings})
	}
	r.addReport(l.Report())
}

func (r *run) addReport(report *Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reports = append(r.reports, report)
}

// report adds to the progress and reports it.
func (r *run) report(done Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Bytes += done.Bytes
	r.progress.Exchanges += done.Exchanges
	r.progress.Findings += done.Findings
	r.options.Progress(r.progress)
}

// inShard reports whether an exchange belongs to the shard. The hash is the finalizer of SplitMix64: a pattern in the
// traffic, such as every second exchange, must not select one shard.
func inShard(index int64, o Options) bool {
	if o.Shards <= 1 {
		return true
	}
	x := uint64(index) + 0x9e3779b97f4a7c15 //nolint:gosec // a position is not negative
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	return x%uint64(o.Shards) == uint64(o.Shard-1) //nolint:gosec // both are positive
}
