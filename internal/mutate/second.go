package mutate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// secondOpinion is kin-openapi's filter, which reads the same exchanges.
type secondOpinion struct {
	spec *spec
	gaps map[string]int // how often each gap explained a difference
}

// mutant says if the second opinion finds nothing wrong with a mutant, and is not known to miss it.
func (o *secondOpinion) mutant(m *Mutant) string {
	if o == nil || o.fault(m.Exchange) != nil || o.misses(m) {
		return ""
	}
	return "kin-openapi finds nothing wrong with it"
}

// misses reports whether kin-openapi is known not to find what a mutant breaks.
func (o *secondOpinion) misses(m *Mutant) bool {
	return o.known(func(g gap) bool { return g.misses != nil && g.misses(o.spec, m) })
}

func (o *secondOpinion) known(explains func(gap) bool) bool {
	i := slices.IndexFunc(gaps, explains)
	if i >= 0 {
		o.gaps[gaps[i].name]++
	}
	return i >= 0
}

func (o *secondOpinion) conformant(ex *traffic.Exchange) string {
	if o == nil {
		return ""
	}
	err := o.fault(ex)
	if err == nil || o.known(func(g gap) bool { return g.alarms != nil && g.alarms(ex, err) }) {
		return ""
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return "kin-openapi finds something wrong with it: " + first + " in " + excerpt(ex)
}

// fault is what kin-openapi's filter says of an exchange: of the answer, and of the request where it was accepted.
func (o *secondOpinion) fault(ex *traffic.Exchange) error {
	route := o.spec.route(ex)
	if route == nil {
		return errors.New("no route")
	}
	request := &http.Request{Method: ex.Method, URL: ex.URL, Header: ex.Request.Header.Clone(), Host: ex.URL.Host,
		Body: io.NopCloser(bytes.NewReader(ex.Request.Body)), ContentLength: int64(len(ex.Request.Body))}
	options := &openapi3filter.Options{IncludeResponseStatus: true, SkipSettingDefaults: true, MultiError: true,
		ExcludeRequestBody: ex.Request.BodyOmitted, AuthenticationFunc: authenticate}
	params := map[string]string{}
	for _, name := range templated.FindAllString(route.Path, -1) {
		params[strings.Trim(name, "{}")] = "7"
	}
	input := &openapi3filter.RequestValidationInput{Request: request, Route: route, Options: options, PathParams: params}
	var errs []error
	if ex.Status/100 == 2 {
		errs = append(errs, openapi3filter.ValidateRequest(context.Background(), input))
	}
	answer := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: ex.Status, Header: ex.Response.Header.Clone(), Options: options}
	answer.SetBodyBytes(ex.Response.Body)
	return errors.Join(append(errs, openapi3filter.ValidateResponse(context.Background(), answer))...)
}

// route finds the operation without kin-openapi's router, which knows a spec's own hosts only.
func (s *spec) route(ex *traffic.Exchange) *routers.Route {
	for _, o := range s.operations {
		d := &draft{spec: s, op: o}
		if o.method == ex.Method && d.base()+templated.ReplaceAllString(o.path, "7") == ex.URL.Path {
			return &routers.Route{Spec: s.doc, Path: o.path, PathItem: o.item, Method: o.method, Operation: o.operation}
		}
	}
	return nil
}

// authenticate looks for a credential, as kin-openapi leaves that to its users.
func authenticate(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	request, scheme := in.RequestValidationInput.Request, in.SecurityScheme
	value := request.Header.Get("Authorization")
	switch {
	case scheme.Type == "apiKey" && scheme.In == "query":
		value = request.URL.Query().Get(scheme.Name)
	case scheme.Type == "apiKey" && scheme.In == "cookie":
		value = ""
		if cookie, err := request.Cookie(scheme.Name); err == nil {
			value = cookie.Value
		}
	case scheme.Type == "apiKey":
		value = request.Header.Get(scheme.Name)
	default:
		word, rest, _ := strings.Cut(value, " ")
		if value = ""; strings.EqualFold(word, scheme.Scheme) || scheme.Scheme == "" && strings.EqualFold(word, "bearer") {
			value = rest
		}
	}
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "", "token", "bearer", "basic":
		return errors.New("no credential")
	}
	return nil
}
