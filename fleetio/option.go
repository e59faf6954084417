package fleetio

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// settings are the values of the options. The requests of a client share them, so they never change.
type settings struct {
	base        *url.URL
	insecure    bool // http for other hosts than loopback
	http        http.Client
	timeout     time.Duration // 0 for the default
	userAgent   string
	apiVersion  string
	unversioned bool // paths have no version
	retry       RetryPolicy
	retry503    bool
	reconcile   bool
	delay       time.Duration // before the second look-up
	logger      *slog.Logger
	maxBody     int64 // 0 for the default
}

// Option is an option of [NewClient].
type Option func(*settings) error

// WithBaseURL sets the server (default https://secure.fleetio.com): a scheme, a host and an optional path. The scheme
// must be https, except for a loopback address or with [WithInsecureHTTP]. User info, a query and a fragment are errors.
func WithBaseURL(base string) Option {
	return func(s *settings) error {
		u, err := parseBase(base)
		s.base = u
		return err
	}
}

// parseBase returns errors without the URL, which may contain a password.
func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return nil, errors.New("fleetio: the base URL is no URL with a scheme and a host")
	case u.User != nil:
		return nil, errors.New("fleetio: the base URL has user info")
	case u.RawQuery != "" || u.ForceQuery:
		return nil, errors.New("fleetio: the base URL has a query")
	case strings.Contains(base, "#"):
		return nil, errors.New("fleetio: the base URL has a fragment")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("fleetio: the base URL is neither https nor http")
	}
	return u, nil
}

// checkEncryption fails if the credentials would be sent unencrypted to another machine.
func (s *settings) checkEncryption() error {
	if s.insecure || s.base.Scheme == "https" || loopback(s.base.Hostname()) {
		return nil
	}
	return errors.New("fleetio: the base URL is not https, and would send the credentials unencrypted; " +
		"for a test server in another container, WithInsecureHTTP allows it")
}

// WithInsecureHTTP allows a base URL with http for a host that is not loopback, such as a test server in another container
// (default an error). The credentials are then sent unencrypted: never use it with those of a real account.
func WithInsecureHTTP() Option {
	return func(s *settings) error {
		s.insecure = true
		return nil
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// WithHTTPClient sets the HTTP client (default an [http.Client] with [http.DefaultTransport]). It is copied: Transport
// and Jar are used, Timeout is that of [WithTimeout], and CheckRedirect is ignored, because redirects are not followed.
// Wrap its Transport for traces, metrics or recordings. With a Transport that retries by itself, faults may be created
// twice.
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) error {
		if client == nil {
			return errors.New("fleetio: the HTTP client is nil")
		}
		s.http = *client
		return nil
	}
}

// WithTimeout limits one attempt, from dialing to the last byte of the response (default 30 s). The [RetryPolicy]
// limits the number of attempts and the waits between them.
func WithTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if d <= 0 {
			return fmt.Errorf("fleetio: the timeout of %v is not positive", d)
		}
		s.timeout = d
		return nil
	}
}

// WithUserAgent sets the User-Agent header (default "fleetio-go").
func WithUserAgent(name string) Option {
	return func(s *settings) error {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
			return errors.New("fleetio: the user agent is empty or has a character that no header can have")
		}
		s.userAgent = name
		return nil
	}
}

// WithAPIVersion requests a version of the API (X-Api-Version), a date such as "2025-05-05" (default the version that
// the API key is pinned to). From 2025-05-05 on, the paths have no version (/api/faults).
func WithAPIVersion(date string) Option {
	return func(s *settings) error {
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			return errors.New("fleetio: the API version is no date such as 2025-05-05")
		}
		s.apiVersion, s.unversioned = date, date >= "2025-05-05"
		return nil
	}
}

// WithRetryPolicy limits the retries of each call (default the zero [RetryPolicy], with its defaults).
func WithRetryPolicy(p RetryPolicy) Option {
	return func(s *settings) error {
		if p.MaxAttempts < 0 || p.MaxWait < 0 {
			return errors.New("fleetio: the retry policy has a negative limit")
		}
		s.retry = p
		return nil
	}
}

