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

// settings are what the options set. A client shares them between its calls, so nothing changes them later.
type settings struct {
	base       *url.URL
	http       http.Client
	timeout    time.Duration // 0 where no option gave one
	userAgent  string
	apiVersion string
	retry      RetryPolicy
	retry503   bool
	logger     *slog.Logger
	maxBody    int64 // 0 where no option gave one
}

// Option sets something of a [Client].
type Option func(*settings) error

// WithBaseURL sets the server: a scheme and a host, and a path if the API is behind one. It must be https, but for a
// loopback address, and may have no user info, query or fragment. By default, https://secure.fleetio.com.
func WithBaseURL(base string) Option {
	return func(s *settings) error {
		u, err := parseBase(base)
		s.base = u
		return err
	}
}

// parseBase does not repeat the URL in an error, as it may hold a password.
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
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return nil, errors.New("fleetio: the base URL is not https, and would send the credentials in the clear")
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// WithHTTPClient sets the client that sends. It is copied: its Transport and Jar are used, redirects are not followed
// whatever its CheckRedirect says, and its Timeout, if any, counts as [WithTimeout]. Wrap its Transport to see or change
// requests and responses, for traces, metrics or a recording. A Transport that sends a request again on its own breaks
// the promise that no fault is created twice. By default, an [http.Client] with [http.DefaultTransport].
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) error {
		if client == nil {
			return errors.New("fleetio: the HTTP client is nil")
		}
		s.http = *client
		return nil
	}
}

// WithTimeout sets how long one attempt may take, from dialing to the last byte of the answer. A call takes no longer
// than the attempts and the waits of its [RetryPolicy] together. By default, 30 seconds.
func WithTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if d <= 0 {
			return fmt.Errorf("fleetio: the timeout of %v is not positive", d)
		}
		s.timeout = d
		return nil
	}
}

// WithUserAgent sets the User-Agent header. By default, "fleetio-go".
func WithUserAgent(name string) Option {
	return func(s *settings) error {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
			return errors.New("fleetio: the user agent is empty or has a character that no header may have")
		}
		s.userAgent = name
		return nil
	}
}

// WithAPIVersion sets the version of the API that is asked for, a date such as "2025-05-05" (X-Api-Version). By default,
// the version that the API key is pinned to.
func WithAPIVersion(date string) Option {
	return func(s *settings) error {
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			return errors.New("fleetio: the API version is no date such as 2025-05-05")
		}
		s.apiVersion = date
		return nil
	}
}

// WithRetryPolicy sets how often and how long a call is tried again. By default, the zero [RetryPolicy].
func WithRetryPolicy(p RetryPolicy) Option {
	return func(s *settings) error {
		if p.MaxAttempts < 0 || p.MaxWait < 0 {
			return errors.New("fleetio: the retry policy has a negative limit")
		}
		s.retry = p
		return nil
	}
}

// WithRetry503 makes a call retry a 503 that has a Retry-After, as it does a 429, and report it as not created. It is for
// a service that is known to send such a 503 only when it has done nothing, itself and each gateway in front of it. HTTP
// does not promise that: a 503 does not say that the request was not processed (RFC 9110, section 15.6.4), and a POST must
// not be retried automatically unless it is known that it was not (section 9.2.2). By default, each 503 is ambiguous.
func WithRetry503() Option {
	return func(s *settings) error {
		s.retry503 = true
		return nil
	}
}

// WithLogger sets where retries are logged (level Info), and results that nobody took because [Client.CreateFaults] was
// broken off (Warn). No header or body is logged. By default, nothing is.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) error {
		s.logger = logger
		return nil
	}
}

// WithMaxResponseBytes sets how much of an answer's body is read, counted after decompression. A longer one is an
// [*Error]. By default, 1 MiB, and six bytes for each that was sent, as the answer repeats the fault and may escape it.
func WithMaxResponseBytes(n int64) Option {
	return func(s *settings) error {
		if n <= 0 {
			return fmt.Errorf("fleetio: a limit of %d bytes is not positive", n)
		}
		s.maxBody = n
		return nil
	}
}

// CallOption sets something of one call.
type CallOption struct {
	raw **http.Response
}

// WithRawResponse makes the call store the last answer that it got, also that of an error: the status, the header, and
// the body as far as it was read, which need not be closed. It has no Request, as that holds the credentials. Nothing is
// taken out of it: a server may repeat credentials. Where no answer came, it stores nil. By default, no answer is kept.
func WithRawResponse(to **http.Response) CallOption { return CallOption{raw: to} }

// ManyOption sets something of [Client.CreateFaults].
type ManyOption struct {
	concurrency int
}

// WithConcurrency sets how many calls may be on their way at once; less than 1 counts as 1. By default, 4.
func WithConcurrency(n int) ManyOption { return ManyOption{concurrency: max(n, 1)} }
