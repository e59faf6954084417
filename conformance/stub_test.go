package conformance_test

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
)

// stub is the least server on the generated stubs that keeps the contract.
type stub struct{ lastID atomic.Int64 }

// newStub repairs what the generated layer leaves open: it checks credentials, and answers errors as the contract has
// them, not as plain text.
func newStub(key, account string) http.Handler {
	strict := fleetioserver.NewStrictHandlerWithOptions(&stub{}, nil, fleetioserver.StrictHTTPServerOptions{
		RequestErrorHandlerFunc: func(w http.ResponseWriter, _ *http.Request, _ error) {
			answer(w, fleetioserver.CreateFault422JSONResponse{Errors: map[string][]string{"base": {"is not valid JSON"}}})
		},
		ResponseErrorHandlerFunc: func(w http.ResponseWriter, _ *http.Request, _ error) {
			answer(w, fleetioserver.CreateFault500JSONResponse{Status: 500, Title: "Internal Server Error"})
		},
	})
	authenticate := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			keyOK := subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Token "+key))
			accountOK := subtle.ConstantTimeCompare([]byte(r.Header.Get("Account-Token")), []byte(account))
			if keyOK&accountOK != 1 {
				answer(w, fleetioserver.CreateFault401JSONResponse{Status: 401, Title: "Unauthorized"})
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	return fleetioserver.HandlerWithOptions(strict, fleetioserver.StdHTTPServerOptions{
		Middlewares: []fleetioserver.MiddlewareFunc{authenticate},
	})
}

func answer(w http.ResponseWriter, response fleetioserver.CreateFaultResponseObject) {
	if err := response.VisitCreateFaultResponse(w); err != nil {
		panic(err)
	}
}

// CreateFault implements [fleetioserver.StrictServerInterface].
func (s *stub) CreateFault(_ context.Context, request fleetioserver.CreateFaultRequestObject) (
	fleetioserver.CreateFaultResponseObject, error) {
	in := request.Body
	errors := map[string][]string{}
	if in.VehicleID < 1 {
		errors["vehicle_id"] = []string{"must be greater than or equal to 1"}
	}
	if in.Code == "" {
		errors["code"] = []string{"can't be blank"}
	}
	for field, text := range map[string]*string{"code": &in.Code, "name": in.Name, "external_id": in.ExternalID} {
		if text != nil && utf8.RuneCountInString(*text) > 255 {
			errors[field] = append(errors[field], "is too long (maximum is 255 characters)")
		}
	}
	if in.Status != nil && !in.Status.Valid() {
		errors["status"] = []string{"is not included in the list"}
	}
	if len(errors) > 0 {
		return fleetioserver.CreateFault422JSONResponse{Errors: errors}, nil
	}
	now := time.Now()
	fault := fleetioapi.Fault{
		ID: s.lastID.Add(1), CreatedAt: &now, UpdatedAt: &now, AccountID: 12, Status: fleetioapi.FaultStatusOpen,
		VehicleID: fleetioapi.Value(in.VehicleID), Code: in.Code, Count: nullable(in.Count),
		Description: nullable(in.Description), ExternalID: nullable(in.ExternalID),
		LastOccurredAt: nullable(in.LastOccurredAt), Name: nullable(in.Name), Source: nullable(in.Source),
		VehicleArchivedAt: fleetioapi.Null[time.Time](), FaultRuleID: fleetioapi.Value[int64](8),
		IdempotencyKey: fleetioapi.Null[string](),
	}
	if in.Status != nil {
		fault.Status = *in.Status
	}
	return fleetioserver.CreateFault201JSONResponse{
		Body:    fault,
		Headers: fleetioserver.CreateFault201ResponseHeaders{Location: fmt.Sprintf("/api/v1/faults/%d", fault.ID)},
	}, nil
}

func nullable[T any](v *T) fleetioapi.Nullable[T] {
	if v == nil {
		return fleetioapi.Null[T]()
	}
	return fleetioapi.Value(*v)
}

// validFault is the body of a 201 for a fault with id 7.
func validFault(change func(map[string]any)) []byte {
	fault := map[string]any{
		"id": 7, "account_id": 12, "vehicle_id": 4711, "code": "P0420", "count": nil, "description": nil,
		"last_occurred_at": nil, "name": nil, "status": "open", "source": nil, "vehicle_archived_at": nil,
		"fault_rule_id": nil, "is_sample": false, "idempotency_key": nil,
	}
	if change != nil {
		change(fault)
	}
	body, err := json.Marshal(fault)
	if err != nil {
		panic(err)
	}
	return body
}

// editor holds a response back, so that a test can change it.
type editor struct {
	header http.Header
	status int
	body   []byte
}

func (e *editor) Header() http.Header { return e.header }

func (e *editor) WriteHeader(status int) { e.status = status }

func (e *editor) Write(data []byte) (int, error) {
	e.body = append(e.body, data...)
	return len(data), nil
}

func (e *editor) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), e.header)
	if e.status > 0 {
		w.WriteHeader(e.status)
	}
	_, _ = w.Write(e.body)
}
