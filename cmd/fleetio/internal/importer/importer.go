// Package importer creates the faults of a CSV or NDJSON file, each once. It checks the whole file, keeps a journal
// of the rows that it sends, and sends those that the journal does not have as sent.
package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

const (
	// MaxFailures is how many consecutive rows may fail before the rest is left alone: a server that fails would make each
	// row ambiguous, and people would have to look each up.
	MaxFailures = 10
	// maxRejected is how many rows may be invalid before the file is taken for the wrong one.
	maxRejected = 10000
)

// ErrInterrupted is the error of [Run] when its context ends.
var ErrInterrupted = errors.New("interrupted")

// Options says what to import, and how. The functions must not be nil.
type Options struct {
	File           string          // the name of the file, for the report and messages
	Input          io.ReadSeeker   // the content of the file
	Mapping        Mapping         // of its columns to fields
	Journal        string          // the name of the journal; "" for none, in a dry run
	URL            string          // of the server, for the journal
	AccountToken   string          // of the account, for the journal; "" if it is unknown, in a dry run
	Client         *fleetio.Client // nil for a dry run, which sends nothing
	Concurrency    int             // maximum number of rows in flight
	RetryAmbiguous bool            // send ambiguous rows again, and those that were not found
	RetryNotFound  bool            // send rows that were not found again

	Start    func(*Report)               // is called after the file is checked, before the first row is sent
	Progress func(completed, toSend int) // is called after each row
}

// run is one run of an import. It is used by one goroutine.
type run struct {
	Options

	report   Report
	history  *history
	open     []row    // rows of earlier runs to look up
	journal  *journal // nil in a dry run
	inFlight []row    // the rows that the client has, in order
	failures int      // consecutive ones
	stop     error    // why no more rows are sent
}

// Run imports a file and returns what became of its rows. An error says why it stopped before the end; the report is
// nil if that was before the first row was sent.
func Run(ctx context.Context, o Options) (*Report, error) {
	r := &run{Options: o, report: Report{File: o.File, DryRun: o.Client == nil}}
	if o.Client != nil {
		j, err := openJournal(o.Journal, o.URL, o.AccountToken)
		if err != nil {
			return nil, err
		}
		return r.send(ctx, j)
	}
	var err error
	if r.history, err = peekJournal(o.Journal, o.URL, o.AccountToken); err != nil {
		return nil, err
	}
	if err := r.plan(ctx); err != nil {
		return nil, err
	}
	return &r.report, nil
}

// rows reads the file from its beginning.
func (r *run) rows() iter.Seq2[row, error] {
	if _, err := r.Input.Seek(0, io.SeekStart); err != nil {
		return func(yield func(row, error) bool) { yield(row{}, err) }
	}
	return readRows(r.Input, r.File, r.Mapping)
}

// plan checks the file and counts the rows to send.
func (r *run) plan(ctx context.Context) error {
	missing := 0 // rows that were sent and are not in the file
	for _, was := range r.history.rows {
		if was.mayExist() {
			missing++
		}
	}
	for next, err := range r.rows() {
		if err != nil {
			return fmt.Errorf("%w; nothing was sent", err)
		}
		if ctx.Err() != nil {
			return ErrInterrupted
		}
		r.report.Rows++
		send, err := r.isDue(&next)
		if err != nil {
			return err
		}
		was := r.history.rows[next.number]
		if was.mayExist() {
			missing--
		}
		if send {
			r.report.ToSend++
		}
		switch {
		case r.Client != nil && was.isOpen() && !was.sent.IsZero() && r.identify(&next):
			r.open = append(r.open, next) // settle reports it
		case send:
		case next.err != nil:
			r.report.Rejected = append(r.report.Rejected, next.note(next.err.Error()))
		case was.last == OutcomeCreated:
			r.report.Skipped++
		default:
			r.unsettled(&next, "sent by an earlier run, and the outcome is unknown")
		}
		if len(r.report.Rejected) > maxRejected {
			return fmt.Errorf("%s:%d: %w; gave up after %d invalid rows, and nothing was sent",
				r.File, next.line, next.err, maxRejected)
		}
	}
	switch {
	case missing != 0:
		return fmt.Errorf("%s has %d rows that are not in %s; restore them, or use another --journal. Nothing was sent",
			r.Journal, missing, r.File)
	case r.report.Rows == 0:
		return fmt.Errorf("%s: no row to import", r.File)
	}
	return nil
}

