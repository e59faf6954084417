package fleetio

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

var (
	retrieveFault = &operation{name: "retrieve fault", status: http.StatusOK, accept: (*call).acceptFault}
	listFaults    = &operation{name: "list faults", status: http.StatusOK, accept: (*call).acceptPage}
)

// newRead returns the call of a generated request that reads. It waits for the rate window.
func (t *transport) newRead(ctx context.Context, o *operation, maxBody int64, r *http.Request, err error) (*call, error) {
	c := &call{transport: t, operation: o, maxBody: maxBody, paced: true, waits: ctx}
	if c.request, err = t.prepare(r, err); err != nil {
		return nil, &Error{Err: err, operation: o.name, isRead: true, unsent: true}
	}
	return c, nil
}

// Fault returns the fault with this id. The error is a [*RateLimitError] or an [*Error]; [errors.Is] finds [ErrNotFound]
// if the account has no such fault.
func (c *Client) Fault(ctx context.Context, id int64) (*Fault, error) {
	if err := c.check(ctx); err != nil {
		return nil, err
	}
	r, err := fleetioapi.NewRetrieveFaultRequest(anyServer, id)
	call, err := c.newRead(ctx, retrieveFault, defaultMaxBody, r, err)
	if err != nil {
		return nil, err
	}
	call.id = id
	if err := call.do(ctx); err != nil {
		return nil, err
	}
	return call.result, nil
}

// acceptFault decodes the fault of a 200.
func (c *call) acceptFault(body []byte) error {
	fault, err := decodeFault(body)
	if err == nil && fault.ID != c.id {
		err = errors.New("the response is about another fault, as its id is not the one that was sent")
	}
	c.result = fault
	return err
}

// Faults returns the faults that match the filter, in its order (default the newest first). It requests one page at a
// time, within the rate limit that it shares with [Client.CreateFaults]. It starts at the StartCursor of the filter, and
// PerPage is the size of each page. After an error, a [*RateLimitError] or an [*Error], it ends; so does a break.
//
// Faults that are created meanwhile may be missing or occur twice, as the service pages. It needs API version 2025-05-05
// or later (see [WithAPIVersion]): earlier ones respond with another kind of page, which is an error.
func (c *Client) Faults(ctx context.Context, filter FaultFilter) iter.Seq2[Fault, error] {
	return func(yield func(Fault, error) bool) {
		if err := c.check(ctx); err != nil {
			yield(Fault{}, err)
			return
		}
		next, visited := filter, map[string]bool{}
		for {
			call, err := c.list(ctx, ctx, next)
			if err != nil {
				yield(Fault{}, err)
				return
			}
			for _, fault := range call.page.Records {
				if !yield(fault, nil) {
					return
				}
			}
			cursor, hasNext := call.page.NextCursor.Get()
			switch {
			case !hasNext:
				return
			case visited[cursor] || len(call.page.Records) == 0:
				yield(Fault{}, call.newError(errors.New("the pages have no end: a cursor is repeated, or a page is empty")))
				return
			}
			visited[cursor] = true
			next.StartCursor = &cursor
		}
	}
}

// list requests one page. Waits end with the context for waits.
func (t *transport) list(ctx, waits context.Context, filter FaultFilter) (*call, error) {
	r, err := fleetioapi.NewListFaultsRequest(anyServer, (*fleetioapi.ListFaultsParams)(&filter))
	c, err := t.newRead(waits, listFaults, defaultMaxPage, r, err)
	if err != nil {
		return nil, err
	}
	if err := c.do(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// acceptPage decodes the page of a 200.
func (c *call) acceptPage(body []byte) error {
	page, _, err := pageObject.decode(body)
	switch {
	case !utf8.Valid(body):
		return errors.New("its body is not valid UTF-8")
	case err != nil && len(body) > 0 && body[0] == '[':
		return errors.New("its body is a bare array, as in API versions before 2025-05-05: use WithAPIVersion")
	case err != nil:
		return err
	case page.Records == nil:
		return errors.New("its property records is missing")
	}
	for i := range page.Records {
		if err := page.Records[i].identify(); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
	}
	c.page = page
	return nil
}
