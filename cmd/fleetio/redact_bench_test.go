package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkRedact redacts a HAR file of 16 MiB with 40 sessions of two keys each, and small or large responses. The peer
// copies the file and checks that it is JSON.
func BenchmarkRedact(b *testing.B) {
	for name, size := range map[string]int{"small": 300, "large": 30_000} {
		var entries []string
		var total int
		for i := 0; total < 16<<20; i++ {
			note := strings.Repeat("Catalyst efficiency below threshold, see https://example.com/a?b=c%20d. ", size/70)
			body, err := json.Marshal(map[string]any{"id": i + 1, "account_id": 7, "vehicle_id": 4711, "code": "P0420", "count": 1,
				"description": note, "external_id": nil, "last_occurred_at": "2024-03-14T13:46:27Z", "name": "Catalyst", "status": "open"})
			require.NoError(b, err)
			entry := fmt.Sprintf(`{"request":{"method":"POST","url":"https://secure.fleetio.com/api/v1/faults","headers":[`+
				`{"name":"Authorization","value":"Token k%xe1f77"},{"name":"Account-Token","value":"a%xb2c4"},`+
				`{"name":"User-Agent","value":"Mozilla/5.0 (X11; Linux x86_64)"},{"name":"Content-Type","value":"application/json"}],`+
				`"postData":{"mimeType":"application/json","text":"{\"vehicle_id\":4711,\"code\":\"P0420\"}"}},`+
				`"response":{"status":201,"headers":[{"name":"Content-Type","value":"application/json"}],`+
				`"content":{"mimeType":"application/json","text":%s}}}`, i%40*7919+1234567, i%40*104729+7654321, mustQuote(string(body)))
			entries, total = append(entries, entry), total+len(entry)
		}
		recording := []byte(har(strings.Join(entries, ",")))
		path := filepath.Join(b.TempDir(), "session.har")
		require.NoError(b, os.WriteFile(path, recording, 0o600))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(recording)))
			b.ReportAllocs()
			for b.Loop() {
				code, _, stderr := fleetio("", "redact", "-o", filepath.Join(b.TempDir(), "out.ndjson"), path)
				require.Equal(b, 0, code, stderr)
			}
		})
		b.Run(name+" peer", func(b *testing.B) {
			b.SetBytes(int64(len(recording)))
			for b.Loop() {
				f, err := os.Open(path)
				require.NoError(b, err)
				var copied bytes.Buffer
				_, err = io.Copy(&copied, f)
				require.NoError(b, err)
				require.True(b, json.Valid(copied.Bytes()))
				require.NoError(b, f.Close())
			}
		})
	}
}