// WithRetry503 retries a 503 with Retry-After like a 429, and reports it as not created (default ambiguous). Use it
// only if the service and every gateway in front of it send such a 503 only when they have not processed the request.
// HTTP does not guarantee that (RFC 9110, section 15.6.4), and forbids to retry a POST automatically without that
// knowledge (section 9.2.2).
func WithRetry503() Option {
	return func(s *settings) error {
		s.retry503 = true
		return nil
	}
}

// defaultDelay is longer than the time after which the usual gateways give up a request: nginx and AWS load balancers 60 s,
// Cloudflare 100 s.
const defaultDelay = 2 * time.Minute

// WithReconcile looks up a fault whose create is ambiguous, or whose 201 is unreadable, and returns it like one that was
// created (see [WithLookedUp] and [Result]). It needs an API key that may read faults, and API version 2025-05-05 or
// later.
//
// The look-up finds a fault by its external_id, and compares vehicle and code. A create without an external_id gets one
// of [NewExternalID]. If the fault is not there, the request may still be on its way through a proxy: the client looks
// again after a delay ([WithReconcileDelay]), and then returns a [*NotFoundError]. It never sends the fault again. If a
// look-up fails or is inconclusive, the error remains the ambiguous [*Error], with the reason.
//
// An external_id of your own should be of one fault only. Older faults with the same external_id, vehicle and code are
// told apart by created_at, compared with the Date of the response; if a response lacks one of them, or several faults
// match, or another create of this client has had the external_id within 5 minutes, the error remains ambiguous. Not
// told apart are faults that another program creates less than 3 s before, or at the same time.
func WithReconcile() Option {
	return func(s *settings) error {
		s.reconcile = true
		return nil
	}
}

// WithReconcileDelay sets the time between the two look-ups of [WithReconcile] and [Client.FindCreated] (default 2
// minutes). It should be longer than any gateway in front of the service holds a request: the usual ones give up after 30
// to 100 s by default.
func WithReconcileDelay(d time.Duration) Option {
	return func(s *settings) error {
		if d <= 0 {
			return fmt.Errorf("fleetio: the delay of %v is not positive", d)
		}
		s.delay = d
		return nil
	}
}

// WithLogger logs retries and faults that were looked up (level Info), and results that [Client.CreateFaults] could not
// return after a break (Warn) (default no log). No header or body is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) error {
		s.logger = logger
		return nil
	}
}

// WithMaxResponseBytes limits the body of a response in bytes, after decompression. A longer one is an [*Error]. The
// default is 1 MiB and 6 bytes for each byte of the request, because the response repeats the fault and may escape it; 16
// MiB for a page of faults.
func WithMaxResponseBytes(n int64) Option {
	return func(s *settings) error {
		if n <= 0 {
			return fmt.Errorf("fleetio: a limit of %d bytes is not positive", n)
		}
		s.maxBody = n
		return nil
	}
}

// CallOption is an option of [Client.CreateFault].
type CallOption struct {
	raw      **http.Response
	lookedUp *bool
}

// WithRawResponse stores the last response in *response, also after an error (default not stored): status, header, and
// the body as far as it was read, which need not be closed; nil without a response. It has no Request, which contains
// the credentials. Nothing is redacted: a server may repeat credentials.
func WithRawResponse(response **http.Response) CallOption { return CallOption{raw: response} }

// WithLookedUp sets *lookedUp to whether the create was ambiguous and the fault was found by [WithReconcile].
func WithLookedUp(lookedUp *bool) CallOption { return CallOption{lookedUp: lookedUp} }

// ManyOption is an option of [Client.CreateFaults].
type ManyOption struct {
	concurrency int
}

// WithConcurrency limits the requests in flight (default 4, minimum 1).
func WithConcurrency(n int) ManyOption { return ManyOption{concurrency: max(n, 1)} }
