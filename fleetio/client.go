package fleetio

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

const (
	defaultBaseURL   = "https://secure.fleetio.com"
	defaultUserAgent = "fleetio-go"
	defaultTimeout   = 30 * time.Second
	defaultMaxBody   = 1 << 20
	maxEscape        = int64(len(`\u003c`)) // bytes of JSON for one byte of a string
	operationPath    = "api/v1/faults"
)

type (
	// FaultCreate is a fault to create. Optional fields are pointers: nil omits the property. new("text") makes a pointer
	// to a value.
	FaultCreate = fleetioapi.FaultCreate
	// Fault is a fault as the service stores it.
	Fault = fleetioapi.Fault
	// FaultStatus is the status of a fault. The service may return others than the constants of this package.
	FaultStatus = fleetioapi.FaultStatus
	// Problem is the body of most error responses.
	Problem = fleetioapi.Problem
	// Nullable is a property of a [Fault]: absent, null or a value of T. Its Get returns the value.
	Nullable[T any] = fleetioapi.Nullable[T]
)

// The statuses of a fault (default open).
const (
	FaultStatusOpen     = fleetioapi.FaultStatusOpen
	FaultStatusResolved = fleetioapi.FaultStatusResolved
	FaultStatusIgnored  = fleetioapi.FaultStatusIgnored
)

// Ptr returns a pointer to v, for the optional fields of a [FaultCreate]. Since Go 1.26, new(v) does the same.
//
//go:fix inline
func Ptr[T any](v T) *T { return new(v) }

// Client creates faults. [NewClient] returns one. It is safe for concurrent use.
type Client struct {
	*transport
}

// transport is the state of a client.
type transport struct {
	settings

	request  *http.Request  // the template of all requests
	header   []*headerField // pointers within pointers: fmt prints these as addresses, with any verb
	keys     *Credentials   // a pointer for the same reason
	redactor *strings.Replacer
	window   rateWindow
}

type headerField struct{ name, value string }

// NewClient returns a client with these credentials. It sends nothing. It fails if a credential is empty or no valid
// header value, or if an option is invalid; the error does not contain the credentials.
func NewClient(credentials Credentials, opts ...Option) (*Client, error) {
	if err := credentials.check(); err != nil {
		return nil, err
	}
	s := settings{userAgent: defaultUserAgent}
	for _, o := range opts {
		if o == nil {
			return nil, errors.New("fleetio: an option is nil")
		}
		if err := o(&s); err != nil {
			return nil, err
		}
	}
	if s.base == nil {
		s.base, _ = parseBase(defaultBaseURL)
	}
	if s.timeout == 0 {
		s.timeout = s.http.Timeout
	}
	if s.timeout <= 0 {
		s.timeout = defaultTimeout
	}
	if s.http.Transport == nil {
		s.http.Transport = http.DefaultTransport
	}
	//nolint:noctx // each attempt sets its own
	request, err := http.NewRequest(http.MethodPost, s.base.JoinPath(operationPath).String(), nil)
	if err != nil {
		return nil, errors.New("fleetio: the base URL is no URL to send a request to")
	}
	t := &transport{settings: s, request: request, keys: &credentials, redactor: credentials.redactor()}
	t.header = []*headerField{
		{"Accept", "application/json"},
		{"Account-Token", credentials.AccountToken},
		{"Authorization", "Token " + credentials.APIKey},
		{"Content-Type", "application/json"},
		{"User-Agent", s.userAgent},
	}
	if s.apiVersion != "" {
		t.header = append(t.header, &headerField{"X-Api-Version", s.apiVersion})
	}
	return &Client{t}, nil
}

// CreateFault creates a fault and returns it as the service stores it. It sends nothing if [Check] fails.
//
// The error is an [*InvalidError] if nothing was sent because the fault is invalid, a [*RateLimitError] if the rate
// limit is exhausted, and an [*Error] otherwise. [Error.Ambiguous] reports that the fault may have been created, and
// Error.Created that it was. The package comment lists which requests are retried.
func (c *Client) CreateFault(ctx context.Context, f FaultCreate, opts ...CallOption) (*Fault, error) {
	body, err := c.encode(ctx, &f)
	if err != nil {
		return nil, err
	}
	call := call{transport: c.transport, body: body, fault: f, waits: ctx}
	for _, o := range opts {
		if o.raw != nil {
			call.raw = o.raw
			*o.raw = nil
		}
	}
	return call.do(ctx)
}

// encode checks a fault and returns the body of its request.
func (c *Client) encode(ctx context.Context, f *FaultCreate) ([]byte, error) {
	switch {
	case c == nil || c.transport == nil:
		return nil, errors.New("fleetio: the client was not made by NewClient")
	case ctx == nil:
		return nil, errors.New("fleetio: the context is nil")
	}
	if err := Check(*f); err != nil {
		return nil, err
	}
	return json.Marshal(f)
}
