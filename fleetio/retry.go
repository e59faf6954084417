package fleetio

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// RetryPolicy limits the retries of a call. Which outcomes are retried is fixed: see the package comment.
type RetryPolicy struct {
	// MaxAttempts is the maximum number of requests, the first included (default 4). 1 disables retries.
	MaxAttempts int
	// MaxWait is the maximum time between the attempts, all waits together (default 2 minutes). A longer Retry-After is
	// not waited for.
	MaxWait time.Duration
}

// limits returns the policy with its defaults.
func (p RetryPolicy) limits() RetryPolicy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = 4
	}
	if p.MaxWait == 0 {
		p.MaxWait = 2 * time.Minute
	}
	return p
}

// jitter extends a wait by up to a tenth, at most 1 s, so that clients that were rejected together do not return
// together. It never shortens one.
func jitter(wait time.Duration) time.Duration {
	return wait + rand.N(min(wait/10, time.Second)+1) //nolint:gosec // no secret
}

// do sends the request until it succeeds or cannot be retried. The error is an [*Error] or a [*RateLimitError].
func (c *call) do(ctx context.Context) error {
	policy := c.retry.limits()
	var waited time.Duration
	for attempts := 1; ; attempts++ {
		window, err := c.awaitWindow(policy)
		if err != nil {
			return err
		}
		if err := c.waits.Err(); err != nil {
			e := c.newError(err)
			e.unsent = true
			return e
		}
		e := c.attempt(ctx)
		if e == nil {
			return nil
		}
		after, has := retryAfter(e.Header, time.Now())
		if e.StatusCode == http.StatusTooManyRequests && c.paced {
			c.window.learn(window, time.Now(), after, has)
		}
		wait, retry := backoff(e, attempts, after, has)
		left := policy.MaxWait - waited
		if !retry || attempts >= policy.MaxAttempts || wait > left || exceedsDeadline(ctx, wait) {
			return typed(e, after)
		}
		wait = min(jitter(wait), left)
		waited += wait
		if c.logger != nil {
			c.logger.LogAttrs(ctx, slog.LevelInfo, "fleetio: retrying", slog.Int("attempt", attempts+1),
				slog.Duration("wait", wait), slog.String("error", e.Error()))
		}
		if err := sleep(c.waits, wait); err != nil { //nolint:contextcheck // see call
			if e.Err != nil {
				err = fmt.Errorf("%w: %w", err, e.Err)
			}
			e.Err = err
			return typed(e, after)
		}
	}
}

// backoff implements the table of the package comment: it returns the wait before the next attempt, without jitter, and
// whether there may be one.
func backoff(e *Error, attempts int, after time.Duration, has bool) (time.Duration, bool) {
	var certificate *tls.CertificateVerificationError
	switch {
	case e.StatusCode == http.StatusTooManyRequests || e.refused:
		return after, has
	case errors.As(e.Err, &certificate):
		return 0, false
	case e.isRead && has && e.mayPass():
		return after, true
	case e.isRead && e.mayPass():
	case !e.unsent, errors.Is(e.Err, context.Canceled), errors.Is(e.Err, context.DeadlineExceeded):
		return 0, false
	}
	return 250 * time.Millisecond << min(attempts-1, 10), true
}

// mayPass reports whether a read that failed may succeed later: without a response, with one that cannot be read, and with
// a status of a failure of the service or of a gateway.
func (e *Error) mayPass() bool {
	switch e.StatusCode / 100 {
	case 0, 4, 5:
		return e.mayBeOfGateway()
	default:
		return e.StatusCode == http.StatusOK
	}
}

// exceedsDeadline reports whether a wait ends after the deadline of the context.
func exceedsDeadline(ctx context.Context, wait time.Duration) bool {
	deadline, has := ctx.Deadline()
	return has && time.Until(deadline) <= wait
}

// typed returns the last error of a call with its type.
func typed(e *Error, after time.Duration) error {
	if e.StatusCode == http.StatusTooManyRequests {
		return &RateLimitError{RetryAfter: after, Err: e}
	}
	return e
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// retryAfter returns the wait of a Retry-After (RFC 9110, section 10.2.3): whole seconds or a date. A date is compared
// with the Date of the response, if there is one, because the clocks may differ; a past date is a wait of 0.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	value := header.Get("Retry-After")
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		const maxSeconds = math.MaxInt64 / uint64(time.Second)
		return time.Duration(min(seconds, maxSeconds)) * time.Second, true
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	if sent, err := http.ParseTime(header.Get("Date")); err == nil {
		now = sent
	}
	return max(date.Sub(now), 0), true
}