// isDue reports whether to send a row. A row that was sent must not have changed, as the journal would be about
// another.
func (r *run) isDue(next *row) (bool, error) {
	was := r.history.rows[next.number]
	switch {
	case was.mayExist() && (next.err != nil || was.sum != next.sum && was.sum != ""):
		return false, fmt.Errorf("%s:%d: differs from row %d in %s; restore it or use another --journal. Nothing was sent",
			r.File, next.line, next.number, r.Journal)
	case was.last == OutcomeCreated:
		return false, nil
	default:
		again := r.RetryAmbiguous || r.RetryNotFound && was.last == OutcomeNotFound || !was.mayExist()
		return next.err == nil && again, nil
	}
}

// send checks the file and sends the rows that are due. It waits for those that are in flight when it has to stop.
func (r *run) send(ctx context.Context, j *journal) (*Report, error) {
	r.journal, r.history = j, j.history
	if err := r.plan(ctx); err != nil {
		return nil, errors.Join(err, j.close())
	}
	r.Start(&r.report)
	r.settle(ctx)
	total := r.report.ToSend
	for result, err := range r.Client.CreateFaults(ctx, r.due(ctx), fleetio.WithConcurrency(r.Concurrency)) {
		sent := r.inFlight[0]
		r.inFlight = r.inFlight[1:]
		r.complete(&sent, result, err)
		r.Progress(total-r.report.ToSend, total)
	}
	switch {
	case r.stop != nil:
	case ctx.Err() != nil:
		r.stop = ErrInterrupted
	case r.report.ToSend != 0:
		r.stop = fmt.Errorf("%s was changed while it was read; run the import again", r.File)
	}
	err := errors.Join(r.stop, j.close())
	if err != nil {
		r.report.Stopped = err.Error()
	}
	return &r.report, err
}

// due yields the faults to send, each after the journal has it.
func (r *run) due(ctx context.Context) iter.Seq[fleetio.FaultCreate] {
	return func(yield func(fleetio.FaultCreate) bool) {
		for next, err := range r.rows() {
			if ctx.Err() != nil || r.stop != nil {
				return
			}
			send := false
			if err == nil {
				send, err = r.isDue(&next)
			}
			if send {
				if !r.identify(&next) {
					next.give(fleetio.NewExternalID())
				}
				err = r.journal.sending(&next)
			}
			if err != nil {
				r.stop = err
				return
			}
			if !send {
				continue
			}
			r.inFlight = append(r.inFlight, next)
			if !yield(next.fault) {
				return
			}
		}
	}
}

// complete records the outcome of a row.
func (r *run) complete(sent *row, result fleetio.Result, err error) {
	outcome, id, message := OutcomeOf(err), int64(0), ""
	if err != nil {
		message = Message(err)
	}
	if e, ok := errors.AsType[*fleetio.Error](err); ok && e.Fault != nil {
		id = e.Fault.ID
	} else if result.Fault != nil {
		id = result.Fault.ID
	}
	journaled := message
	if result.LookedUp {
		journaled = foundByLookUp
	}
	if err := r.journal.outcome(sent, outcome, id, journaled); err != nil {
		r.stop = cmp.Or(r.stop, err)
		message = cmp.Or(message, fmt.Sprintf("id %d", id)) +
			"; the journal does not have this, and the next run lists the row as ambiguous"
	}
	r.report.ToSend--
	r.failures++
	list := &r.report.NotCreated
	switch outcome {
	case OutcomeCreated:
		r.report.Created++
		r.failures = 0
		list = &r.report.Warnings
	case OutcomeRejected:
		r.failures = 0
		list = &r.report.Rejected
	case OutcomeAmbiguous:
		list = &r.report.Ambiguous
	case OutcomeNotFound:
		list = &r.report.NotFound
	}
	if message != "" {
		*list = append(*list, sent.note(message))
	}
	if reason := r.hopeless(err); r.stop == nil && reason != "" {
		r.stop = fmt.Errorf("%s:%d: %s: %s", r.File, sent.line, reason, Message(err))
	}
}

// hopeless says why no further row can succeed after this error; "" if one may.
func (r *run) hopeless(err error) string {
	_, limited := errors.AsType[*fleetio.RateLimitError](err)
	switch {
	case errors.Is(err, fleetio.ErrUnauthorized), errors.Is(err, fleetio.ErrForbidden):
		return "the server refuses these credentials"
	case limited && !errors.Is(err, context.Canceled):
		return "gave up waiting"
	case r.failures >= MaxFailures:
		return fmt.Sprintf("gave up after %d consecutive failures", r.failures)
	default:
		return ""
	}
}
