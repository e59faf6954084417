package sandbox

import (
	"context"
	"net/http"
	"time"
)

// Exchange is a request that arrived, with the answer that it got.
type Exchange struct {
	Number int64         // from 1, in the order in which they were answered
	At     time.Time     // when the request arrived
	Took   time.Duration // until the answer was made
	// Account and APIKey are the names of the caller's in the fixtures; "" where the request was not authenticated. An
	// account without a name is "account" and its id.
	Account, APIKey string

	Method string
	URL    string // as it was sent: path and query
	// Header and Body are what was sent; Body is nothing where it was too long. In all of the exchange, "[hidden]" stands in
	// place of the credentials in the header, and, where they have six characters or more, of what repeats them and of
	// all that the fixtures have.
	Header http.Header
	Body   []byte

	Status       int // of the answer; 0 where the connection was dropped before one
	AnswerHeader http.Header
	AnswerBody   []byte // as much of it as was sent
	// Trouble is what was scripted for this call; "" for nothing.
	Trouble string
}

// Requests returns the exchanges that the sandbox keeps, the oldest first: the last thousand, or as many as
// [WithHistory] says.
func (s *Sandbox) Requests() []Exchange { return s.Since(0) }

// Since returns the exchanges with a higher number that the sandbox still keeps, the oldest first.
func (s *Sandbox) Since(number int64) []Exchange {
	list := s.history.since(number)
	for i := range list {
		s.redactorFor(list[i].Header).exchange(&list[i])
	}
	return list
}

// Unredacted returns an exchange as it was, with the credentials, for whoever judges it and shows nothing of it. It is false
// where the sandbox does not keep that exchange.
func (s *Sandbox) Unredacted(number int64) (Exchange, bool) {
	for _, e := range s.history.since(number - 1) {
		return e, e.Number == number
	}
	return Exchange{}, false
}

// Wait returns when there is an exchange with a higher number, or with the error of ctx.
func (s *Sandbox) Wait(ctx context.Context, number int64) error { return s.history.wait(ctx, number) }
