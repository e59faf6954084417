// Package importer creates the faults of a CSV or NDJSON file, each once: it reads and checks the rows, keeps a journal of
// what was sent, and sends what is due.
package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	faults "github.com/fleetcontract/fleetio-go/fleetio"
)

// maxRejects is how many rows may be wrong before the file is taken for the wrong one.
const maxRejects = 10000

// ErrInterrupted is why an import ends early whose context has ended.
var ErrInterrupted = errors.New("interrupted")

// Options says what to import, and how.
type Options struct {
	File           string        // the name of the file, for the report and messages
	Input          io.ReadSeeker // its rows
	Mapping        Mapping
	Journal        string                // the journal's file; "" for none, with DryRun only
	URL            string                // of the server
	AccountToken   string                // of the account; "" where it is not known, with DryRun only
	Client         *faults.Client        // nil with DryRun
	Concurrency    int                   // how many rows may be on their way at once
	DryRun         bool                  // check, and send nothing
	RetryAmbiguous bool                  // send ambiguous rows again
	Warn           func(string)          // is told what the journal lacks
	Start          func(*Report)         // is called when the file is checked, before the first row is sent
	Progress       func(done, total int) // is called after each row
}

// importing is one run of an import.
type importing struct {
	Options

	history *history
	report  Report
}

// Run checks the file, sends what is due, and returns what became of it. The error is why it did not come to the end; the
// report is nil where nothing was sent because of it.
func Run(ctx context.Context, o Options) (*Report, error) {
	i := &importing{Options: o, report: Report{File: o.File, DryRun: o.DryRun}}
	if o.DryRun {
		var err error
		if i.history, err = peekJournal(o.Journal, o.URL, o.AccountToken); err != nil {
			return nil, err
		}
		i.warn()
		if err := i.plan(ctx); err != nil {
			return nil, err
		}
		return &i.report, nil
	}
	j, err := openJournal(o.Journal, o.URL, o.AccountToken)
	if err != nil {
		return nil, err
	}
	return i.send(ctx, j)
}

// warn tells what the journal lacks that an earlier version wrote.
func (i *importing) warn() {
	h := i.history
	if h.isForeign() {
		i.Warn(i.Journal + " does not say which account it is of, as an earlier version made it: its rows are taken for sent to this one")
	}
	if len(h.torn) > 0 {
		i.Warn(fmt.Sprintf("%s:%d: half an event (%d in all), as a full disk left it: rows that the journal has after it are ambiguous",
			i.Journal, h.torn[0], len(h.torn)))
	}
}

// send is the run that is not dry.
func (i *importing) send(ctx context.Context, j *journal) (*Report, error) {
	i.history = j.history
	i.warn()
	if err := i.plan(ctx); err != nil {
		return nil, errors.Join(err, j.close())
	}
	i.Start(&i.report)
	s := &sender{importing: i, journal: j}
	stopped := s.send(ctx)
	if stopped == nil && i.report.ToSend != 0 {
		stopped = fmt.Errorf("%s was changed while it was read: run the import again", i.File)
	}
	stopped = errors.Join(stopped, j.close())
	if stopped != nil {
		i.report.Stopped = stopped.Error()
	}
	return &i.report, stopped
}

// rows reads the file from its beginning.
func (i *importing) rows() iter.Seq2[row, error] {
	if _, err := i.Input.Seek(0, io.SeekStart); err != nil {
		return func(yield func(row, error) bool) { yield(row{}, err) }
	}
	return readRows(i.Input, i.Mapping)
}

// plan checks the file and counts what is to be done.
func (i *importing) plan(ctx context.Context) error {
	settled := 0
	for r, err := range i.rows() {
		if err != nil {
			return fmt.Errorf("%s: %w: nothing was sent", i.File, err)
		}
		if ctx.Err() != nil {
			return ErrInterrupted
		}
		i.report.Rows++
		send, err := i.isDue(&r)
		if err != nil {
			return err
		}
		was := i.history.rows[r.number]
		if was.settled() {
			settled++
		}
		switch {
		case send:
			i.report.ToSend++
		case r.err != nil:
			i.report.Rejected = append(i.report.Rejected, note(&r, r.err.Error()))
		case was.last == OutcomeCreated:
			i.report.Skipped++
		default:
			i.report.Ambiguous = append(i.report.Ambiguous, note(&r, "an earlier run sent it and does not know what became of it"))
		}
		if len(i.report.Rejected) > maxRejects {
			return fmt.Errorf("%s: more than %d rows are wrong, on line %d this: %w", i.File, maxRejects, r.line, r.err)
		}
	}
	for _, was := range i.history.rows {
		if was.settled() {
			settled--
		}
	}
	switch {
	case settled != 0:
		return fmt.Errorf("%s has rows that are not in %s any more: it is the journal of another file, or rows were removed",
			i.Journal, i.File)
	case i.report.Rows == 0:
		return fmt.Errorf("%s: there is no row to import", i.File)
	}
	return nil
}

// isDue reports whether a row is to be sent. A row that was sent must be the same as it was, so that the journal speaks of
// it.
func (i *importing) isDue(r *row) (bool, error) {
	was := i.history.rows[r.number]
	switch {
	case was.settled() && (r.err != nil || was.sum != r.sum && was.sum != [len(was.sum)]byte{}):
		return false, fmt.Errorf("%s: line %d is not what was sent as row %d by %s: nothing is sent until it is as it was, or another journal is named",
			i.File, r.line, r.number, i.Journal)
	case was.last == OutcomeCreated:
		return false, nil
	default:
		return r.err == nil && (i.RetryAmbiguous || !was.settled()), nil
	}
}
