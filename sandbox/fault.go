package sandbox

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// storedObject writes faults without an id, which the store assigns; faultObject writes them with it, at the front.
var (
	storedObject = slices.DeleteFunc(objectOf(fleetioapi.FaultSchema), func(p property) bool { return p.Name == "id" })
	faultObject  = append(object{objectOf(fleetioapi.FaultSchema).property("id")}, storedObject...)
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
	return a.vehicles[id], err == nil && in.problems["vehicle_id"] == nil
}

// rule returns the account's Fault Rule with the code of the request, and whether the request has a code.
func (a *account) rule(in *input) (*FaultRule, bool) {
	code, ok := unquote(in.values["code"])
	return a.rules[code], ok
}

// fault returns the properties of the new fault of a request, as JSON, without its id. It echoes the properties of the
// request that a fault can have, and sets those with a meaning. at is when it is created.
func (a *account) fault(in *input, at time.Time) map[string]string {
	values := map[string]string{}
	for _, f := range fleetioapi.FaultCreateFields {
		// An invalid request gets here only if the failure accept is injected.
		value, sent := in.values[f.Name]
		if schema := faultObject.property(f.Name).Schema; sent && schema != nil && (in.problems == nil || schema.Check([]byte(value)) == nil) {
			values[f.Name] = value
		}
	}
	now := quote(at.UTC().Format(time.RFC3339))
	values["account_id"] = strconv.FormatInt(a.ID, 10)
	values["created_at"], values["updated_at"] = now, now
	values["is_sample"] = "false"
	if rule, _ := a.rule(in); rule != nil {
		values["fault_rule_id"] = strconv.FormatInt(rule.ID, 10)
		if rule.Name != "" {
			values["name"] = quote(rule.Name)
		}
		if rule.Description != "" {
			values["description"] = quote(rule.Description)
		}
		if rule.PriorityHandling == PriorityIgnore {
			values["status"] = quote(string(fleetioapi.FaultStatusIgnored))
		}
	}
	if vehicle, _ := a.vehicle(in); vehicle != nil && vehicle.ArchivedAt != nil {
		values["vehicle_archived_at"] = vehicle.ArchivedAt.Format(`"` + time.RFC3339Nano + `"`)
	}
	return values
}

// JSON returns the whole fault of a record as the API returns it, with all properties that the contract has, even if it had fewer when the
// fault was stored.
func (r Record) JSON() []byte { return faultObject.write(r.values()) }

// values returns the properties of the fault as JSON.
func (r Record) values() map[string]string {
	values := map[string]string{"id": strconv.FormatInt(r.ID, 10)}
	maps.Insert(values, properties(r.Fault))
	return values
}

// CreateFault implements [fleetioserver.ServerInterface].
func (o operations) CreateFault(w http.ResponseWriter, r *http.Request) {
	c := exchangeOf(w)
	if !c.failure.plan.accept {
		if c.account.check(c.input); c.input.problems != nil {
			c.invalid(c.input.problems)
			return
		}
	}
	fault := c.account.fault(c.input, o.sandbox.Now())
	// Store the fault even if the client disconnects.
	id, err := o.sandbox.store.Add(context.WithoutCancel(r.Context()), Record{Account: c.account.ID, Fault: storedObject.write(fault)})
	if err != nil {
		o.sandbox.storeFailed(c, err)
		return
	}
	fault["id"] = strconv.FormatInt(id, 10)
	c.set(http.StatusCreated, faultObject.write(fault))
	c.header.Set("Location", location(r, id))
}

// storeFailed responds to an error of the store.
func (s *Sandbox) storeFailed(c *exchange, err error) {
	s.logger.Error("the store failed", "error", err)
	detail := couldNot
	if detailed, ok := errors.AsType[interface {
		error
		Detail() string
	}](err); ok {
		detail += ": " + s.Redact(detailed.Detail())
	}
	c.problem(http.StatusInternalServerError, detail+".")
}

// isHost matches a Host header that is valid in a URL.
var isHost = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(:[0-9]*)?$`)

// location returns the URL of a fault on this server, with the host and the path of the request.
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

// faultsOf returns the faults of valid fixtures as if they were created at a time.
func faultsOf(f Fixtures, at time.Time) []Record {
	var list []Record
	for _, a := range f.Accounts {
		known := newAccount(a)
		for i := range a.Faults {
			in := readInput(fleetioapi.FaultCreateSchema, encode(a.Faults[i]))
			list = append(list, Record{Account: a.ID, Fault: storedObject.write(known.fault(in, at))})
		}
	}
	return list
}
