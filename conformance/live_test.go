package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// TestContractLive judges a running server by a small set of calls through the generated client. FLEETIO_BASE_URL,
// FLEETIO_API_KEY and FLEETIO_ACCOUNT_TOKEN name the server; without a URL it is one on loopback, built on the
// generated stubs. FLEETIO_VEHICLE_ID and FLEETIO_CODE name a vehicle and a code that the account knows. A host that
// is not loopback needs FLEETIO_LIVE=1, as each accepted call makes a real record.
func TestContractLive(t *testing.T) {
	target, err := targetFromEnv(os.Getenv)
	require.NoError(t, err)
	if target.base == "" {
		server := httptest.NewServer(newStub("key-4c2a", "token-9e1f"))
		t.Cleanup(server.Close)
		target.base, target.key, target.account = server.URL, "key-4c2a", "token-9e1f"
	}
	set := liveSet(target)
	_, _ = fmt.Fprintf(t.Output(), "%d calls to %s; a server that keeps the contract creates %d record, one that refuses nothing %d\n",
		len(set), target.base, countCreates(set), len(set))
	problems := runLive(t.Context(), t.Output(), loadContract(t), target, set)
	for _, p := range problems {
		assert.Fail(t, p)
	}
}

func TestTargetFromEnv(t *testing.T) {
	t.Parallel()
	all := map[string]string{"FLEETIO_API_KEY": "k", "FLEETIO_ACCOUNT_TOKEN": "t"}
	for _, test := range []struct{ base, live, err string }{
		{base: "http://127.0.0.1:8080"},
		{base: "http://localhost:8080/"},
		{base: "http://[::1]:8080"},
		{base: "https://secure.fleetio.com", err: "FLEETIO_LIVE=1"},
		{base: "https://127.0.0.1.example.com", err: "FLEETIO_LIVE=1"},
		{base: "https://secure.fleetio.com", live: "1"},
		{base: "127.0.0.1:8080", err: "http"},
		{base: "://", err: "FLEETIO_BASE_URL"},
	} {
		_, err := targetFromEnv(func(name string) string {
			switch name {
			case "FLEETIO_BASE_URL":
				return test.base
			case "FLEETIO_LIVE":
				return test.live
			}
			return all[name]
		})
		if test.err == "" {
			require.NoError(t, err, test.base)
		} else {
			require.ErrorContains(t, err, test.err, test.base)
		}
	}
	_, err := targetFromEnv(func(name string) string {
		return map[string]string{"FLEETIO_BASE_URL": "http://127.0.0.1"}[name]
	})
	require.ErrorContains(t, err, "FLEETIO_API_KEY", "a URL without credentials must not fall back to anything")
}

// TestLiveSetFindsDeviations proves that the live set fails servers that deviate, each in one way.
func TestLiveSetFindsDeviations(t *testing.T) {
	t.Parallel()
	stub := newStub("k-123456", "t-123456")
	for name, test := range map[string]struct {
		handler func(w http.ResponseWriter, r *http.Request)
		problem string
	}{
		"takes any key": {func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Token k-123456")
			stub.ServeHTTP(w, r)
		}, "without-api-key: expected 401, found 201"},
		"takes any account": {func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Account-Token", "t-123456")
			stub.ServeHTTP(w, r)
		}, "request.header /Account-Token security"},
		"takes any body": {func(w http.ResponseWriter, r *http.Request) {
			stub.ServeHTTP(w, r)
			if rec, ok := w.(*editor); ok && rec.status == 422 {
				rec.status, rec.body = 201, validFault(nil)
				rec.Header().Set("Location", "/api/v1/faults/7")
			}
		}, "request.body /code required"},
		"answers 200": {func(w http.ResponseWriter, r *http.Request) {
			stub.ServeHTTP(w, r)
			if rec, ok := w.(*editor); ok && rec.status == 201 {
				rec.status = 200
			}
		}, "response.status"},
		"gives no Location": {func(w http.ResponseWriter, r *http.Request) {
			stub.ServeHTTP(w, r)
			w.Header().Del("Location")
		}, "response.header /Location required"},
		"redirects": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "expected 201, found 307"},
		"loses the name": {func(w http.ResponseWriter, r *http.Request) {
			stub.ServeHTTP(w, r)
			if rec, ok := w.(*editor); ok && rec.status == 201 {
				rec.body = bytes.Replace(rec.body, []byte(`"name":"Catalyst efficiency"`), []byte(`"name":null`), 1)
			}
		}, "/name criterion"},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "no answer"},
		"never ends": {func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				_, _ = w.Write(make([]byte, 1<<20))
			}
		}, "no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				e := &editor{header: http.Header{}}
				test.handler(e, r)
				e.send(w)
			}))
			t.Cleanup(server.Close)
			target := liveTarget{base: server.URL, key: "k-123456", account: "t-123456", vehicle: 1, code: "P0420"}
			problems := runLive(t.Context(), io.Discard, loadContract(t), target, liveSet(target))
			assert.Contains(t, strings.Join(problems, "\n"), test.problem)
			assert.NotContains(t, strings.Join(problems, "\n"), "123456", "a credential is shown")
		})
	}
}

type liveTarget struct {
	base, key, account string
	vehicle            int64
	code               string
}

