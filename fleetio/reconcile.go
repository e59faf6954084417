package fleetio

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

const externalIDPrefix = "fleetio-go-"

// NewExternalID returns a random external_id: "fleetio-go-" and at least 128 random bits. A caller that stores it before
// the create can look up the fault after a crash, see [Client.FindCreated].
func NewExternalID() string { return externalIDPrefix + rand.Text() }

// isUnique reports whether an external_id is one of NewExternalID, which no other fault has.
func isUnique(externalID string) bool {
	return strings.HasPrefix(externalID, externalIDPrefix) && len(externalID) >= len(externalIDPrefix)+26
}

// settle looks up the fault of a create without a certain outcome, and returns it, or what is known without it.
func (c *call) settle(ctx context.Context, e *Error) (*Fault, error) {
	s := search{transport: c.transport, fault: &c.fault, began: c.began, ended: time.Now(), waits: c.waits, once: e.Created}
	found, err := s.find(ctx)
	switch {
	case err != nil:
		e.Err = lookUpError{e.Err, err.Error()}
		return nil, e
	case e.Created && (found == nil || e.Fault != nil && e.Fault.ID != 0 && e.Fault.ID != found.ID):
		return nil, e
	case found == nil:
		return nil, &NotFoundError{ExternalID: e.ExternalID, Err: e}
	}
	c.lookedUp = true
	if c.logger != nil {
		c.logger.LogAttrs(ctx, slog.LevelInfo, "fleetio: found by look-up", slog.Int64("id", found.ID),
			slog.String("external_id", e.ExternalID), slog.String("error", e.Error()))
	}
	return found, nil
}

// lookUpError adds to the cause of an error why the look-up failed. The latter is a string: errors.As would take it for the
// outcome of the create.
type lookUpError struct {
	cause  error // nil for none
	lookUp string
}

func (e lookUpError) Error() string {
	text := "the look-up failed: " + strings.TrimPrefix(e.lookUp, "fleetio: ")
	if e.cause != nil {
		text = e.cause.Error() + ": " + text
	}
	return text
}

func (e lookUpError) Unwrap() error { return e.cause }

// FindCreated looks up the fault of a create whose outcome is unknown, such as one before a crash, as [WithReconcile]
// does: by external_id, vehicle and code. began is when the create began, or shortly before; older faults are not
// returned. If the fault is not there, and less than the delay of [WithReconcileDelay] has passed since then, it looks
// again after the rest of it.
//
// The error is a [*NotFoundError] if the fault was not found, and otherwise says why the outcome is still unknown.
func (c *Client) FindCreated(ctx context.Context, f FaultCreate, began time.Time) (*Fault, error) {
	if err := c.check(ctx); err != nil {
		return nil, err
	}
	if f.ExternalID == nil || *f.ExternalID == "" {
		return nil, errors.New("fleetio: a fault without an external_id cannot be looked up")
	}
	s := search{transport: c.transport, fault: &f, began: began, ended: began, waits: ctx}
	found, err := s.find(ctx)
	if found == nil && err == nil {
		err = &NotFoundError{ExternalID: *f.ExternalID}
	}
	return found, err
}

// search looks for the fault of a create.
type search struct {
	*transport

	fault *FaultCreate
	began time.Time       // of the request that may have created it
	ended time.Time       // of that request, if it is known, or else its beginning: the delay starts here
	waits context.Context //nolint:containedctx // ends the waits, as in call
	once  bool            // without a second look
}

// find returns the fault, or nil without an error if it is not there.
func (s *search) find(ctx context.Context) (*Fault, error) {
	found, err := s.look(ctx)
	wait := min(s.delay-time.Since(s.ended), s.delay) // the clock may have been set back
	switch {
	case found != nil || err != nil || s.once || wait <= 0:
		return found, err
	case exceedsDeadline(ctx, wait):
		return nil, errors.New("fleetio: look up fault: it was not found yet, and the deadline leaves no time to look again")
	}
	if err := sleep(s.waits, wait); err != nil { //nolint:contextcheck // see waits
		return nil, fmt.Errorf("fleetio: look up fault: it was not found yet, and the second look-up was canceled: %w", err)
	}
	return s.look(ctx)
}

// clockTolerance makes up for times in whole seconds, and for clocks of the service that differ.
const clockTolerance = 2 * time.Second

// look looks once. It fails if it cannot tell whether a fault is the one.
func (s *search) look(ctx context.Context) (*Fault, error) {
	id := *s.fault.ExternalID
	c, err := s.list(ctx, s.waits, FaultFilter{FilterExternalIDEq: &id, SortID: new(SortDirectionDesc)})
	if err != nil {
		return nil, err
	}
	elapsed := time.Since(s.began)
	date, dateErr := http.ParseTime(c.date)
	isOwn := !isUnique(id)
	var matches []*Fault
	for i := range c.page.Records {
		f := &c.page.Records[i]
		vehicle, isKnown := f.VehicleID.Get()
		switch other, _ := f.ExternalID.Get(); {
		case other != id:
			return nil, errors.New("fleetio: look up fault: the response has faults with another external_id")
		case f.Code != s.fault.Code || isKnown && vehicle != s.fault.VehicleID:
			continue
		case isOwn && (dateErr != nil || f.CreatedAt == nil):
			return nil, errors.New("fleetio: look up fault: an older one may have the same external_id, and the response has no " +
				"Date or created_at")
		case isOwn && date.Sub(*f.CreatedAt) > elapsed+clockTolerance:
			continue // it is older
		}
		matches = append(matches, f)
	}
	switch {
	case len(matches) == 0:
		return nil, nil
	case len(matches) > 1:
		return nil, fmt.Errorf("fleetio: look up fault: %d faults match, the newest with the id %d", len(matches), matches[0].ID)
	case isOwn && s.uses.isShared(id):
		return nil, fmt.Errorf("fleetio: look up fault: the fault %d matches, and another create had the same external_id", matches[0].ID)
	default:
		return matches[0], nil
	}
}

// idUses counts the creates by their external_id, to find those with the same one. It forgets an external_id that was not
// in use for a while: faults that are older than a create are told apart by created_at.
type idUses struct {
	mu   sync.Mutex
	uses map[string]idUse
	max  int // how many are kept before those that were forgotten are removed
}

type idUse struct {
	creates, inFlight int
	ended             time.Time
}

const maxIDUse = 5 * time.Minute

// begin counts a create. Call the function that it returns at its end.
func (u *idUses) begin(externalID *string) (end func()) {
	if externalID == nil || isUnique(*externalID) {
		return func() {}
	}
	u.add(*externalID, 1)
	return func() { u.add(*externalID, -1) }
}

func (u *idUses) add(id string, n int) {
	now := time.Now()
	isForgotten := func(use idUse) bool { return use.inFlight == 0 && now.Sub(use.ended) > maxIDUse }
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.uses) >= u.max {
		maps.DeleteFunc(u.uses, func(_ string, use idUse) bool { return isForgotten(use) })
		u.max = 2*len(u.uses) + 100
	}
	if u.uses == nil {
		u.uses = map[string]idUse{}
	}
	use := u.uses[id]
	if isForgotten(use) {
		use = idUse{}
	}
	use.inFlight += n
	use.creates += max(n, 0)
	use.ended = now
	u.uses[id] = use
}

// isShared reports whether several creates have had an external_id.
func (u *idUses) isShared(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.uses[id].creates > 1
}
