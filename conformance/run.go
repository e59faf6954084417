package conformance

import (
	"fmt"
	"iter"
	"runtime"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Options are how [Contract.Verify] runs.
type Options struct {
	// Shard of Shards limits the run to the exchanges that a stable hash of their position deals to it, 1 to Shards. By
	// default, 0 of 0, all of them.
	Shard, Shards int
	// Workers is on how many goroutines exchanges are judged. By default, 0, as many as there are processors.
	Workers int
	// Progress is called now and then, by one goroutine at a time. By default, nil, nobody is told.
	Progress func(Progress)
}

// Progress is how far a run has come.
type Progress struct {
	Bytes     int64 // of the recordings, whatever shard they are for
	Exchanges int   // of the shard, judged or not
	Findings  int   // deviations, drift and notes
}

// Verify judges exchanges, such as [traffic.Read] yields, and returns what they show, which does not depend on how many
// workers there are. An error in the sequence ends it; Verify returns that error, and no report.
func (c *Contract) Verify(exchanges iter.Seq2[*traffic.Exchange, error], o Options) (*Report, error) {
	if o.Shards < 0 || o.Shard < min(1, o.Shards) || o.Shard > o.Shards {
		return nil, fmt.Errorf("there is no shard %d of %d: shards count from 1", o.Shard, o.Shards)
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	r := &verification{contract: c, options: o, batches: make(chan batch)}
	var done sync.WaitGroup
	for range workers {
		done.Go(r.work)
	}
	err := r.deal(exchanges)
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

// batch is a run of exchanges that are handed to a worker together, since handing over one costs as much as judging it.
type batch struct {
	exchanges []indexed
	bytes     int64 // of the recordings, whatever shard they are for
}

// indexed is an exchange with its position in the traffic.
type indexed struct {
	*traffic.Exchange

	index int64
}

// A batch is full with so many exchanges, or with bodies of so many bytes. The batches of all workers together are what a
// run holds in memory.
const (
	maxBatch      = 32
	maxBatchBytes = 1 << 20
)

// verification is the work of Verify.
type verification struct {
	contract *Contract
	options  Options
	batches  chan batch

	mu       sync.Mutex
	reports  []*Report
	progress Progress
}

// deal hands the exchanges of the shard to the workers.
func (r *verification) deal(exchanges iter.Seq2[*traffic.Exchange, error]) error {
	var next batch
	index, size := int64(0), 0
	for ex, err := range exchanges {
		if err != nil {
			return err
		}
		next.bytes += ex.Size
		if dealt(index, r.options) {
			next.exchanges = append(next.exchanges, indexed{ex, index})
			size += len(ex.Request.Body) + len(ex.Response.Body)
		}
		index++
		if len(next.exchanges) == maxBatch || size >= maxBatchBytes || next.bytes >= maxBatchBytes {
			r.batches <- next
			next, size = batch{exchanges: make([]indexed, 0, maxBatch)}, 0
		}
	}
	r.batches <- next
	return nil
}

func (r *verification) work() {
	l := r.contract.NewLedger()
	for b := range r.batches {
		findings := l.findings()
		for _, ex := range b.exchanges {
			_, _ = l.addAt(ex.Exchange, ex.index) // what it was not about is counted
		}
		r.report(Progress{b.bytes, len(b.exchanges), l.findings() - findings})
	}
	report := l.Report()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reports = append(r.reports, report)
}

// report adds what was done to the progress.
func (r *verification) report(done Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Bytes += done.Bytes
	r.progress.Exchanges += done.Exchanges
	r.progress.Findings += done.Findings
	if r.options.Progress != nil {
		r.options.Progress(r.progress)
	}
}

// dealt reports whether an exchange is for the shard. The hash is the finalizer of SplitMix64, so that no pattern in
// the traffic meets the pattern of the shards.
func dealt(index int64, o Options) bool {
	if o.Shards <= 1 {
		return true
	}
	x := uint64(index) + 0x9e3779b97f4a7c15 //nolint:gosec // a position is not negative
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	return x%uint64(o.Shards) == uint64(o.Shard-1) //nolint:gosec // both are positive
}
