package fleetio_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// pipes is a transport to a server at the other end of a pipe, which gets each request as it is on the wire. Pipes, and
// no sockets, so that time can be a fake.
func pipes(t *testing.T, serve func(net.Conn, *bufio.Reader)) *http.Transport {
	t.Helper()
	var conns sync.WaitGroup
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		conns.Go(func() {
			defer far.Close()
			serve(far, bufio.NewReader(far))
		})
		return near, nil
	}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		conns.Wait()
	})
	return transport
}

// readRequest reads a request to its end.
func readRequest(from *bufio.Reader) error {
	r, err := http.ReadRequest(from)
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
	}
	return err
}

const local = "http://localhost"

// TestSlowBody gives one byte every ten seconds: it is the time for all of it that is limited.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ head, became string }{
		"of a 201": {"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 600\r\n\r\n{\"id\":7,\"x\":\"", wasCreated},
		"of a 500": {"HTTP/1.1 500 Sorry\r\nContent-Length: 600\r\n\r\n", ambiguous},
		"a header": {"HTTP/1.1 201 Created\r\nX-Slow: ", ambiguous},
		"a 429":    {"HTTP/1.1 429 Slow\r\nContent-Length: 600\r\n\r\n", rateLimit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				transport := pipes(t, func(to net.Conn, from *bufio.Reader) {
					if readRequest(from) != nil {
						return
					}
					_, err := io.WriteString(to, row.head)
					for err == nil {
						time.Sleep(10 * time.Second)
						_, err = io.WriteString(to, "x")
					}
				})
				begun := time.Now()
				_, err := client(t, transport, fleetio.WithBaseURL(local)).CreateFault(t.Context(), minimal)
				assert.Equal(t, row.became, became(err))
				assert.Equal(t, 30*time.Second, time.Since(begun))
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.ErrorContains(t, err, "no response within 30s")
			})
		})
	}
}

// TestCutAtEveryByte ends the connection after each byte of a response, in each way that a body may be framed.
func TestCutAtEveryByte(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
	for name, whole := range map[string]string{
		"length":  head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(created)) + created,
		"chunked": head + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n64\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", created[:100], len(created)-100, created[100:]),
		"close":   head + "Connection: close\r\n\r\n" + created,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begins := strings.Index(whole, "\r\n\r\n") + 4
			for at := range len(whole) + 1 {
				requests := 0
				transport := pipes(t, func(to net.Conn, from *bufio.Reader) {
					if readRequest(from) == nil {
						requests++
						_, _ = io.WriteString(to, whole[:at])
					}
				})
				fault, err := client(t, transport, fleetio.WithBaseURL(local)).CreateFault(t.Context(), minimal)
				transport.CloseIdleConnections()
				require.Equal(t, 1, requests, "byte %d", at)
				if at == len(whole) {
					require.NoError(t, err)
					assert.Equal(t, int64(90210), fault.ID)
					continue
				}
				want := ambiguous
				if at >= begins {
					want = wasCreated
				}
				require.Equal(t, want, became(err), "byte %d: %v", at, err)
				// The id is the first property. Some of its digits are no id.
				e := new(fleetio.Error)
				require.ErrorAs(t, err, &e)
				if at > begins+len(`64\r\n{"id":90210,`) {
					require.NotNil(t, e.Fault, "byte %d", at)
				}
				if e.Fault != nil {
					require.Equal(t, int64(90210), e.Fault.ID, "byte %d", at)
				}
			}
		})
	}
}

// TestConnectionIsUsedAgain reads each response to its end, also that of an error.
func TestConnectionIsUsedAgain(t *testing.T) {
	t.Parallel()
	var dialed atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"errors":{"code":["`+strings.Repeat("x", 100<<10)+`"]}}`)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			dialed.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	for range 5 {
		_, err := call(t, server)
		require.ErrorIs(t, err, fleetio.ErrInvalid)
	}
	assert.EqualValues(t, 1, dialed.Load())
}

// TestConnectionThatIsNotMade fails at each step before a request can be written, and is tried again.
func TestConnectionThatIsNotMade(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dialed := 0
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			if dialed++; dialed == 1 {
				return nil, &net.DNSError{Err: "no such host", Name: "secure.fleetio.com", IsNotFound: true}
			}
			near, far := net.Pipe()
			go func() { // hangs up in the middle of the handshake
				_, _ = io.ReadFull(far, make([]byte, 5))
				_ = far.Close()
			}()
			return near, nil
		}}
		_, err := client(t, transport).CreateFault(t.Context(), minimal)
		assert.Equal(t, notCreated, became(err))
		assert.ErrorContains(t, err, "nothing was sent")
		assert.Equal(t, 4, dialed)
	})
}

// TestUntrustedCertificate is not tried again, and sends nothing.
func TestUntrustedCertificate(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request") }))
	var dialed atomic.Int32
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			dialed.Add(1)
		}
	}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it says that the handshake failed
	server.StartTLS()
	defer server.Close()
	_, err := call(t, server, fleetio.WithHTTPClient(&http.Client{Transport: &http.Transport{}}))
	assert.Equal(t, notCreated, became(err))
	var untrusted *tls.CertificateVerificationError
	require.ErrorAs(t, err, &untrusted)
	assert.EqualValues(t, 1, dialed.Load())
}

// TestNoGoroutineIsLeft runs calls of several ends in a bubble, which fails the test if a goroutine stays behind. The end of
// a call depends on its vehicle, as the order of calls at one time is random.
func TestNoGoroutineIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var limited sync.Map
		transport := pipes(t, func(to net.Conn, from *bufio.Reader) {
			for {
				var fault fleetio.FaultCreate
				r, err := http.ReadRequest(from)
				if err != nil || !assert.NoError(t, json.NewDecoder(r.Body).Decode(&fault)) || fault.VehicleID%3 == 0 {
					return
				}
				_, again := limited.LoadOrStore(fault.VehicleID, true)
				if fault.VehicleID%3 == 1 && !again {
					_, _ = io.WriteString(to, "HTTP/1.1 429 Slow\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n")
					continue
				}
				_, _ = fmt.Fprintf(to, "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(created), created)
			}
		})
		c, ended := client(t, transport, fleetio.WithBaseURL(local)), map[string]int{}
		for _, err := range c.CreateFaults(t.Context(), many(30)) {
			var e *fleetio.Error
			assert.True(t, err == nil || errors.As(err, &e))
			ended[became(err)]++
		}
		assert.Equal(t, map[string]int{wasCreated: 20, ambiguous: 10}, ended)
		transport.CloseIdleConnections()
	})
}
