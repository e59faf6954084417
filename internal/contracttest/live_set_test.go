package contracttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// liveCase is a request, and the only status that conforms.
type liveCase struct {
	name    string
	without string // the header of a credential that the request lacks
	body    string // "" for a valid one
	status  int
}

// liveSet returns a small set of requests, as each counts against a rate limit. It has no request whose status the spec
// does not determine, such as one with an invalid key.
func liveSet(target liveTarget) []liveCase {
	set := []liveCase{
		{name: "create", status: http.StatusCreated},
		{name: "without-api-key", without: "Authorization", status: http.StatusUnauthorized},
		{name: "without-account-token", without: "Account-Token", status: http.StatusUnauthorized},
	}
	// Each violates one claim about the request body, and nothing else. The é has two bytes, so that a limit in bytes is a
	// deviation, too.
	type object map[string]any
	vehicle, code := target.vehicle, target.code
	properties := specOf("FaultCreate").Properties
	for _, c := range []struct {
		name string
		body object
	}{
		{"without-code", object{"vehicle_id": vehicle}},
		{"vehicle-id-zero", object{"vehicle_id": *properties["vehicle_id"].Value.Min - 1, "code": code}},
		{"code-too-long", object{"vehicle_id": vehicle, "code": strings.Repeat("é", int(*properties["code"].Value.MaxLength)+1)}},
		{"status-not-in-enum", object{"vehicle_id": vehicle, "code": code, "status": "closed"}},
	} {
		text, err := json.Marshal(c.body)
		if err != nil {
			panic(err)
		}
		set = append(set, liveCase{name: c.name, body: string(text), status: http.StatusUnprocessableEntity})
	}
	return set
}

// specOf returns a schema of the spec.
func specOf(name string) *openapi3.Schema {
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec)
	if err != nil {
		panic(err)
	}
	return doc.Components.Schemas[name].Value
}

// complete returns a body with every property, as the spec has examples of them.
func (t liveTarget) complete() string {
	body := map[string]any{}
	for name, property := range specOf("FaultCreate").Properties {
		if property.Value.Example != nil {
			body[name] = property.Value.Example
		}
	}
	body["vehicle_id"], body["code"] = t.vehicle, t.code
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// stakes describes the effect of the set on a server.
func stakes(set []liveCase) string {
	creates := 0
	for _, c := range set {
		if c.status == http.StatusCreated {
			creates++
		}
	}
	return fmt.Sprintf("%d requests, which create %d record if the server conforms, and %d if it accepts all of them",
		len(set), creates, len(set))
}

// runLive sends the requests, prints the result of each, and returns the problems. It stops after a 429. Of the
// responses, the output contains only findings, which have no credentials.
func runLive(ctx context.Context, out io.Writer, contract *conformance.Contract, target liveTarget,
	set []liveCase) []string {
	show := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	// A connection for each request: the server may close one after the response, and the next request would fail.
	recorder := &recorder{transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}
	client, err := fleetioapi.NewClient(target.base, fleetioapi.WithHTTPClient(&http.Client{
		Transport:     recorder,
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}))
	if err != nil {
		problem("no client: %v", err)
		return problems
	}
	show("%s: %s", target.base, stakes(set))
	for i, c := range set {
		ex, err := c.send(ctx, client, recorder, target)
		if err != nil {
			problem("%s: no response to check: %s", c.name, reason(err))
			show("%-24s ---  no response", c.name)
			continue
		}
		before := len(problems)
		findings, err := contract.Check(ex)
		if err != nil {
			problem("%s: %v", c.name, err)
		}
		limited := ex.Status == http.StatusTooManyRequests
		switch {
		case limited:
			problem("%s: rate limited; %s and run again; %d requests were not sent", c.name, pause(ex), len(set)-1-i)
		case ex.Status == c.status:
		case slices.ContainsFunc(findings, func(f conformance.Finding) bool { return f.Rule == "status" }):
			// The finding reports it with the line of the spec.
		default:
			problem("%s: expected %d, found %d", c.name, c.status, ex.Status)
		}
		for _, f := range findings {
			text := fmt.Sprintf("%s: %d %s %s %s: %s (%s, api/openapi.yaml:%d)",
				c.name, f.Status, f.Part, f.Pointer, f.Rule, f.Message, f.Source, f.Spec.Line)
			// A response with an undocumented status or media type is drift, but the set has no request that justifies one.
			if f.Fails() || f.Rule == "status" || f.Rule == "media-type" {
				problem("%s", text)
			} else {
				show("%s", text)
			}
		}
		verdict := "conforms"
		if n := len(problems) - before; n > 0 {
			verdict = fmt.Sprintf("%d problems", n)
		}
		show("%-24s %d  %s", c.name, ex.Status, verdict)
		if limited {
			break
		}
	}
	return problems
}

// pause describes the Retry-After of a 429.
func pause(ex *traffic.Exchange) string {
	if seconds, err := strconv.ParseUint(ex.Response.Header.Get("Retry-After"), 10, 32); err == nil {
		return fmt.Sprintf("wait %d s (Retry-After)", seconds)
	}
	return "wait (no seconds in Retry-After)"
}

var errTooLong = errors.New("the body is longer than 1 MiB")

// reason describes an error without the text of net/http's error, which may quote the response.
func reason(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection was closed too early"
	case errors.Is(err, errTooLong):
		return errTooLong.Error()
	}
	return "net/http cannot read the response"
}

// send sends the request and returns the exchange, also if net/http returns an error after it.
func (c liveCase) send(ctx context.Context, client *fleetioapi.Client, recorder *recorder, target liveTarget) (
	*traffic.Exchange, error) {
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
		resp, err = client.CreateFaultWithBody(ctx, "application/json", strings.NewReader(target.complete()), authenticate)
	}
	if err == nil {
		_ = resp.Body.Close()
	}
	if recorder.last == nil {
		return nil, err
	}
	recorder.last.Source = "live#" + c.name
	return recorder.last, nil
}

// recorder records the last exchange of a transport.
type recorder struct {
	transport http.RoundTripper
	last      *traffic.Exchange
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	const maxBody = 1 << 20
	sent, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Body = io.NopCloser(bytes.NewReader(sent))
	resp, err := r.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && len(got) > maxBody {
		err = errTooLong
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
