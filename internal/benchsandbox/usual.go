package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// usual is what people usually put together from the parts that there are: the generated strict server, the validation
// of requests that kin-openapi brings along, and a transaction for each request. It knows one account.
type usual struct {
	account  sandbox.Account
	vehicles map[int64]*sandbox.Vehicle
	rules    map[string]int64
	store    *usualStore
}

func newUsual(ctx context.Context, file string) (httpServer, func() error, error) {
	store, err := openUsualStore(ctx, file)
	if err != nil {
		return nil, nil, err
	}
	account, _ := caller()
	u := &usual{account: account, vehicles: map[int64]*sandbox.Vehicle{}, rules: map[string]int64{}, store: store}
	for i := range account.Vehicles {
		u.vehicles[account.Vehicles[i].ID] = &account.Vehicles[i]
	}
	for _, rule := range account.FaultRules {
		u.rules[rule.Code] = rule.ID
	}
	handler, err := u.validated(ctx, fleetioserver.Handler(fleetioserver.NewStrictHandler(u, nil)))
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return &http.Server{Handler: handler}, store.Close, nil //nolint:gosec // no timeouts: they cost time
}

// CreateFault implements [fleetioserver.StrictServerInterface].
func (u *usual) CreateFault(ctx context.Context, in fleetioserver.CreateFaultRequestObject) (fleetioserver.CreateFaultResponseObject, error) {
	vehicle, known := u.vehicles[in.Body.VehicleID]
	if !known {
		return refusal("vehicle_id", "does not exist"), nil
	}
	rule, known := u.rules[in.Body.Code]
	if !known {
		return refusal("code", "has no Fault Rule"), nil
	}
	fault, err := u.store.create(ctx, u.account.ID, rule, in.Body)
	if err != nil {
		return nil, err
	}
	if vehicle.ArchivedAt != nil {
		fault.VehicleArchivedAt = fleetioapi.Value(*vehicle.ArchivedAt)
	}
	return fleetioserver.CreateFault201JSONResponse{
		Body:    fault,
		Headers: fleetioserver.CreateFault201ResponseHeaders{Location: fmt.Sprintf("%s/%d", faultsPath, fault.ID)},
	}, nil
}

// validated does what oapi-codegen's middleware for net/http does, which is little more than a call of kin-openapi.
func (u *usual) validated(ctx context.Context, next http.Handler) (http.Handler, error) {
	spec, err := openapi3.NewLoader().LoadFromData(api.Spec)
	if err != nil {
		return nil, err
	}
	if err := spec.Validate(ctx); err != nil {
		return nil, err
	}
	spec.Servers = nil // else the router asks for the vendor's host
	router, err := legacy.NewRouter(spec)
	if err != nil {
		return nil, err
	}
	options := &openapi3filter.Options{AuthenticationFunc: u.authenticate}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route, params, err := router.FindRoute(r)
		switch {
		case errors.Is(err, routers.ErrMethodNotAllowed):
			http.Error(w, err.Error(), http.StatusMethodNotAllowed)
			return
		case err != nil:
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		err = openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
			Request: r, PathParams: params, Route: route, Options: options,
		})
		var refused *openapi3filter.SecurityRequirementsError
		switch {
		case errors.As(err, &refused):
			http.Error(w, "the credentials are wrong", http.StatusUnauthorized)
		case err != nil:
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		default:
			next.ServeHTTP(w, r)
		}
	}), nil
}

// authenticate is called for each of the two credentials.
func (u *usual) authenticate(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	want, got := u.account.Token, in.RequestValidationInput.Request.Header.Get(in.SecurityScheme.Name)
	if in.SecuritySchemeName == "apiKey" {
		want = "Token " + u.account.APIKeys[0].Key
	}
	if subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return in.NewError(errors.New("wrong"))
	}
	return nil
}

func refusal(field, message string) fleetioserver.CreateFault422JSONResponse {
	return fleetioserver.CreateFault422JSONResponse{Errors: map[string][]string{field: {message}}}
}
