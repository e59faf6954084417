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

// RetryPolicy limits how a call is tried again. What is tried again at all is fixed: the package comment has the table.
type RetryPolicy struct {
	// MaxAttempts is how often a request is sent at most; 1 means never again. By default, 4.
	MaxAttempts int
	// MaxWait is how long a call waits at most between its attempts, all waits together. What asks for a longer wait is
	// not waited for at all. By default, 2 minutes.
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

// jitter lengthens a wait by up to a tenth, and a second at most, so that clients that were refused together do not come
// back together. No wait is shortened.
func jitter(wait time.Duration) time.Duration {
	return wait + rand.N(min(wait/10, time.Second)+1) //nolint:gosec // no secret
}

// do sends the request until an attempt is the last one.
func (c *call) do(ctx context.Context) (*Fault, error) {
	policy := c.retry.limits()
	var waited time.Duration
	for tries := 1; ; tries++ {
		turn, err := c.turn(policy)
		if err != nil {
			return nil, err
		}
		if err := c.pause.Err(); err != nil {
			return nil, &Error{Err: err, unsent: true}
		}
		fault, e := c.attempt(ctx)
		if e == nil {
			return fault, nil
		}
		told, isTold := retryAfter(e.Header, time.Now())
		if e.StatusCode == http.StatusTooManyRequests && c.paced {
			c.window.refused(turn, time.Now(), told, isTold)
		}
		wait, again := backoff(e, tries, told, isTold)
		if left := policy.MaxWait - waited; !again || tries >= policy.MaxAttempts || wait > left || late(ctx, wait) {
			return nil, finish(e, told)
		}
		wait = min(jitter(wait), policy.MaxWait-waited)
		waited += wait
		if c.logger != nil {
			c.logger.LogAttrs(ctx, slog.LevelInfo, "fleetio: trying again", slog.Int("attempt", tries+1),
				slog.Duration("wait", wait), slog.String("error", e.Error()))
		}
		if err := sleep(c.pause, wait); err != nil { //nolint:contextcheck // see call
			if e.Err != nil {
				err = fmt.Errorf("%w: %w", err, e.Err)
			}
			e.Err = err
			return nil, finish(e, told)
		}
	}
}

// backoff returns the least wait before the next attempt, and whether there may be one: the table of the package comment.
func backoff(e *Error, tries int, told time.Duration, isTold bool) (time.Duration, bool) {
	var certificate *tls.CertificateVerificationError
	switch {
	case e.StatusCode == http.StatusTooManyRequests || e.refused:
		return told, isTold
	case !e.unsent || errors.As(e.Err, &certificate):
		return 0, false
	case errors.Is(e.Err, context.Canceled) || errors.Is(e.Err, context.DeadlineExceeded):
		return 0, false
	default:
		return 250 * time.Millisecond << min(tries-1, 10), true
	}
}

// late reports whether the caller's deadline comes before the end of a wait, which then is not worth beginning.
func late(ctx context.Context, wait time.Duration) bool {
	deadline, has := ctx.Deadline()
	return has && time.Until(deadline) <= wait
}

// finish gives an error that is the last one its type.
func finish(e *Error, told time.Duration) error {
	if e.StatusCode == http.StatusTooManyRequests {
		return &RateLimitError{RetryAfter: told, Err: e}
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

// retryAfter returns the wait that an answer asks for (RFC 9110, section 10.2.3): whole seconds or a date, which is
// taken from the answer's own Date where it has one, as the clocks may differ. A date that is past asks for none.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	text := header.Get("Retry-After")
	if text == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseUint(text, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		const most = math.MaxInt64 / uint64(time.Second)
		return time.Duration(min(seconds, most)) * time.Second, true
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	if sent, err := http.ParseTime(header.Get("Date")); err == nil {
		now = sent
	}
	return max(date.Sub(now), 0), true
}
