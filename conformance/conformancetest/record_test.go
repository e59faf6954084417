package conformancetest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/conformancetest"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// TestRecord records what Transport checks, without credentials.
func TestRecord(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"r.ndjson", "r.har"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), name)
			contract := loadContract(t)
			o := &observed{t: t}
			body := string(testspec.Fault(func(f map[string]any) { f["name"] = apiKey }))
			recording := conformancetest.Record(o, contract, created(text(body)), path)
			assert.Equal(t, body, exchangeAll(t, conformancetest.Transport(o, contract, recording), newCreate(t, "http://127.0.0.1:1", request)))
			assert.Empty(t, o.end())
			written, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.NotContains(t, string(written), apiKey)
			assert.NotContains(t, string(written), accountToken)
			n := 0
			for ex, err := range traffic.Read(t.Context(), nil, path) {
				require.NoError(t, err)
				n++
				assert.Equal(t, "http://127.0.0.1:1/api/v1/faults", ex.URL.String())
				assert.JSONEq(t, request, string(ex.Request.Body))
				findings, err := contract.Check(ex)
				require.NoError(t, err)
				assert.Empty(t, findings)
			}
			assert.Equal(t, 1, n)
		})
	}
}

// TestRecordFails if the file cannot be written; the exchanges pass all the same.
func TestRecordFails(t *testing.T) {
	t.Parallel()
	o := &observed{t: t}
	transport := conformancetest.Record(o, loadContract(t), created(text("{}")), filepath.Join(t.TempDir(), "no", "r.har"))
	assert.Equal(t, "{}", exchangeAll(t, transport, newCreate(t, "http://127.0.0.1:1", request)))
	errs := o.end()
	require.Len(t, errs, 1)
	assert.Contains(t, errs[0], "no such file")
}
