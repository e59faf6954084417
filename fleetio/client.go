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
	longestEscape    = int64(len(`\u003c`)) // what JSON may make of a byte
	operationPath    = "api/v1/faults"
)

// Client creates faults. It is made by [NewClient], and safe for concurrent use.
type Client struct {
	*transport
}

// transport is what a client keeps.
type transport struct {
	settings

	request *http.Request  // what all requests have in common
	header  []*headerField // pointers within pointers: with any verb, fmt prints these as numbers
	keys    *Credentials   // a pointer, too
	hide    *strings.Replacer
	window  window
}

type headerField struct{ name, value string }

// NewClient returns a client that calls with these credentials. It sends nothing. The error is that of a credential that
// no header can hold, or of an option; it does not repeat the credentials.
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
	request, err := http.NewRequest(http.MethodPost, s.base.JoinPath(operationPath).String(), nil) //nolint:noctx // each attempt sets its own
	if err != nil {
		return nil, errors.New("fleetio: the base URL is no URL to send a request to")
	}
	t := &transport{settings: s, request: request, keys: &credentials, hide: credentials.hider(), header: []*headerField{
		{"Accept", "application/json"},
		{"Account-Token", credentials.AccountToken},
		{"Authorization", "Token " + credentials.APIKey},
		{"Content-Type", "application/json"},
		{"User-Agent", s.userAgent},
	}}
	if s.apiVersion != "" {
		t.header = append(t.header, &headerField{"X-Api-Version", s.apiVersion})
	}
	return &Client{t}, nil
}

// CreateFault creates a fault and returns it as the service keeps it. Nothing is sent where [Check] finds something.
//
// The error is an [*InvalidError] where nothing was sent because of the fault, a [*RateLimitError] where the rate limit
// is used up, and an [*Error] for every other outcome that is not a fault in a 201. [Error.Ambiguous] tells where the
// fault may have been created, and Created where it was. The package comment has the table of what is tried again.
func (c *Client) CreateFault(ctx context.Context, f FaultCreate, opts ...CallOption) (*Fault, error) {
	body, err := c.encode(ctx, &f)
	if err != nil {
		return nil, err
	}
	call := call{transport: c.transport, body: body, fault: f, pause: ctx}
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
	if found := fleetioapi.CheckFaultCreate(f); found != nil {
		return nil, &InvalidError{Violations: found}
	}
	return json.Marshal(f)
}
