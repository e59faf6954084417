package conformance

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

// mostBody is how much of a body is kept for the judge, in bytes, as it was sent and decoded. A longer one counts as not
// recorded.
const mostBody = 1 << 20

// bodyCopy keeps what passes by. Readers and writers of one body may be on several goroutines.
type bodyCopy struct {
	mu    sync.Mutex
	data  []byte
	n     int64
	ended bool // nothing more will come
}

func (c *bodyCopy) add(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += int64(len(p))
	if c.n <= mostBody {
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

// message completes a message with the body, or says that it is not known as a whole. announced is its length; 0 or less
// stands for unknown, as net/http has it.
func (c *bodyCopy) message(header http.Header, announced int64) traffic.Message {
	c.mu.Lock()
	body, n, whole := bytes.Clone(c.data), c.n, c.ended || announced > 0 && c.n == announced
	c.mu.Unlock()
	m := traffic.Message{Header: header, BodyOmitted: n > mostBody || n == 0 && !whole}
	if m.BodyOmitted || n == 0 {
		return m
	}
	body, m.BodyOmitted = decoded(body, header.Values("Content-Encoding"))
	if m.BodyOmitted = m.BodyOmitted || !whole && !isWhole(body); !m.BodyOmitted {
		m.Body = body
	}
	return m
}

// isWhole tells a JSON object or array that nothing is missing of. [json.Decoder] stops there, and whoever uses one seldom
// reads on to the end of the body.
func isWhole(body []byte) bool {
	body = bytes.TrimSpace(body)
	return (bytes.HasSuffix(body, []byte("}")) || bytes.HasSuffix(body, []byte("]"))) && json.Valid(body)
}

// decoded undoes the content codings (RFC 9110, section 8.4), or says that it cannot.
func decoded(body []byte, codings []string) (result []byte, omitted bool) {
	switch coding := strings.ToLower(strings.TrimSpace(strings.Join(codings, ","))); coding {
	case "", "identity":
		return body, false
	case "gzip", "x-gzip":
		if result, err := gunzip(body); err == nil {
			return result, false
		}
	}
	return nil, true
}

func gunzip(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	result, err := io.ReadAll(io.LimitReader(r, mostBody+1))
	if err == nil && len(result) > mostBody {
		err = errors.New("larger than what is kept of a body")
	}
	return result, err
}

// copyingBody is a body that is read by its owner, and copied on the way.
type copyingBody struct {
	io.ReadCloser

	to     *bodyCopy
	ending func() // called when it has been read to its end, cannot be read any further, or is closed; nil for nothing
}

func (b *copyingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.to.add(p[:n])
	}
	if errors.Is(err, io.EOF) {
		b.to.end()
	}
	if err != nil && b.ending != nil {
		b.ending()
	}
	return n, err
}

func (b *copyingBody) Close() error {
	err := b.ReadCloser.Close()
	if b.ending != nil {
		b.ending()
	}
	return err
}
