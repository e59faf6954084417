package conformancetest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/conformancetest"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// In a test, tb is the *testing.T.
func ExampleTransport() {
	contract, err := conformance.Load(testspec.Spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"status": 403, "title": "Unauthorized"}`)
	}))
	defer server.Close()

	tb := &printer{}
	client := &http.Client{Transport: conformancetest.Transport(tb, contract, nil)}
	resp, err := client.Post(server.URL+"/api/v1/faults", "application/json", strings.NewReader(`{}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	tb.end()
	// Output:
	// createFault 401: response.body /status criterion: problem-status-is-http-status: expected 401 ($statusCode), found 403
}

// In a test, tb is the *testing.T.
func ExampleMiddleware() {
	contract, err := conformance.Load(testspec.Spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	tb := &printer{}
	handler := conformancetest.Middleware(tb, contract, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"errors": {"code": "can't be blank"}}`)
	}))
	r := httptest.NewRequest(http.MethodPost, "/api/v1/faults", strings.NewReader(`{"vehicle_id": 4711}`))
	handler.ServeHTTP(httptest.NewRecorder(), r)
	tb.end()
	// Output:
	// createFault 422: response.body /errors/code type: expected an array, found "can't be blank"
}

// In a test, tb is the *testing.T.
func ExampleRecord() {
	contract, err := conformance.Load(testspec.Spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(folder) }()

	tb, path := &printer{}, filepath.Join(folder, "session.ndjson")
	client := &http.Client{Transport: conformancetest.Record(tb, contract, nil, path)}
	resp, err := client.Get(server.URL + "/api/v1/faults?access_token=s3cret-t0ken")
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	tb.end()
	for ex, err := range traffic.Read(context.Background(), nil, path) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(ex.Method, ex.URL.RequestURI(), ex.Status)
	}
	// Output:
	// GET /api/v1/faults?access_token=[redacted] 404
}

// printer stands for a test.
type printer struct{ cleanups []func() }

func (*printer) Helper()             {}
func (*printer) Logf(string, ...any) {}

// Errorf prints the message without the place in the spec.
func (*printer) Errorf(format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	for _, source := range []string{" (documented, ", " (assumed, "} {
		message, _, _ = strings.Cut(message, source)
	}
	fmt.Println(message)
}

func (p *printer) Cleanup(f func()) { p.cleanups = append(p.cleanups, f) }

func (p *printer) end() {
	for _, f := range p.cleanups {
		f()
	}
}
