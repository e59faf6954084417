package fleetio_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// TestHTTP2Abort resets the stream when the handler has the request.
func TestHTTP2Abort(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"before the header": "", "in the body": `{"id":7,`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var count atomic.Int32
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				count.Add(1)
				assert.Equal(t, 2, r.ProtoMajor)
				_, _ = io.Copy(io.Discard, r.Body)
				if body != "" {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(http.StatusCreated)
					_, _ = io.WriteString(w, body)
					_ = http.NewResponseController(w).Flush()
				}
				panic(http.ErrAbortHandler)
			}))
			server.EnableHTTP2 = true
			server.StartTLS()
			defer server.Close()
			_, err := call(t, server)
			want := ambiguous
			if body != "" {
				want = wasCreated
			}
			assert.Equal(t, want, became(err), "%v", err)
			assert.EqualValues(t, 1, count.Load())
		})
	}
}

// TestHTTP2StreamErrors ends each stream with an error after its body has come. For some of them net/http sends a
// request again that it can rewind: the server must see one request, whatever the error is.
func TestHTTP2StreamErrors(t *testing.T) {
	t.Parallel()
	certificate := httptest.NewTLSServer(nil)
	t.Cleanup(certificate.Close)
	const data, headers, reset, settings, goAway = 0, 1, 3, 4, 7
	for name, reply := range map[string]func(stream []byte) []byte{
		"protocol error": func(stream []byte) []byte { return frame(reset, stream, 0, 0, 0, 1) },
		"refused stream": func(stream []byte) []byte { return frame(reset, stream, 0, 0, 0, 7) },
		"cancel":         func(stream []byte) []byte { return frame(reset, stream, 0, 0, 0, 8) },
		"goaway":         func([]byte) []byte { return frame(goAway, make([]byte, 4), 0, 0, 0, 0, 0, 0, 0, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certificate.TLS.Certificates, NextProtos: []string{"h2"}})
			require.NoError(t, err)
			var count atomic.Int32
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					go func() {
						defer conn.Close()
						_, err := io.CopyN(io.Discard, conn, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
						if err == nil {
							_, err = conn.Write(frame(settings, make([]byte, 4)))
						}
						for head := make([]byte, 9); err == nil; {
							if _, err = io.ReadFull(conn, head); err != nil {
								return
							}
							length := int64(binary.BigEndian.Uint32(append([]byte{0}, head[:3]...)))
							_, err = io.CopyN(io.Discard, conn, length)
							if head[3] == headers {
								count.Add(1)
							}
							if head[3] == data && head[4]&1 != 0 && err == nil { // the end of the request
								_, err = conn.Write(reply(head[5:9]))
							}
						}
					}()
				}
			}()
			transport := certificate.Client().Transport.(*http.Transport).Clone()
			transport.ForceAttemptHTTP2 = true
			transport.TLSClientConfig.ServerName = "example.com"
			_, err = client(t, transport, fleetio.WithBaseURL("https://"+listener.Addr().String())).CreateFault(t.Context(), minimal)
			transport.CloseIdleConnections()
			require.NoError(t, listener.Close())
			assert.Equal(t, ambiguous, became(err), "%s: %v", name, err)
			assert.EqualValues(t, 1, count.Load(), name)
		})
	}
}

// frame is a frame of HTTP/2 (RFC 9113, section 4.1).
func frame(kind byte, stream []byte, payload ...byte) []byte {
	return append(append([]byte{0, 0, byte(len(payload)), kind, 0}, stream...), payload...)
}
