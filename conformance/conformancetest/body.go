package conformancetest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// maxBody is the maximum size of a body that is checked, in bytes, both as sent and decoded. A longer one counts as not
// recorded.
const maxBody = 1 << 20

// bodyCopy is a copy of the part of a body that is read or written, by one or more goroutines.
type bodyCopy struct {
	mu    sync.Mutex
	data  []byte // nil beyond maxBody
	n     int64  // size in bytes
	ended bool   // the body is complete
}

func (c *bodyCopy) add(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += int64(len(p))
	if c.n <= maxBody {
		c.data = append(c.data, p...)
	} else {
		c.data = nil
	}
}

func (c *bodyCopy) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
}

// message returns the message with the body, or with BodyOmitted where the body is not complete. length is its
// announced length; 0 or less means unknown, as in net/http.
func (c *bodyCopy) message(header http.Header, length int64) traffic.Message {
	c.mu.Lock()
	body, n, complete := bytes.Clone(c.data), c.n, c.ended || length > 0 && c.n == length
	c.mu.Unlock()
	m := traffic.Message{Header: header, BodyOmitted: n > maxBody || n == 0 && !complete}
	if m.BodyOmitted || n == 0 {
		return m
	}
	body, ok := decode(body, header.Values("Content-Encoding"))
	if m.BodyOmitted = !ok || !complete && !isCompleteJSON(body); !m.BodyOmitted {
		m.Body = body
	}
	return m
}

// isCompleteJSON reports whether the body is a complete JSON object or array: a [json.Decoder] stops reading there, and
// most callers do not read on to the end of the body.
func isCompleteJSON(body []byte) bool {
	body = bytes.TrimSpace(body)
	return (bytes.HasSuffix(body, []byte("}")) || bytes.HasSuffix(body, []byte("]"))) && json.Valid(body)
}

// decode decodes the supported content codings (RFC 9110, section 8.4).
func decode(body []byte, codings []string) (decoded []byte, ok bool) {
	switch strings.ToLower(strings.TrimSpace(strings.Join(codings, ","))) {
	case "", "identity":
		return body, true
	case "gzip", "x-gzip":
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, false
		}
		decoded, err := io.ReadAll(io.LimitReader(r, maxBody+1))
		return decoded, err == nil && len(decoded) <= maxBody
	}
	return nil, false
}

// copyingBody copies a body as it is read.
type copyingBody struct {
	io.ReadCloser

	copy  *bodyCopy
	onEnd func() // called at the end of the body, after an error and on Close; may be nil
}

func (b *copyingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.copy.add(p[:n])
	}
	if errors.Is(err, io.EOF) {
		b.copy.end()
	}
	if err != nil && b.onEnd != nil {
		b.onEnd()
	}
	return n, err
}

func (b *copyingBody) Close() error {
	err := b.ReadCloser.Close()
	if b.onEnd != nil {
		b.onEnd()
	}
	return err
}
