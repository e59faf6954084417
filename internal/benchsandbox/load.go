package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// patience is how much longer than the measured time a server may take for its last answers.
const patience = 10 * time.Second

// loaded is what came of loading a server once.
type loaded struct {
	Answered int64 `json:"answered"` // all answers, each a 201; those of the warm-up are among them
	Complete int64 `json:"complete"` // of them, those with an id and a Location
	Doubled  int64 `json:"doubled"`  // ids that came more than once

	// What follows is about the measured time only.
	Measured int64         `json:"measured"` // answers
	Took     time.Duration `json:"took"`
	P50      time.Duration `json:"p50"`
	P99      time.Duration `json:"p99"`
}

// load sends creates over all connections until the time is up, each connection the next one when it has the answer.
func load(ctx context.Context, c *config, out io.Writer) error {
	callers, err := connect(ctx, c.load, c.conns[0])
	if err != nil {
		return err
	}
	begin := time.Now()
	measure := span{from: begin.Add(c.warmUp), to: begin.Add(c.warmUp + c.time)}
	failed := make([]error, len(callers))
	var running sync.WaitGroup
	for i, each := range callers {
		defer each.conn.Close() //nolint:errcheck // all answers are in
		running.Go(func() {
			if failed[i] = each.call(measure, int64(i), int64(len(callers))); failed[i] != nil {
				for _, other := range callers {
					_ = other.conn.SetDeadline(time.Unix(1, 0)) // one wrong answer ends the round for all
				}
			}
		})
	}
	running.Wait()
	if err := first(failed); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(sum(callers, measure))
}

// span is the measured time.
type span struct{ from, to time.Time }

// connection makes one call after another.
type connection struct {
	conn    net.Conn
	request request
	answers answers

	answered, measured int64
	last               time.Time // when the last measured answer came
	ids                []int64   // of the complete answers
	times              histogram
}

func connect(ctx context.Context, address string, n int) ([]*connection, error) {
	callers := make([]*connection, n)
	for i := range callers {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		callers[i] = &connection{conn: conn, request: newRequest(address), answers: answers{from: conn}}
	}
	return callers, nil
}

// call begins with the number first and goes on in steps, so that no two callers send the same.
func (c *connection) call(measure span, first, step int64) error {
	if err := c.conn.SetDeadline(measure.to.Add(patience)); err != nil {
		return err
	}
	for number, begin := first, time.Now(); begin.Before(measure.to) || c.measured == 0; number += step {
		c.request.number(number)
		if _, err := c.conn.Write(c.request.wire); err != nil {
			return err
		}
		got, err := c.answers.next()
		if err != nil {
			return err
		}
		if got.status != http.StatusCreated {
			return fmt.Errorf("an answer is a %d: %.500s", got.status, got.body)
		}
		c.answered++
		if id := got.id(); id > 0 && len(got.location) > 0 {
			c.ids = append(c.ids, id)
		}
		end := time.Now()
		c.measure(measure, begin, end)
		begin = end
	}
	return nil
}

// measure counts a call that ended in the measured time; or after it, if it is the first, so that none counts for nothing.
func (c *connection) measure(measure span, begin, end time.Time) {
	if end.After(measure.from) && (!end.After(measure.to) || c.measured == 0) {
		c.measured++
		c.last = end
		c.times.add(end.Sub(begin))
	}
}

// first returns what went wrong first, and not that the others were told to end.
func first(failed []error) error {
	var timeout net.Error
	i := slices.IndexFunc(failed, func(err error) bool { return err != nil && (!errors.As(err, &timeout) || !timeout.Timeout()) })
	if i >= 0 {
		return failed[i]
	}
	return errors.Join(failed...)
}

func sum(callers []*connection, measure span) loaded {
	all := loaded{Took: measure.to.Sub(measure.from)}
	var times histogram
	var ids []int64
	for _, c := range callers {
		all.Answered += c.answered
		all.Measured += c.measured
		all.Took = max(all.Took, c.last.Sub(measure.from))
		times.merge(&c.times)
		ids = append(ids, c.ids...)
	}
	slices.Sort(ids)
	all.Complete = int64(len(ids))
	all.Doubled = all.Complete - int64(len(slices.Compact(ids)))
	all.P50, all.P99 = times.quantile(0.5), times.quantile(0.99)
	return all
}
