package importer

import (
	"context"
	"io"
	"net/http"
)

// Patient keeps a request going when its context is canceled, until its deadline: who breaks it off does not learn
// whether the fault was created.
type Patient struct {
	Next http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (p Patient) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	if deadline, has := r.Context().Deadline(); has {
		ctx, cancel = context.WithDeadline(ctx, deadline)
	}
	response, err := p.Next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	response.Body = endingBody{response.Body, cancel}
	return response, nil
}

// endingBody ends its request's context when it is closed.
type endingBody struct {
	io.ReadCloser

	end context.CancelFunc
}

// Close implements [io.Closer].
func (b endingBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
