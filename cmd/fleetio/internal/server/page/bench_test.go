package page

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// BenchmarkPage makes the page: what each window costs, at most four times a second.
func BenchmarkPage(b *testing.B) {
	for _, size := range []struct {
		name      string
		n, length int
	}{{"1000 short ones", 1000, 500}, {"8 of 1 MB", 8, 1_000_000}} {
		box, err := sandbox.New()
		require.NoError(b, err)
		b.Cleanup(func() { _ = box.Close() })
		fill(b, box, size.n, size.length)
		p := New(box, func(*sandbox.Exchange) ([]Finding, error) { return nil, nil })
		for _, path := range []string{"/", "/?exchange=8"} {
			b.Run(size.name+path, func(b *testing.B) {
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
}
