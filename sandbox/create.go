package sandbox

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
)

// service is the operation for one call, behind the generated strict interface: what it may be asked and answer stands in
// the spec.
type service struct {
	*Sandbox

	call *call
}

var _ fleetioserver.StrictServerInterface = service{}

// CreateFault implements [fleetioserver.StrictServerInterface].
func (s service) CreateFault(ctx context.Context, _ fleetioserver.CreateFaultRequestObject) (fleetioserver.CreateFaultResponseObject, error) {
	c, in := s.call, &s.call.input // what was wrong with the request, no FaultCreate can tell
	if !c.trouble.accept {
		c.account.check(in)
		if in.problems != nil {
			return invalid(in.problems), nil
		}
	}
	id, body, err := s.add(ctx, c.account, in)
	if err != nil {
		return nil, err
	}
	c.created = created{location: location(c.request, id), body: body}
	return &c.created, nil
}

// check notes what the account has against a fault.
func (a *account) check(in *input) {
	// What is wrong in itself cannot be looked up.
	if in.problems["base"] != nil {
		return
	}
	if id := in.fault.VehicleID; id != 0 && in.problems["vehicle_id"] == nil && a.vehicles[id] == nil {
		in.problem("vehicle_id", "must exist")
	}
	if _, known := a.rules[in.fault.Code]; in.hasCode && !known {
		in.problem("code", "must match a Fault Rule")
	}
}

// add stores a fault of an account, and returns its id and how it looks with it.
func (s *Sandbox) add(ctx context.Context, a *account, in *input) (id int64, body []byte, err error) {
	// Room for the id, which the store gives: it is written before the rest, instead of copying that.
	buffered := a.fault(make([]byte, roomForID, 640), in)
	// Whoever sends a fault and leaves has made it all the same.
	id, err = s.store.Add(context.WithoutCancel(ctx), Record{Account: a.ID, Fault: buffered[roomForID:]})
	if err != nil {
		return 0, nil, err
	}
	return id, putID(buffered, id), nil
}

// fault appends a new fault, without its id.
func (a *account) fault(to []byte, in *input) []byte {
	var buffer [24]byte
	now := string(time.Now().UTC().AppendFormat(buffer[:0], time.RFC3339))
	f, archived := fleetioapi.Fault{
		AccountID:      a.ID,
		Code:           in.fault.Code,
		Count:          nullable(in.fault.Count),
		Description:    nullable(in.fault.Description),
		ExternalID:     nullable(in.fault.ExternalID),
		FaultRuleID:    fleetioapi.Null[int64](),
		IdempotencyKey: fleetioapi.Null[string](),
		Name:           nullable(in.fault.Name),
		Source:         nullable(in.fault.Source),
		Status:         fleetioapi.FaultStatusOpen,
		VehicleID:      fleetioapi.Null[int64](),
	}, ""
	if in.fault.Status != nil {
		f.Status = *in.fault.Status
	}
	if id, known := a.rules[f.Code]; known {
		f.FaultRuleID = fleetioapi.Value(id)
	}
	if in.fault.VehicleID > 0 {
		f.VehicleID = fleetioapi.Value(in.fault.VehicleID)
	}
	if v := a.vehicles[in.fault.VehicleID]; v != nil && v.ArchivedAt != nil {
		archived = v.ArchivedAt.Format(time.RFC3339Nano)
	}
	return appendFault(to, &f, now, in.occurred, archived)
}

func nullable[T any](v *T) fleetioapi.Nullable[T] {
	if v == nil {
		return fleetioapi.Null[T]()
	}
	return fleetioapi.Value(*v)
}

// location is the URL of a record: of this server, as the caller names it.
func location(r *http.Request, id int64) string {
	scheme, host := "http://", r.Host
	if r.TLS != nil {
		scheme = "https://"
	}
	if !isHost(host) {
		scheme, host = "", ""
	}
	var buffer [128]byte
	to := append(append(append(append(buffer[:0], scheme...), host...), r.URL.Path...), '/')
	return string(strconv.AppendInt(to, id, 10))
}

// isHost tells whether a Host header is one, so that it cannot make a Location that is no URL.
func isHost(s string) bool {
	name, port, _ := strings.Cut(s, ":")
	if strings.HasPrefix(s, "[") {
		inside, behind, closed := strings.Cut(s[1:], "]")
		address, err := netip.ParseAddr(inside)
		if err != nil || !address.Is6() || address.Zone() != "" || !closed || behind != "" && behind[0] != ':' {
			return false
		}
		name, port = "ip", strings.TrimPrefix(behind, ":")
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', isDigit(c), c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	for i := range len(port) {
		if !isDigit(port[i]) {
			return false
		}
	}
	return name != ""
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
