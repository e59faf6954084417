package conformance

import (
	"cmp"
	"fmt"
	"iter"
	"runtime"
	"slices"
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

// Verify judges recordings and returns what they show, which does not depend on how many workers there are. What
// cannot be read is an error, the first in the order of the traffic, and there is no report then.
func (c *Contract) Verify(batches iter.Seq2[*traffic.Batch, error], o Options) (*Report, error) {
	if o.Shards < 0 || o.Shard < min(1, o.Shards) || o.Shard > o.Shards {
		return nil, fmt.Errorf("there is no shard %d of %d: shards count from 1", o.Shard, o.Shards)
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	next, stop := iter.Pull2(batches)
	defer stop()
	r := &run{contract: c, options: o, next: next}
	var done sync.WaitGroup
	for range workers {
		done.Go(r.work)
	}
	done.Wait()
	if len(r.failures) > 0 {
		first := slices.MinFunc(r.failures, func(a, b failure) int { return cmp.Compare(a.index, b.index) })
		return nil, first.err
	}
	if r.unread != nil {
		return nil, r.unread
	}
	report := merge(r.reports)
	if o.Shards > 1 {
		report.Shards = &Shards{Of: o.Shards, Parts: []int{o.Shard}}
	}
	return report, nil
}

// run is the work of Verify. Each worker fetches its batches itself: what it reads is in the cache of its core then.
type run struct {
	contract *Contract
	options  Options

	reading sync.Mutex
	next    func() (*traffic.Batch, error, bool)
	unread  error // of what stands behind all that was read
	ended   bool

	mu       sync.Mutex
	reports  []*Report
	failures []failure
	progress Progress
}

// fetch returns the next batch, or nil at the end.
func (r *run) fetch() *traffic.Batch {
	r.reading.Lock()
	defer r.reading.Unlock()
	if r.ended {
		return nil
	}
	batch, err, more := r.next()
	r.ended = !more || err != nil
	if err != nil {
		r.unread = err
		return nil
	}
	return batch
}

// failure is a record that cannot be decoded.
type failure struct {
	index int64
	err   error
}

func (r *run) work() {
	l := r.contract.NewLedger()
	for batch := r.fetch(); batch != nil; batch = r.fetch() {
		r.batch(l, batch)
	}
	report := l.Report()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reports = append(r.reports, report)
}

func (r *run) batch(l *Ledger, batch *traffic.Batch) {
	defer batch.Release()
	exchanges, findings := 0, l.found()
	records := batch.Records()
	for i := range records {
		if !dealt(records[i].Index, r.options) {
			continue
		}
		exchanges++
		if err := l.record(&records[i]); err != nil {
			l.alike = l.alike[:0] // there will be no report
			r.fail(failure{records[i].Index, err})
			return
		}
	}
	l.settle()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Bytes += batch.Bytes()
	r.progress.Exchanges += exchanges
	r.progress.Findings += l.found() - findings
	if r.options.Progress != nil {
		r.options.Progress(r.progress)
	}
}

// fail ends the reading. What other workers are at may fail before it in the order of the traffic.
func (r *run) fail(f failure) {
	r.mu.Lock()
	r.failures = append(r.failures, f)
	r.mu.Unlock()
	r.reading.Lock()
	r.ended = true
	r.reading.Unlock()
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
