package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// BenchmarkCheck checks one exchange of Create Fault. json.Valid and ajv check the two bodies only.
func BenchmarkCheck(b *testing.B) {
	s := loadSpec(b)
	for _, of := range []struct {
		traffic        string
		set            map[string]any
		drifts, failed bool
	}{
		{traffic: "clean"},
		{traffic: "drifting", set: map[string]any{"trace": "5f0c"}, drifts: true},
		{traffic: "failing", set: map[string]any{"id": 0, "status": "closed"}, failed: true},
	} {
		ex := s.exchange(b, of.set)
		b.Run("traffic="+of.traffic, func(b *testing.B) {
			for _, library := range libraries {
				b.Run("tool="+library.name, func(b *testing.B) {
					check, err := library.load(specFile)
					require.NoError(b, err)
					b.ReportAllocs()
					for b.Loop() {
						reported, err := check(ex)
						if err != nil || reported != (of.failed || of.drifts && library.module == "") {
							b.Fatal(reported, err)
						}
					}
				})
			}
			b.Run("tool=json.Valid", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if !json.Valid(ex.Request.Body) || !json.Valid(ex.Response.Body) {
						b.Fatal("invalid")
					}
				}
			})
			b.Run("tool=ajv", func(b *testing.B) { ajv(b, s, ex, !of.failed) })
		})
	}
}

// ajv has Node check the bodies many times.
func ajv(b *testing.B, s spec, ex *traffic.Exchange, valid bool) {
	b.Helper()
	const operation = "/paths/~1api~1v1~1faults/post/"
	n := max(b.N, 50_000) // Node takes longer to start than a benchmark lasts
	cmd := exec.CommandContext(b.Context(), "node", "ajv.mjs")
	cmd.Stdin = bytes.NewReader(encode(b, map[string]any{"spec": s.doc, "valid": valid, "n": n,
		"places": []string{operation + "requestBody/content/application~1json/schema", operation + "responses/201/content/application~1json/schema"},
		"bodies": []string{string(ex.Request.Body), string(ex.Response.Body)}}))
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	require.NoError(b, err)
	elapsed, err := strconv.ParseFloat(strings.TrimSpace(string(output)), 64)
	require.NoError(b, err)
	b.ReportMetric(elapsed/float64(n), "ns/op")
}

// BenchmarkRecording runs a command over a recording of 20,000 exchanges, its start included. An operation is an exchange.
func BenchmarkRecording(b *testing.B) {
	const exchanges = 20_000
	s := loadSpec(b)
	recording := filepath.Join(b.TempDir(), "recording.har")
	w, err := traffic.Create(recording)
	require.NoError(b, err)
	ex := s.exchange(b, nil)
	for range exchanges {
		_, err := w.Write(ex)
		require.NoError(b, err)
	}
	require.NoError(b, w.Close())
	command := filepath.Join(b.TempDir(), "fleetio")
	build := exec.CommandContext(b.Context(), "go", "build", "-o", command, "./cmd/fleetio")
	build.Dir = ".."
	output, err := build.CombinedOutput()
	require.NoError(b, err, string(output))
	for _, of := range []struct {
		tool string
		run  func() ([]byte, error)
	}{
		{"fleetio-verify", func() ([]byte, error) {
			return exec.CommandContext(b.Context(), command, "verify", "--spec", specFile, recording).CombinedOutput()
		}},
		{"redocly-drift", func() ([]byte, error) {
			return peerCommand(b.Context(), "redocly", "drift", recording, "--api", specFile, "--ignore-headers", "*").CombinedOutput()
		}},
	} {
		b.Run("tool="+of.tool, func(b *testing.B) {
			for b.Loop() {
				output, err := of.run()
				require.NoError(b, err, string(output))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/exchanges, "ns/op")
		})
	}
}
