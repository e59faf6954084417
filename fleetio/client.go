package fleetio

import (
	"context"
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
	defaultMaxPage   = 16 << 20
	maxEscape        = int64(len(`\u003c`)) // bytes of JSON for one byte of a string
)

// Client creates faults and reads them back. [NewClient] returns one. It is safe for concurrent use.
type Client struct {
	*transport
}

// transport is the state of a client.
type transport struct {
	settings

	template *http.Request // of all creates; has the credentials
	keys     *Credentials  // pointers within pointers: fmt prints these as addresses, with any verb
	redactor *strings.Replacer
	window   rateWindow
	uses     idUses
}

// NewClient returns a client with these credentials. It sends nothing. It fails if a credential is empty or no valid
// header value, or if an option is invalid; the error does not contain the credentials.
func NewClient(credentials Credentials, opts ...Option) (*Client, error) {
	if err := credentials.check(); err != nil {
		return nil, err
	}
	s := settings{userAgent: defaultUserAgent, delay: defaultDelay}
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
	if err := s.checkEncryption(); err != nil {
		return nil, err
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
	t := &transport{settings: s, keys: &credentials, redactor: credentials.redactor()}
	var err error
	if t.template, err = t.prepare(fleetioapi.NewCreateFaultRequest(anyServer, fleetioapi.FaultCreate{})); err != nil {
		return nil, errors.New("fleetio: the base URL is no URL to send a request to")
	}
	return &Client{t}, nil
}

// anyServer is the server of a generated request before prepare.
const anyServer = "/"

// prepare completes a generated request, whose method, path, query and Content-Type come from the contract. It removes
// the body, which each attempt sets.
func (t *transport) prepare(r *http.Request, err error) (*http.Request, error) {
	if err != nil {
		return nil, err
	}
	path := r.URL.EscapedPath()
	if alias, has := fleetioapi.PathWithoutVersion(path); has && t.unversioned {
		path = alias
	}
	target := t.base.JoinPath(path)
	target.RawQuery = r.URL.RawQuery
	//nolint:noctx,gosec // each attempt sets its own context, and the caller chooses the server
	prepared, err := http.NewRequest(r.Method, target.String(), nil)
	if err != nil {
		return nil, err
	}
	prepared.Header = r.Header
	prepared.Header.Set("Accept", "application/json")
	prepared.Header.Set("Account-Token", t.keys.AccountToken)
	prepared.Header.Set("Authorization", "Token "+t.keys.APIKey)
	prepared.Header.Set("User-Agent", t.userAgent)
	if t.apiVersion != "" {
		prepared.Header.Set("X-Api-Version", t.apiVersion)
	}
	return prepared, nil
}

// check fails if a call has no client or no context.
func (c *Client) check(ctx context.Context) error {
	switch {
	case c == nil || c.transport == nil:
		return errors.New("fleetio: the client was not made by NewClient")
	case ctx == nil:
		return errors.New("fleetio: the context is nil")
	default:
		return nil
	}
}
