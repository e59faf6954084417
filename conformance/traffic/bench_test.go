package traffic

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// benchArchive is an archive of about n bytes, made of the first entries of what browsers and proxies recorded.
func benchArchive(b *testing.B, n int) []byte {
	b.Helper()
	entry := recordedEntry(b, "chrome.har")
	id := strings.Repeat(`,\"description\":\"Low oil <pressure>, \\\"engine\\\" 2\",\"last_occurred_at\":\"2026-11-20T09:14:03Z\"`, 4)
	entry = strings.Replace(entry, `\"code\":\"SPN-639-9\"}"`, `\"code\":\"SPN-639-9\"`+id+`}"`, 2)
	entries := make([]string, n/len(entry))
	for i := range entries {
		entries[i] = strings.ReplaceAll(entry, "7001", strconv.Itoa(100_000+i))
	}
	return []byte(archive(entries...))
}

// recordedEntry is the first entry of a file, without blanks, as browsers write it.
func recordedEntry(tb testing.TB, name string) string {
	tb.Helper()
	recorded, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	var har struct {
		Log struct{ Entries []json.RawMessage }
	}
	if err := json.Unmarshal(recorded, &har); err != nil {
		tb.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, har.Log.Entries[0]); err != nil {
		tb.Fatal(err)
	}
	return compact.String()
}

// benchLines holds the exchanges of an archive as lines.
func benchLines(b *testing.B, har []byte) []byte {
	b.Helper()
	var lines bytes.Buffer
	for e, err := range readHAR(bytes.NewReader(har), "-") {
		if err == nil {
			err = WriteNDJSON(&lines, e)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	return lines.Bytes()
}

// BenchmarkRead compares reading with what encoding/json needs for the entries.
func BenchmarkRead(b *testing.B) {
	har := benchArchive(b, 8<<20)
	run := func(name string, file []byte) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n = 0
				for _, err := range readAs(bytes.NewReader(file), "-", formatUnknown) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n < 1000 {
					b.Fatal(n, " exchanges")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/exchange")
		})
	}
	run("HAR", har)
	run("NDJSON", benchLines(b, har))
	b.Run("HAR/encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(har)))
		b.ReportAllocs()
		for b.Loop() {
			d := json.NewDecoder(bytes.NewReader(har))
			for tok := json.Token(nil); tok != json.Delim('['); {
				var err error
				if tok, err = d.Token(); err != nil {
					b.Fatal(err)
				}
			}
			for d.More() {
				var e struct { // what a reader of an entry needs
					Request struct {
						Method, URL string
						Headers     []struct{ Name, Value string }
						PostData    struct{ MimeType, Text string }
					}
					Response struct {
						Status  int
						Headers []struct{ Name, Value string }
						Content struct{ MimeType, Text, Encoding string }
					}
				}
				if err := d.Decode(&e); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
