package capture

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// MaxBody is the maximum size of a copied body, in bytes, both as sent and decoded. A longer one counts as not recorded.
const MaxBody = 1 << 20

// Memory bounds the size of bodies that several exchanges hold. A nil Memory has no bound.
type Memory struct{ left atomic.Int64 }

// NewMemory returns a bound in bytes.
func NewMemory(size int64) *Memory {
	m := &Memory{}
	m.left.Store(size)
	return m
}

// Take reports whether there are n bytes left, and takes them.
func (m *Memory) Take(n int) bool {
	if m == nil || m.left.Add(int64(-n)) >= 0 {
		return true
	}
	m.Give(n)
	return false
}

// Give gives n bytes back.
func (m *Memory) Give(n int) {
	if m != nil {
		m.left.Add(int64(n))
	}
}

// Body is a copy of the part of a body that is read or written, by one or more goroutines. The zero value is an empty one
// that is not complete, of unknown length.
type Body struct {
	memory *Memory
	length int64 // announced; 0 or less means unknown, as in net/http

	mu    sync.Mutex
	data  []byte
	n     int64 // size in bytes
	ended bool  // the body is complete
	lost  bool  // there was no memory left
	full  bool  // no more is copied
}

// Add copies the next part, and reports whether it completes a body of known length.
func (b *Body) Add(p []byte) (isComplete bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n += int64(len(p))
	if !b.full {
		b.lost = b.n <= MaxBody && !b.memory.Take(len(p))
		if b.lost || b.n > MaxBody {
			b.drop()
		} else {
			b.data = append(b.data, p...)
		}
	}
	isComplete = b.length > 0 && b.n == b.length
	b.ended = b.ended || isComplete
	return isComplete
}

// End marks the body as complete.
func (b *Body) End() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}

// Message returns a message with the decoded body, or with BodyOmitted where the copy is not complete.
func (b *Body) Message(header http.Header) traffic.Message {
	b.mu.Lock()
	body, n, ended := bytes.Clone(b.data), b.n, b.ended
	b.mu.Unlock()
	m := traffic.Message{Header: header, BodyOmitted: n != int64(len(body)) || n == 0 && !ended}
	if m.BodyOmitted || n == 0 {
		return m
	}
	body, isOmitted, err := traffic.Decode(header["Content-Encoding"], body)
	m.BodyOmitted = isOmitted || err != nil || len(body) > MaxBody || !ended && !isCompleteJSON(body)
	if !m.BodyOmitted {
		m.Body = body
	}
	return m
}

// drop frees the copy, and stops copying.
func (b *Body) drop() {
	b.memory.Give(len(b.data))
	b.data, b.full = nil, true
}

func (b *Body) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop()
}

func (b *Body) isLost() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lost
}

// isCompleteJSON reports whether the body is a complete JSON object or array: a [json.Decoder] stops reading there, and
// most callers do not read on to the end of the body.
func isCompleteJSON(body []byte) bool {
	body = bytes.TrimSpace(body)
	return (bytes.HasSuffix(body, []byte("}")) || bytes.HasSuffix(body, []byte("]"))) && json.Valid(body)
}

// reader copies a body as it is read.
type reader struct {
	io.ReadCloser

	copy  *Body
	onEnd func() // called before the end of the body is returned, after an error and on Close; may be nil
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	isComplete := r.copy.Add(p[:n])
	if errors.Is(err, io.EOF) {
		r.copy.End()
	}
	if (isComplete || err != nil) && r.onEnd != nil {
		r.onEnd()
	}
	return n, err
}

func (r *reader) Close() error {
	err := r.ReadCloser.Close()
	if r.onEnd != nil {
		r.onEnd()
	}
	return err
}
