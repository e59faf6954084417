package page

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// BenchmarkPage makes the page of a sandbox that keeps a thousand exchanges: what each window costs, at most four times
// a second.
func BenchmarkPage(b *testing.B) {
	box, err := sandbox.New(sandbox.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(b, err)
	b.Cleanup(func() { _ = box.Close() })
	for range 1000 {
		body := fmt.Sprintf(`{"vehicle_id":1,"code":"P0420","description":"%s"}`, strings.Repeat("x", 500))
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/api/v1/faults", strings.NewReader(body))
		r.Header.Set("Authorization", "Token sandbox-key-integration")
		r.Header.Set("Account-Token", "sandbox-account-northwind")
		r.Header.Set("Content-Type", "application/json")
		box.ServeHTTP(httptest.NewRecorder(), r)
	}
	p := New(box, func(*sandbox.Exchange) ([]Finding, error) { return nil, nil })
	for _, path := range []string{"/", "/?exchange=990"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				w.Body = nil
				p.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, path, nil))
				require.Equal(b, http.StatusOK, w.Code)
			}
		})
	}
}
