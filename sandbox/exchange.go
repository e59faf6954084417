package sandbox

import (
	"context"
	"net/http"
	"time"
)

// Exchange is a request that arrived, with the answer that it got.
type Exchange struct {
	Number int64         // from 1, in the order in which their answers were made
	At     time.Time     // when the request arrived
	Took   time.Duration // until the answer was made; a scripted delay is not part of it
	// Account and APIKey are the names of the caller's in the fixtures; "" where the credentials are nobody's, or nobody
	// looked at them (404, 405). An account without a name is "account" and its id.
	Account, APIKey string

	Method string
	URL    string // as it was sent: path and query
	// Header and Body are what was sent. In all of the exchange, "[redacted]" stands in place of the credentials in the header,
	// and, where they have four characters or more, of what repeats them and of all that the fixtures have.
	Header http.Header
	Body   []byte
	// BodyOmitted says that there was a body that could not be taken in: too long, or broken off. Body is nothing then.
	BodyOmitted bool

	// The answer, as far as it was to be sent: a caller may have left meanwhile.
	Status       int // 0 where the connection was dropped before an answer
	AnswerHeader http.Header
	AnswerBody   []byte
	// Trouble is what was scripted for this call; "" for nothing.
	Trouble string
}

// Requests returns the exchanges that the sandbox keeps, the oldest first: the last thousand, or as many as
// [WithHistory] says. It copies all of them; who only counts asks for [Sandbox.Latest].
func (s *Sandbox) Requests() []Exchange {
	list := s.history.all()
	for i := range list {
		s.redactorFor(list[i].Header).exchange(&list[i])
	}
	return list
}

// Latest returns the number of the newest exchange; 0 where nothing has arrived.
func (s *Sandbox) Latest() int64 { return s.history.latest() }

// Exchange returns one exchange; false where the sandbox does not keep it.
func (s *Sandbox) Exchange(number int64) (Exchange, bool) {
	e, kept := s.history.get(number)
	if kept {
		s.redactorFor(e.Header).exchange(&e)
	}
	return e, kept
}

// Summary is [Sandbox.Exchange] without headers and bodies, for lists: it costs the same however long they are.
func (s *Sandbox) Summary(number int64) (Exchange, bool) {
	e, kept := s.history.get(number)
	if kept {
		r := s.redactorFor(e.Header)
		e.Method, e.URL = r.Text(e.Method), r.url(e.URL)
		e.Header, e.Body, e.AnswerHeader, e.AnswerBody = nil, nil, nil, nil
	}
	return e, kept
}

// Unredacted is [Sandbox.Exchange] with the credentials, for whoever judges it and shows nothing of it. It is not a copy,
// and must not be changed.
func (s *Sandbox) Unredacted(number int64) (Exchange, bool) { return s.history.get(number) }

// Wait returns when there is an exchange with a higher number, or with the error of ctx.
func (s *Sandbox) Wait(ctx context.Context, number int64) error { return s.history.wait(ctx, number) }
