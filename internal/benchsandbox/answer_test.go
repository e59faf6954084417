package main

import (
	"bufio"
	"bytes"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
	for name, test := range map[string]struct {
		sent     string
		status   int
		location string
		id       int64
		err      error
	}{
		"created":           {sent: ok + "Location: /api/v1/faults/90210\r\nContent-Length: 27\r\n\r\n" + `{"account_id":1,"id":90210}`, status: 201, location: "/api/v1/faults/90210", id: 90210},
		"other case":        {sent: ok + "location:/7\r\ncontent-LENGTH:8\r\n\r\n" + `{"id":7}`, status: 201, location: "/7", id: 7},
		"no id":             {sent: ok + "Content-Length: 2\r\n\r\n{}", status: 201},
		"an id that is not": {sent: ok + "Content-Length: 11\r\n\r\n" + `{"id":null}`, status: 201},
		"an account only":   {sent: ok + "Content-Length: 17\r\n\r\n" + `{"account_id":12}`, status: 201},
		"no body":           {sent: "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", status: 503},
		"no reason":         {sent: "HTTP/1.1 201\r\nContent-Length: 0\r\n\r\n", status: 201},
		"an endless id":     {sent: ok + "Content-Length: 30\r\n\r\n" + `{"id":999999999999999999999999`, status: 201, id: 999999999999999999},

		"no length":       {sent: ok + "\r\n", err: errLength},
		"chunked":         {sent: ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", err: errLength},
		"both":            {sent: ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", err: errLength},
		"two lengths":     {sent: ok + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", err: errLength},
		"negative length": {sent: ok + "Content-Length: -1\r\n\r\n", err: errLength},
		"odd length":      {sent: ok + "Content-Length: two\r\n\r\n{}", err: errLength},
		"huge length":     {sent: ok + "Content-Length: 99999999999999999999\r\n\r\n{}", err: errLength},
		"large":           {sent: ok + "Content-Length: 16384\r\n\r\n{}", err: errLarge},
		"large header":    {sent: ok + "X: " + strings.Repeat("x", maxAnswer), err: errLarge},
		"more":            {sent: ok + "Content-Length: 2\r\n\r\n{}H", err: errEarly},
		"HTTP/1.0":        {sent: "HTTP/1.0 201 Created\r\nContent-Length: 2\r\n\r\n{}", err: errHead},
		"odd status":      {sent: "HTTP/1.1 2x1 Created\r\nContent-Length: 2\r\n\r\n{}", err: errHead},
		"odd line":        {sent: "HTTP/1.1 201 \n\nContent-Length: 0\r\n\r\n", err: errHead},
		"empty head":      {sent: "\r\n\r\n", err: errHead},
		"cut head":        {sent: ok, err: io.ErrUnexpectedEOF},
		"cut body":        {sent: ok + "Content-Length: 3\r\n\r\n{}", err: io.ErrUnexpectedEOF},
		"nothing":         {err: io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, from := range []io.Reader{
				strings.NewReader(test.sent), iotest.HalfReader(strings.NewReader(test.sent)), iotest.DataErrReader(strings.NewReader(test.sent)),
			} {
				got, err := (&answers{from: from}).next()
				require.ErrorIs(t, err, test.err)
				if err == nil {
					assert.Equal(t, test.status, got.status)
					assert.Equal(t, test.location, string(got.location))
					assert.Equal(t, test.id, got.id())
				}
			}
		})
	}
}

func TestAnswersOneAfterTheOther(t *testing.T) {
	t.Parallel()
	const one = "HTTP/1.1 201 Created\r\nContent-Length: 8\r\n\r\n"
	read := &answers{from: iotest.OneByteReader(strings.NewReader(one + `{"id":7}` + one + `{"id":8}`))}
	for id := int64(7); id <= 8; id++ {
		got, err := read.next()
		require.NoError(t, err)
		assert.Equal(t, id, got.id())
	}
}

// FuzzAnswers compares with net/http, which takes more.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nLocation: /7\r\nContent-Length: 8\r\n\r\n{\"id\":7}"))
	f.Add([]byte("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 201 \n\nContent-Length:0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 429 \r\n\r\n"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		got, err := (&answers{from: bytes.NewReader(sent)}).next()
		if err != nil {
			return
		}
		got.id()
		r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(sent)), nil)
		if err != nil || r.StatusCode != http.StatusCreated {
			return
		}
		defer r.Body.Close()
		want, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		assert.Equal(t, http.StatusCreated, got.status)
		assert.Equal(t, string(want), string(got.body))
	})
}

func TestHistogram(t *testing.T) {
	t.Parallel()
	var h histogram
	assert.Zero(t, h.quantile(0.99), "there is none yet")
	for ns := 1; ns <= 1000; ns++ {
		h.add(time.Duration(ns) * time.Microsecond)
	}
	assert.InEpsilon(t, 500*time.Microsecond, h.quantile(0.5), 1.0/subBuckets)
	assert.InEpsilon(t, 990*time.Microsecond, h.quantile(0.99), 1.0/subBuckets)
	assert.GreaterOrEqual(t, h.quantile(1), time.Millisecond, "a quantile is never less than it is")
	both := h
	both.merge(&h)
	both.add(-time.Second) // a clock that was set back
	assert.EqualValues(t, 1, both[0])
	assert.Equal(t, h.quantile(0.5), both.quantile(0.5))
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	end := time.Duration(-1)
	for i := range len(histogram{}) {
		assert.Equal(t, i, bucket(end+1), "each begins where the one before ends")
		end = bucketEnd(i)
		assert.Equal(t, i, bucket(end))
	}
	assert.Equal(t, time.Duration(1<<37-1), end)
	assert.Equal(t, len(histogram{})-1, bucket(math.MaxInt64), "what is longer counts as the longest")
}
