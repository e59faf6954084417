package importer

import (
	"errors"
	"strings"

	faults "github.com/fleetcontract/fleetio-go/fleetio"
)

// What became of a fault, in the words of the journal.
const (
	OutcomeCreated    = "created"
	OutcomeRejected   = "rejected" // the fault is at fault
	OutcomeNotCreated = "not created"
	OutcomeAmbiguous  = "ambiguous"
)

// OutcomeOf tells what became of a fault by the error of the client.
func OutcomeOf(err error) string {
	var e *faults.Error
	answered := errors.As(err, &e)
	switch {
	case err == nil || answered && e.Created:
		return OutcomeCreated
	case errors.Is(err, faults.ErrInvalid):
		return OutcomeRejected
	case answered && e.Ambiguous():
		return OutcomeAmbiguous
	default:
		return OutcomeNotCreated
	}
}

// Plain is the text of an error of the client without the name that the command's messages begin with, too.
func Plain(err error) string {
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "fleetio: "), "create fault: ")
}
