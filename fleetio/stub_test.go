package fleetio_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

const (
	apiKey       = "key-3f9a1c7b"
	accountToken = "account-77d0e2"
	// created is the body of a 201.
	created = `{"id":90210,"created_at":"2023-03-14T13:46:29-06:00","updated_at":"2023-03-14T13:46:29-06:00","account_id":12,` +
		`"vehicle_id":4711,"code":"P0420","count":3,"description":"Efficiency of the catalyst on bank 1 is below its threshold",` +
		`"external_id":"telematics-981","last_occurred_at":"2023-03-14T13:46:27-06:00","name":"Catalyst efficiency",` +
		`"status":"open","source":"telematics","vehicle_archived_at":null,"fault_rule_id":8,"is_sample":false,"idempotency_key":null}`
)

var (
	credentials = fleetio.Credentials{APIKey: apiKey, AccountToken: accountToken}
	minimal     = fleetio.FaultCreate{VehicleID: 4711, Code: "P0420"}
)

// roundTripper is a transport that is a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// reply is a response as a server gives it.
type reply struct {
	status int
	header http.Header
	body   string
}

// headers are those of the reply, where nil takes away what is there by default.
func (a reply) headers() http.Header {
	header := http.Header{"Content-Type": {"application/json"}}
	for name, values := range a.header {
		header[name] = values
		if values == nil {
			delete(header, name)
		}
	}
	return header
}

func (a reply) response() *http.Response {
	return &http.Response{StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: a.headers(),
		Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body))}
}

func retryAfter(status int, value string) reply {
	return reply{status, http.Header{"Retry-After": {value}}, `{"error":"Rate limit exceeded."}`}
}

// replies responds with one after the other, and then with the last for ever. It counts the requests, and records the last
// one and its body.
type replies struct {
	mu      sync.Mutex
	list    []reply
	count   int
	request *http.Request
	body    string
}

func respond(list ...reply) *replies { return &replies{list: list} }

func (s *replies) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := min(s.count, len(s.list)-1)
	s.count++
	s.request, s.body = r, string(body)
	return s.list[at].response(), nil
}

func client(t testing.TB, transport http.RoundTripper, opts ...fleetio.Option) *fleetio.Client {
	t.Helper()
	c, err := fleetio.NewClient(credentials, append([]fleetio.Option{
		fleetio.WithHTTPClient(&http.Client{Transport: transport}),
	}, opts...)...)
	require.NoError(t, err)
	return c
}