func targetFromEnv(env func(string) string) (liveTarget, error) {
	target := liveTarget{base: strings.TrimRight(env("FLEETIO_BASE_URL"), "/"), key: env("FLEETIO_API_KEY"),
		account: env("FLEETIO_ACCOUNT_TOKEN"), vehicle: 1, code: "P0420"}
	if code := env("FLEETIO_CODE"); code != "" {
		target.code = code
	}
	if id := env("FLEETIO_VEHICLE_ID"); id != "" {
		var err error
		if target.vehicle, err = strconv.ParseInt(id, 10, 64); err != nil {
			return target, errors.New("FLEETIO_VEHICLE_ID is not an integer")
		}
	}
	if target.base == "" {
		return target, nil
	}
	u, err := url.Parse(target.base)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Path != "":
		return target, errors.New("FLEETIO_BASE_URL is scheme and host, such as http://127.0.0.1:8080 or https://secure.fleetio.com")
	case target.key == "" || target.account == "":
		return target, errors.New("FLEETIO_BASE_URL needs FLEETIO_API_KEY and FLEETIO_ACCOUNT_TOKEN")
	}
	ip := net.ParseIP(u.Hostname())
	if u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) && env("FLEETIO_LIVE") != "1" {
		return target, fmt.Errorf("%s is not loopback, and each accepted call makes a real record: set FLEETIO_LIVE=1 if you mean it", u.Host)
	}
	return target, nil
}

// liveCase is one call, and the status that the contract leaves a server for it.
type liveCase struct {
	name    string
	without string // the credential's header that is left out
	body    string // in place of a valid one
	status  int
}

func liveSet(target liveTarget) []liveCase {
	set := []liveCase{
		{name: "create", status: http.StatusCreated},
		{name: "without-api-key", without: "Authorization", status: http.StatusUnauthorized},
		{name: "without-account-token", without: "Account-Token", status: http.StatusUnauthorized},
	}
	// Each breaks one claim, so that a server that enforces all but one is found out.
	for name, body := range map[string]map[string]any{
		"without-code":       {"vehicle_id": target.vehicle},
		"vehicle-id-zero":    {"vehicle_id": 0, "code": target.code},
		"code-too-long":      {"vehicle_id": target.vehicle, "code": strings.Repeat("é", 256)},
		"status-not-in-enum": {"vehicle_id": target.vehicle, "code": target.code, "status": "closed"},
	} {
		text, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		set = append(set, liveCase{name: name, body: string(text), status: http.StatusUnprocessableEntity})
	}
	slices.SortFunc(set[3:], func(a, b liveCase) int { return strings.Compare(a.name, b.name) })
	return set
}

func countCreates(set []liveCase) int {
	return len(slices.DeleteFunc(slices.Clone(set), func(c liveCase) bool { return c.status != http.StatusCreated }))
}

// runLive makes the calls, prints what came of each, and returns what is wrong.
func runLive(ctx context.Context, out io.Writer, contract *conformance.Contract, target liveTarget, set []liveCase) []string {
	recorder := &recorder{}
	client, err := fleetioapi.NewClient(target.base, fleetioapi.WithHTTPClient(&http.Client{
		Transport:     recorder,
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}))
	if err != nil {
		return []string{err.Error()}
	}
	var problems []string
	for _, c := range set {
		ex, err := c.call(ctx, client, recorder, target)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: no answer could be judged: %v", c.name, err))
			continue
		}
		before := len(problems)
		if ex.Status != c.status {
			problems = append(problems, fmt.Sprintf("%s: expected %d, found %d", c.name, c.status, ex.Status))
		}
		findings, err := contract.Check(ex)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", c.name, err))
		}
		for _, f := range findings {
			problems = append(problems, fmt.Sprintf("%s: %d %s %s %s: %s (%s, api/openapi.yaml:%d)",
				c.name, f.Status, f.Part, f.Pointer, f.Rule, f.Message, f.Basis, f.Spec.Line))
		}
		verdict := "conforms"
		if n := len(problems) - before; n > 0 {
			verdict = fmt.Sprintf("%d problems", n)
		}
		_, _ = fmt.Fprintf(out, "%-24s %d  %s\n", c.name, ex.Status, verdict)
	}
	return problems
}

func (c liveCase) call(ctx context.Context, client *fleetioapi.Client, recorder *recorder, target liveTarget) (*traffic.Exchange, error) {
	authenticate := func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Token "+target.key)
		r.Header.Set("Account-Token", target.account)
		r.Header.Del(c.without)
		return nil
	}
	recorder.last = nil
	var resp *http.Response
	var err error
	if c.body != "" {
		resp, err = client.CreateFaultWithBody(ctx, "application/json", strings.NewReader(c.body), authenticate)
	} else {
		resp, err = client.CreateFault(ctx, fleetioapi.FaultCreate{
			VehicleID: target.vehicle, Code: target.code, Count: ptr(int64(3)),
			Description:    ptr("Made by a contract test: ünïcödé, \"quotes\" and all"),
			ExternalID:     ptr("contract-test"),
			LastOccurredAt: ptr(time.Date(2023, 3, 14, 13, 46, 27, 0, time.FixedZone("", -6*60*60))),
			Name:           ptr("Catalyst efficiency"), Status: ptr(fleetioapi.FaultStatusOpen), Source: ptr("contract-test"),
		}, authenticate)
	}
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	recorder.last.Source = "live#" + c.name
	return recorder.last, nil
}

func ptr[T any](v T) *T { return &v }

// recorder keeps the last exchange that went through it.
type recorder struct{ last *traffic.Exchange }

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	const most = 1 << 20
	sent, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Body = io.NopCloser(bytes.NewReader(sent))
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err == nil && len(got) > most {
		err = fmt.Errorf("a body of more than %d bytes", most)
	}
	if err != nil {
		return nil, err
	}
	r.last = &traffic.Exchange{
		Method: req.Method, URL: req.URL, Status: resp.StatusCode,
		Request:  traffic.Message{Header: req.Header, Body: sent},
		Response: traffic.Message{Header: resp.Header, Body: got},
	}
	resp.Body = io.NopCloser(bytes.NewReader(got))
	return resp, nil
}
