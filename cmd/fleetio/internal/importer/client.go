package importer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// The outcomes of a create, as the journal names them.
const (
	OutcomeCreated    = "created"
	OutcomeRejected   = "rejected" // the fault is invalid
	OutcomeNotCreated = "not created"
	OutcomeAmbiguous  = "ambiguous"
	OutcomeNotFound   = "not found" // it was ambiguous, and two look-ups did not find it
)

// OutcomeOf returns the outcome of a create by the error of the client.
func OutcomeOf(err error) string {
	e, isError := errors.AsType[*fleetio.Error](err)
	_, isMissing := errors.AsType[*fleetio.NotFoundError](err)
	switch {
	case isMissing:
		return OutcomeNotFound
	case err == nil || isError && e.Created:
		return OutcomeCreated
	case errors.Is(err, fleetio.ErrInvalid):
		return OutcomeRejected
	case isError && e.Ambiguous():
		return OutcomeAmbiguous
	default:
		return OutcomeNotCreated
	}
}

// Message returns the text of an error of the client without the prefixes that the command adds itself.
func Message(err error) string {
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "fleetio: "), "create fault: ")
}

// Transport continues a request after its context is canceled, until its deadline: an aborted create would have an
// unknown outcome.
type Transport struct {
	Base http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	if deadline, has := r.Context().Deadline(); has {
		ctx, cancel = context.WithDeadline(ctx, deadline)
	}
	response, err := t.Base.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	response.Body = cancelingBody{response.Body, cancel}
	return response, nil
}

// cancelingBody cancels its request's context when it is closed.
type cancelingBody struct {
	io.ReadCloser

	cancel context.CancelFunc
}

// Close implements [io.Closer].
func (b cancelingBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
