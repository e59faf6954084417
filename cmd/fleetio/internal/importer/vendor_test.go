package importer

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

const (
	testKey   = "key-3f9a1c7b"
	testToken = "account-77d0e2"
)

// vendor is a server that creates every fault, and counts what it is sent by external_id.
type vendor struct {
	*httptest.Server

	mu   sync.Mutex
	sent map[string]int
}

func newVendor(t *testing.T) *vendor {
	t.Helper()
	v := &vendor{sent: map[string]int{}}
	v.Server = httptest.NewServer(v)
	t.Cleanup(v.Close)
	return v
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		ExternalID string `json:"external_id"`
		VehicleID  int64  `json:"vehicle_id"`
		Code       string `json:"code"`
	}
	if r.Method == http.MethodGet {
		http.NotFound(w, r) // it has no look-up
		return
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	v.mu.Lock()
	v.sent[body.ExternalID]++
	v.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, fmt.Sprintf(`{"id":90210,"account_id":12,"vehicle_id":%d,"code":%q,"count":null,"description":null,`+
		`"status":"open","is_sample":false}`, body.VehicleID, body.Code))
}

func (v *vendor) counts() map[string]int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.sent)
}

// table is a CSV file of n faults, with the ids 1 to n.
func table(n int) string {
	var b strings.Builder
	b.WriteString("external_id,vehicle_id,code\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "%d,4711,P%04d\n", i, i)
	}
	return b.String()
}
