//go:build unix

package conformance

import (
	"syscall"
	"testing"

	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// BenchmarkVerify checks an archive of 100 MB, and compares the processor time for each of its entries with that of a plain
// loop: at most an eighth.
func BenchmarkVerify(b *testing.B) {
	contract, doc := load(b)
	path, entries := largeHAR(b, 100_000_000)
	for _, workers := range []int{1, 0} {
		b.Run(map[int]string{1: "ours-1-worker", 0: "ours"}[workers], func(b *testing.B) {
			defer reportCPU(b, entries)()
			for b.Loop() {
				var pool traffic.Pool
				report, err := contract.Verify(pool.Read(b.Context(), nil, path), Options{Workers: workers, Release: pool.Put})
				if err != nil || report.Exchanges != entries || !report.Summary.Conforms || report.Summary.Drift > 0 {
					b.Fatal(err, report)
				}
			}
		})
	}
	b.Run("decoder+kin", func(b *testing.B) {
		router, err := legacy.NewRouter(doc)
		require.NoError(b, err)
		defer reportCPU(b, entries)()
		for b.Loop() {
			if n := decoderAndKin(b, router, path); n != entries {
				b.Fatal(n)
			}
		}
	})
}

// reportCPU returns a function that reports the processor time of the process since then: other processes do not count, as
// they would for the time that has passed.
func reportCPU(b *testing.B, entries int) func() {
	b.Helper()
	now := func() int64 {
		var usage syscall.Rusage
		require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
		return usage.Utime.Nano() + usage.Stime.Nano()
	}
	start := now()
	return func() { b.ReportMetric(float64(now()-start)/float64(b.N*entries), "cpu-ns/entry") }
}
