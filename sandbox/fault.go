package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// check adds the problems that a fault has in this account.
func (a *account) check(in *input) {
	if vehicle, has := a.vehicle(in); has && vehicle == nil {
		in.problem("vehicle_id", "must exist")
	}
	if rule, has := a.rule(in); has && rule == nil {
		in.problem("code", "must match a Fault Rule")
	}
}

// vehicle returns the account's vehicle with the id of the request, and whether the request has an id.
func (a *account) vehicle(in *input) (*Vehicle, bool) {
	id, err := strconv.ParseInt(in.values["vehicle_id"], 10, 64)
	return a.vehicles[id], err == nil
}

// rule returns the account's Fault Rule with the code of the request, and whether the request has a code.
func (a *account) rule(in *input) (*FaultRule, bool) {
	code, ok := unquote(in.values["code"])
	return a.rules[code], ok
}

// faultProperties are the names of a fault's properties, except for the id, which the store assigns. emptyFault has
// their default values: null, or the zero value if they cannot be null; the status is open.
var faultProperties, emptyFault = func() (names []string, empty map[string]string) {
	body, err := json.Marshal(fleetioapi.Fault{}) // has those that cannot be null
	if err != nil {
		panic(err)
	}
	empty = maps.Collect(properties(string(body)))
	for field := range reflect.TypeFor[fleetioapi.Fault]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		empty[name] = cmp.Or(empty[name], "null")
	}
	delete(empty, "id")
	empty["status"] = strconv.Quote(string(fleetioapi.FaultStatusOpen))
	return slices.Sorted(maps.Keys(empty)), empty
}()

// fault returns the new fault of a request as JSON, without its id. It adds the server's properties to the input.
func (a *account) fault(in *input) []byte {
	now := `"` + time.Now().UTC().Format(time.RFC3339) + `"`
	in.values["account_id"] = strconv.FormatInt(a.ID, 10)
	in.values["created_at"], in.values["updated_at"] = now, now
	if rule, _ := a.rule(in); rule != nil {
		in.values["fault_rule_id"] = strconv.FormatInt(rule.ID, 10)
	}
	if vehicle, _ := a.vehicle(in); vehicle != nil && vehicle.ArchivedAt != nil {
		in.values["vehicle_archived_at"] = vehicle.ArchivedAt.Format(`"` + time.RFC3339Nano + `"`)
	}
	body := append(make([]byte, 0, 640), '{')
	for i, name := range faultProperties {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(append(append(body, '"'), name...), `":`...)
		body = append(body, cmp.Or(in.values[name], emptyFault[name])...)
	}
	return append(body, '}')
}

// withID puts the id before the other properties of a fault.
func withID(id int64, fault []byte) []byte {
	head := strconv.AppendInt([]byte(`{"id":`), id, 10)
	if len(fault) > len("{}") {
		head = append(head, ',')
	}
	return append(head, fault[min(1, len(fault)):]...)
}

// add stores a fault of an account, and returns its id and the complete fault.
func (s *Sandbox) add(ctx context.Context, a *account, in *input) (id int64, body []byte, err error) {
	fault := a.fault(in)
	// Store the fault even if the client disconnects.
	if id, err = s.store.Add(context.WithoutCancel(ctx), Record{Account: a.ID, Fault: fault}); err != nil {
		return 0, nil, err
	}
	return id, withID(id, fault), nil
}

// isHost matches a Host header that is valid in a URL.
var isHost = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(:[0-9]*)?$`)

// location returns the URL of a fault on this server, with the host of the request.
func location(r *http.Request, id int64) string {
	origin := ""
	if isHost.MatchString(r.Host) {
		origin = "http://" + r.Host
		if r.TLS != nil {
			origin = "https://" + r.Host
		}
	}
	return origin + r.URL.EscapedPath() + "/" + strconv.FormatInt(id, 10)
}

// faultsOf returns the faults of valid fixtures as if they were created now.
func faultsOf(f Fixtures) []Record {
	var list []Record
	for _, a := range f.Accounts {
		known := newAccount(a)
		for i := range a.Faults {
			list = append(list, Record{Account: a.ID, Fault: known.fault(readInput(encode(a.Faults[i])))})
		}
	}
	return list
}
