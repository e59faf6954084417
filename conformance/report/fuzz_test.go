package report_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/report"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// FuzzRead reads arbitrary bytes, and merges and writes every report that Read accepts.
func FuzzRead(f *testing.F) {
	contract, err := conformance.Load(testspec.Spec)
	require.NoError(f, err)
	for _, o := range []conformance.Options{{}, {Shard: 1, Shards: 2}} {
		var b bytes.Buffer
		r, err := contract.Verify(traffic.Read(f.Context(), nil, recordings+"/drift.har"), o)
		require.NoError(f, err)
		r.Claims = append(r.Claims[:1], r.Claims[len(r.Claims)-1]) // a short seed, for faster mutations
		require.NoError(f, report.Write(&b, "json", r, report.Options{}))
		f.Add(b.Bytes())
	}
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`{"version":1,"spec":{"sha256":"0"},"findings":[],"drift":[],"notes":[],"known":[],"deviations":[{}],` +
		`"claims":[{"state":"refuted","first":{},"last":{}},{"id":"x#y","state":"unobserved"}],"unchecked":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := report.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		if sum, err := conformance.Merge(r); err == nil {
			r = sum
		}
		for _, format := range report.Formats() {
			require.NoError(t, report.Write(io.Discard, format, r, report.Options{Spec: "a spec.yaml", Strict: true}))
		}
	})
}
