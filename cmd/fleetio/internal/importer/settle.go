package importer

import (
	"context"
	"errors"
	"fmt"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// foundByLookUp is the message of the journal about a fault whose create was ambiguous.
const foundByLookUp = "found by look-up"

// give sets the external_id of a fault whose row has none.
func (r *row) give(externalID string) {
	r.given = externalID
	r.fault.ExternalID = &r.given
}

// identify reports whether the fault of a row has an external_id, after it has taken one that an earlier run gave it.
func (r *run) identify(next *row) bool {
	own := next.fault.ExternalID
	if given := r.history.rows[next.number].given; (own == nil || *own == "") && given != "" {
		next.give(given)
		return true
	}
	return own != nil && *own != ""
}

// settle looks up the open rows of earlier runs. After a look-up that fails, no more are made: the rows remain open.
func (r *run) settle(ctx context.Context) {
	failed := ""
	for i := range r.open {
		next := &r.open[i]
		was := r.history.rows[next.number]
		message := failed
		if failed == "" && r.stop == nil {
			message, failed = r.lookUp(ctx, next, &was)
		}
		wasDue, _ := r.isDue(next) // plan has compared the row with the journal
		r.history.rows[next.number] = was
		isDue, _ := r.isDue(next)
		switch {
		case isDue && !wasDue:
			r.report.ToSend++
		case !isDue && wasDue:
			r.report.ToSend--
		}
		switch {
		case isDue: // it is sent
		case was.last == OutcomeCreated:
			r.report.Created++
		default:
			r.unsettled(next, message)
		}
	}
}

// lookUp looks up an open row, and records the outcome in the journal and in its entry. failed is why no other row can be
// looked up.
func (r *run) lookUp(ctx context.Context, next *row, was *entry) (message, failed string) {
	fault, err := r.Client.FindCreated(ctx, next.fault, was.sent)
	_, isMissing := errors.AsType[*fleetio.NotFoundError](err)
	_, isError := errors.AsType[*fleetio.Error](err)
	outcome, id := OutcomeNotFound, int64(0)
	switch {
	case isMissing:
		message = Message(err)
	case err != nil:
		message = "sent by an earlier run, and the outcome is unknown: " + Message(err)
		if isError {
			failed = message
		}
		return message, failed
	case r.history.ids[fault.ID] != 0:
		return fmt.Sprintf("sent by an earlier run, and the outcome is unknown: row %d has the fault %d, which matches",
			r.history.ids[fault.ID], fault.ID), ""
	default:
		outcome, id, message = OutcomeCreated, fault.ID, foundByLookUp
	}
	if err := r.journal.outcome(next, outcome, id, message); err != nil {
		r.stop = err
		return Message(err), ""
	}
	was.last = outcome
	if id != 0 {
		r.history.ids[id] = next.number
	}
	return message, ""
}

// unsettled reports an open row that is not sent again.
func (r *run) unsettled(next *row, message string) {
	list := &r.report.Ambiguous
	if r.history.rows[next.number].last == OutcomeNotFound {
		list = &r.report.NotFound
	}
	*list = append(*list, next.note(message))
}
