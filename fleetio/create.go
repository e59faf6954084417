package fleetio

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// CreateFault creates a fault and returns it as the service stores it. It sends nothing if [Check] fails.
//
// The error is an [*InvalidError] if nothing was sent because the fault is invalid, a [*RateLimitError] if the rate
// limit is exhausted, and an [*Error] otherwise. [Error.Ambiguous] reports that the fault may have been created, and
// Error.Created that it was. With [WithReconcile], a fault whose create is ambiguous is looked up, and the error is a
// [*NotFoundError] if it is not there. The package comment lists which requests are retried.
func (c *Client) CreateFault(ctx context.Context, f FaultCreate, opts ...CallOption) (*Fault, error) {
	call, err := c.newCreate(ctx, f)
	if err != nil {
		return nil, err
	}
	for _, o := range opts {
		if o.raw != nil {
			call.raw = o.raw
			*o.raw = nil
		}
	}
	fault, err := call.create(ctx)
	for _, o := range opts {
		if o.lookedUp != nil {
			*o.lookedUp = call.lookedUp
		}
	}
	return fault, err
}

// newCreate checks a fault and returns the call that creates it.
func (c *Client) newCreate(ctx context.Context, f FaultCreate) (*call, error) {
	if err := c.check(ctx); err != nil {
		return nil, err
	}
	if c.reconcile && (f.ExternalID == nil || *f.ExternalID == "") {
		f.ExternalID = new(NewExternalID())
	}
	if err := Check(f); err != nil {
		return nil, err
	}
	body, err := json.Marshal((*fleetioapi.FaultCreate)(&f))
	if err != nil {
		return nil, err
	}
	return &call{
		transport: c.transport, operation: createFault, request: c.template, body: body, fault: f, waits: ctx,
		maxBody: defaultMaxBody + maxEscape*int64(len(body)),
	}, nil
}

// create sends the fault, and looks it up if that is asked for and the outcome is unknown.
func (c *call) create(ctx context.Context) (*Fault, error) {
	if c.reconcile {
		defer c.uses.begin(c.fault.ExternalID)()
	}
	err := c.do(ctx)
	e, isError := err.(*Error)
	switch {
	case err == nil:
		return c.result, nil
	case !isError:
		return nil, err
	case c.fault.ExternalID != nil:
		e.ExternalID = *c.fault.ExternalID
	}
	if c.reconcile && (e.Created || e.Ambiguous()) {
		return c.settle(ctx, e)
	}
	return nil, e
}

// createFault is the operation that creates a fault.
var createFault = &operation{name: "create fault", status: http.StatusCreated, accept: (*call).acceptCreated}

// acceptCreated decodes the fault of a 201. The contract allows vehicle_id to be null. Then only the code identifies
// the fault.
func (c *call) acceptCreated(body []byte) error {
	fault, err := decodeFault(body)
	vehicle, isKnown := fault.VehicleID.Get()
	if isKnown && vehicle != c.fault.VehicleID || fault.Code != "" && fault.Code != c.fault.Code {
		return errors.New("the response is about another fault, as vehicle_id or code is not what was sent: " +
			"find the id in Fleetio")
	}
	if !reflect.ValueOf(*fault).IsZero() {
		c.result = fault
	}
	return err
}
