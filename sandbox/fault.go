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

// check notes what the account has against a fault.
func (a *account) check(in *input) {
	if vehicle, has := a.vehicle(in); has && vehicle == nil {
		in.problem("vehicle_id", "must exist")
	}
	if rule, has := a.rule(in); has && rule == nil {
		in.problem("code", "must match a Fault Rule")
	}
}

// vehicle returns the account's vehicle that a request names, and whether it names one.
func (a *account) vehicle(in *input) (*Vehicle, bool) {
	id, err := strconv.ParseInt(in.values["vehicle_id"], 10, 64)
	return a.vehicles[id], err == nil
}

// rule returns the account's Fault Rule that a request names, and whether it names one.
func (a *account) rule(in *input) (*FaultRule, bool) {
	code, ok := unquote(in.values["code"])
	return a.rules[code], ok
}

// faultProperties are the names of a fault's properties but for the id, which the store gives, and emptyFault their
// values: null, or the zero value of one that cannot be null.
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
	return slices.Sorted(maps.Keys(empty)), empty
}()

// fault makes a new fault as JSON, without its id, of what a request has.
func (a *account) fault(in *input) []byte {
	now := time.Now().UTC().Format(`"` + time.RFC3339 + `"`)
	fault := map[string]string{
		"account_id": strconv.FormatInt(a.ID, 10),
		"created_at": now,
		"updated_at": now,
		"status":     strconv.Quote(string(fleetioapi.FaultStatusOpen)),
	}
	if rule, _ := a.rule(in); rule != nil {
		fault["fault_rule_id"] = strconv.FormatInt(rule.ID, 10)
	}
	if vehicle, _ := a.vehicle(in); vehicle != nil && vehicle.ArchivedAt != nil {
		fault["vehicle_archived_at"] = vehicle.ArchivedAt.Format(`"` + time.RFC3339Nano + `"`)
	}
	body := append(make([]byte, 0, 640), '{')
	for i, name := range faultProperties {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(append(append(body, '"'), name...), `":`...)
		body = append(body, cmp.Or(in.values[name], fault[name], emptyFault[name])...)
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

// add stores a fault of an account, and returns its id and the fault with it.
func (s *Sandbox) add(ctx context.Context, a *account, in *input) (id int64, body []byte, err error) {
	fault := a.fault(in)
	// Store the fault even if the client disconnects.
	if id, err = s.store.Add(context.WithoutCancel(ctx), Record{Account: a.ID, Fault: fault}); err != nil {
		return 0, nil, err
	}
	return id, withID(id, fault), nil
}

// isHost matches a Host header that makes a URL.
var isHost = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(:[0-9]*)?$`)

// location is the URL of a record: of this server, under the name that the client calls it by.
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

// faultsOf makes the faults of valid fixtures as if they had been created just now.
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
