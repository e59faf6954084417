package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

	faults "github.com/fleetcontract/fleetio-go/fleetio"
)

// MaxFailures is how many rows in a row may come to nothing before the rest is left alone: a server that fails would make
// each row one that a person has to look up.
const MaxFailures = 10

// sender sends the rows of an import that are due. Everything in it happens in one goroutine.
type sender struct {
	*importing

	journal *journal
	onWay   []row // those that were handed to the client, in order
	inVain  int
	stop    error // why no more rows are sent
}

// send sends what is due, and returns why it stopped before the end; nil where it did not. Rows that are on their way
// are always waited for.
func (s *sender) send(ctx context.Context) error {
	total := s.report.ToSend
	for result, err := range s.Client.CreateFaults(ctx, s.due(ctx), faults.WithConcurrency(s.Concurrency)) {
		r := s.onWay[0]
		s.onWay = s.onWay[1:]
		s.settle(&r, result, err)
		s.Progress(total-s.report.ToSend, total)
	}
	if s.stop == nil && ctx.Err() != nil {
		return ErrInterrupted
	}
	return s.stop
}

// due yields the faults to send, each after the journal has it.
func (s *sender) due(ctx context.Context) iter.Seq[faults.FaultCreate] {
	return func(yield func(faults.FaultCreate) bool) {
		for r, err := range s.rows() {
			if ctx.Err() != nil || s.stop != nil {
				return
			}
			if err == nil {
				var send bool
				if send, err = s.isDue(&r); err == nil && !send {
					continue
				}
			}
			if err == nil {
				err = s.journal.sending(&r)
			}
			if err != nil {
				s.stop = err
				return
			}
			s.onWay = append(s.onWay, r)
			if !yield(r.fault) {
				return
			}
		}
	}
}

// settle notes what became of a row.
func (s *sender) settle(r *row, result faults.Result, err error) {
	what, id, message := OutcomeOf(err), int64(0), ""
	var e *faults.Error
	if result.Fault != nil {
		id = result.Fault.ID
	} else if errors.As(err, &e) && e.Fault != nil {
		id = e.Fault.ID
	}
	if err != nil {
		message = Plain(err)
	}
	if err := s.journal.outcome(r, what, id, message); err != nil {
		s.stop = cmp.Or(s.stop, err)
		message = cmp.Or(message, fmt.Sprintf("id %d", id)) + ": the journal does not have this, and to the next run the row is ambiguous"
	}
	s.report.ToSend--
	s.inVain++
	switch what {
	case OutcomeCreated:
		s.report.Created++
		s.inVain = 0
		if message != "" {
			s.report.Warnings = append(s.report.Warnings, note(r, message))
		}
	case OutcomeRejected:
		s.report.Rejected = append(s.report.Rejected, note(r, message))
		s.inVain = 0
	case OutcomeAmbiguous:
		s.report.Ambiguous = append(s.report.Ambiguous, note(r, message))
	default:
		s.report.NotCreated = append(s.report.NotCreated, note(r, message))
	}
	if s.stop == nil {
		s.stop = s.hopeless(r, err)
	}
}

// hopeless returns why no other row can do better; nil where one may.
func (s *sender) hopeless(r *row, err error) error {
	var limit *faults.RateLimitError
	switch {
	case errors.Is(err, faults.ErrUnauthorized), errors.Is(err, faults.ErrForbidden):
		return fmt.Errorf("line %d: the server refuses these credentials: %s", r.line, Plain(err))
	case errors.As(err, &limit) && !errors.Is(err, context.Canceled):
		return fmt.Errorf("line %d: %s", r.line, Plain(err))
	case s.inVain >= MaxFailures:
		return fmt.Errorf("%d rows in a row came to nothing, the last one on line %d: %s", s.inVain, r.line, Plain(err))
	default:
		return nil
	}
}
