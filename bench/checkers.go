package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// check reports whether a checker has a finding about an exchange.
type check func(*traffic.Exchange) (bool, error)

// libraries are the checkers that are Go packages, each in its strictest mode that accepts what the spec allows.
var libraries = []library{
	{"fleetio-go", "", loadOwn},
	{"kin-openapi", "github.com/getkin/kin-openapi", loadKin},
	{"libopenapi-validator", "github.com/pb33f/libopenapi-validator", loadLibopenapi},
}

type library struct {
	name, module string // the module is empty for this project
	load         func(spec string) (check, error)
}

// String returns the name with the version.
func (l library) String() string {
	if l.module == "" {
		return l.name
	}
	return l.name + " " + version(l.module)
}

func loadOwn(spec string) (check, error) {
	contract, err := conformance.LoadFile(spec)
	if err != nil {
		return nil, err
	}
	return func(ex *traffic.Exchange) (bool, error) {
		findings, err := contract.Check(ex)
		aboutStatus := func(f conformance.Finding) bool { return f.Rule == "rejected" || f.Rule == "server-error" }
		return len(slices.DeleteFunc(findings, aboutStatus)) > 0, err
	}, nil
}

func loadKin(spec string) (check, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(spec)
	if err != nil {
		return nil, err
	}
	base, err := doc.Servers.BasePath()
	if err != nil {
		return nil, err
	}
	doc.Servers = openapi3.Servers{{URL: base}} // whatever the host
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaPatternValidation())
	if err != nil {
		return nil, err
	}
	options := &openapi3filter.Options{MultiError: true, IncludeResponseStatus: true, SkipSettingDefaults: true, AuthenticationFunc: authenticate}
	return func(ex *traffic.Exchange) (bool, error) {
		r, response, err := messages(ex)
		if err != nil {
			return false, err
		}
		r.URL.Scheme, r.URL.Host = "", "" // the router compares them with the server's
		route, path, err := router.FindRoute(r)
		if err != nil {
			return true, nil //nolint:nilerr // it reports the exchange
		}
		request := &openapi3filter.RequestValidationInput{Request: r, PathParams: path, Route: route, Options: options}
		if ex.Status/100 == 2 && openapi3filter.ValidateRequest(r.Context(), request) != nil {
			return true, nil
		}
		return openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{RequestValidationInput: request,
			Status: response.StatusCode, Header: response.Header, Body: response.Body, Options: options}) != nil, nil
	}, nil
}

// authenticate accepts any credential, where the scheme wants it.
func authenticate(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	r, scheme := in.RequestValidationInput.Request, in.SecurityScheme
	given := r.Header.Get("Authorization")
	switch scheme.In {
	case "header":
		given = r.Header.Get(scheme.Name)
	case "query":
		given = r.URL.Query().Get(scheme.Name)
	case "cookie":
		if c, err := r.Cookie(scheme.Name); err == nil {
			given = c.Value
		}
	}
	if given == "" {
		return errors.New("no credential")
	}
	return nil
}

func loadLibopenapi(spec string) (check, error) {
	data, err := os.ReadFile(spec)
	if err != nil {
		return nil, err
	}
	document, err := libopenapi.NewDocument(data)
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(document, config.WithFormatAssertions(), config.WithContentAssertions(), config.WithURLEncodedBodyValidation())
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return func(ex *traffic.Exchange) (bool, error) {
		r, response, err := messages(ex)
		if err != nil {
			return false, err
		}
		validate := v.ValidateHttpResponse
		if ex.Status/100 == 2 {
			validate = v.ValidateHttpRequestResponse
		}
		valid, _ := validate(r, response)
		return !valid, nil
	}, nil
}

// messages are the request and the response of an exchange, for libraries that want those of net/http.
func messages(ex *traffic.Exchange) (*http.Request, *http.Response, error) {
	r, err := http.NewRequest(ex.Method, ex.URL.String(), bytes.NewReader(ex.Request.Body))
	if err != nil {
		return nil, nil, err
	}
	r.Header = ex.Request.Header.Clone()
	return r, &http.Response{StatusCode: ex.Status, Header: ex.Response.Header.Clone(), Body: io.NopCloser(bytes.NewReader(ex.Response.Body)), Request: r}, nil
}

// redocly returns which of the exchanges `redocly drift` has findings about. Undocumented headers are not among them: it
// finds one in almost every exchange.
func redocly(ctx context.Context, spec string, entries []entry) (reported []bool, err error) {
	recording, findings := filepath.Join(resultsFolder, "drift.har"), filepath.Join(resultsFolder, "drift.csv")
	w, err := traffic.Create(recording)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if _, err := w.Write(e.Exchange); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	output, err := runPeer(ctx, "redocly", "drift", recording, "--api", spec, "--match-mode", "basepath", "--ignore-headers", "*", "--format", "csv", "-o", findings)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(findings)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, output)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, fmt.Errorf("%s: no table: %w", findings, err)
	}
	reported = make([]bool, len(entries))
	column := slices.Index(rows[0], "exchange_index")
	for _, row := range rows[1:] {
		i, err := strconv.Atoi(row[column])
		if err != nil {
			return nil, err
		}
		reported[i] = true
	}
	return reported, nil
}

// prism returns which of the exchanges Prism's proxy has violations of, or does not pass on. It is sent the requests, and
// the server behind it responds as recorded.
func prism(ctx context.Context, spec string, entries []entry) (reported []bool, crashes int, err error) {
	const number = "X-Exchange"
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i, err := strconv.Atoi(r.Header.Get(number))
		if err != nil {
			return // it is being waited for
		}
		for name, values := range entries[i].Response.Header {
			w.Header()[name] = values
		}
		if w.Header().Get("Content-Type") == "" {
			w.Header()["Content-Type"] = nil // or net/http adds one
		}
		w.WriteHeader(entries[i].Status)
		_, _ = w.Write(entries[i].Response.Body) // a status without a body
	}))
	defer upstream.Close()
	doc, err := openapi3.NewLoader().LoadFromFile(spec)
	if err != nil {
		return nil, 0, err
	}
	base, err := doc.Servers.BasePath()
	if err != nil {
		return nil, 0, err
	}
	transport := &http.Transport{DisableCompression: true, ResponseHeaderTimeout: 5 * time.Second}
	defer transport.CloseIdleConnections()
	url, stop, err := servePeer(ctx, "prism", "proxy", spec, upstream.URL, "--verboseLevel", "silent")
	if err != nil {
		return nil, 0, err
	}
	defer stop()
	reported = make([]bool, len(entries))
	for i, e := range entries {
		r, _, err := messages(e.Exchange)
		if err != nil {
			return nil, 0, err
		}
		target := url + strings.TrimPrefix(e.URL.RequestURI(), strings.TrimSuffix(base, "/")) // Prism serves the paths without the server's
		if r, err = http.NewRequestWithContext(ctx, e.Method, target, r.Body); err != nil {
			return nil, 0, err
		}
		r.Header = e.Request.Header.Clone()
		r.Header.Set(number, strconv.Itoa(i))
		r.ContentLength = int64(len(e.Request.Body))
		response, err := transport.RoundTrip(r)
		if err != nil {
			if ctx.Err() != nil {
				return nil, 0, ctx.Err()
			}
			reported[i] = true // it does not pass the exchange on
			continue
		}
		_, err = io.Copy(io.Discard, response.Body)
		reported[i] = err != nil || response.Header.Get("Sl-Violations") != "" || response.StatusCode != e.Status
		if response.Header.Get("Prism-Crashed") != "" {
			crashes++
		}
		_ = response.Body.Close() // it is read
	}
	return reported, crashes, nil
}
