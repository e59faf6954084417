package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/proxy"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/recorder"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// recordRun runs record in this process, and calls use with the URL of the proxy.
func recordRun(t *testing.T, use func(url string), args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	reader, writer := io.Pipe()
	var out, errOut bytes.Buffer
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c := &console{stdin: strings.NewReader(""), stdout: writer, stderr: &errOut, now: someDay}
		code = run(ctx, append([]string{"record", "--addr", "127.0.0.1:0"}, args...), c)
		_ = writer.Close()
	}()
	first := make([]byte, 1<<10)
	n, err := reader.Read(first)
	if err == nil {
		found := regexp.MustCompile(`^export FLEETIO_BASE_URL='(.*)'\n$`).FindSubmatch(first[:n])
		require.NotNil(t, found)
		copied := make(chan struct{})
		go func() { defer close(copied); _, _ = io.Copy(&out, reader) }()
		use(string(found[1]))
		stop()
		<-copied
	}
	<-ended
	return code, out.String(), withoutUnchecked(errOut.String())
}

// post sends a create with credentials, and returns the response.
func post(t *testing.T, box *sandbox.Server, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/v1/faults", strings.NewReader(`{"vehicle_id":1,"code":"P0420"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Token "+box.Credentials.APIKey)
	r.Header.Set("Account-Token", box.Credentials.AccountToken)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(body)
}

// TestRecord records a finding, a conforming exchange and one without a response; verify finds the same in the recording.
func TestRecord(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"r.ndjson", "r.har"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := sandbox.Start(t)
			box.InjectNext(sandbox.Edit("set=/id=0"))
			file := filepath.Join(t.TempDir(), name)
			code, stdout, stderr := recordRun(t, func(url string) {
				assert.Contains(t, post(t, box, url), `"id":0`)
				assert.Contains(t, post(t, box, url), `"id":`)
				box.InjectNext(sandbox.DropAfter())
				assert.Contains(t, post(t, box, url), "fleetio record: the server sent no response: EOF")
			}, "--upstream", box.URL, "-o", file)
			assert.Equal(t, exitFindings, code, stderr)
			at := map[string]string{"r.ndjson": "#L1", "r.har": "#/log/entries/0"}[name]
			assert.Contains(t, stdout, file+at+": createFault 201: response.body /id minimum: expected at least 1, found 0 (documented, api/openapi.yaml:")
			assert.Contains(t, stderr, "warning: EOF\n")
			assert.Contains(t, stderr, "note: "+file+": 3 exchanges recorded, 2 checked, ")
			assert.NotContains(t, read(t, file), box.Credentials.APIKey)
			assert.NotContains(t, read(t, file), box.Credentials.AccountToken)
			info, err := os.Stat(file)
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

			code, verified, stderr := fleetio("", "verify", file)
			assert.Equal(t, exitFindings, code, stderr)
			assert.Contains(t, verified, "createFault 201: response.body /id minimum\n")
			assert.Contains(t, verified, "2 exchanges checked: ")
		})
	}
}

func TestRecordRefuses(t *testing.T) {
	t.Parallel()
	existing := write(t, "old.ndjson", "{}\n")
	file := filepath.Join(t.TempDir(), "r.ndjson")
	for name, test := range map[string]struct {
		args     []string
		expected string
	}{
		"no upstream":          {[]string{"-o", file}, "--upstream is missing"},
		"no file":              {[]string{"--upstream", "http://127.0.0.1:1"}, "--output is missing"},
		"an old recording":     {[]string{"--upstream", "http://127.0.0.1:1", "-o", existing}, "exists; remove it or use another name"},
		"no URL":               {[]string{"--upstream", "secure.fleetio.com", "-o", file}, "not a server"},
		"credentials in a URL": {[]string{"--upstream", "http://u:s3cret@127.0.0.1:1", "-o", file}, "--upstream: expected a URL such as"},
		"another host":         {[]string{"--upstream", "http://127.0.0.1:1", "-o", file, "--addr", "0.0.0.0:0"}, "can be reached by other hosts"},
		"no folder":            {[]string{"--upstream", "http://127.0.0.1:1", "-o", "nowhere/r.ndjson"}, "there is no folder nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := recordRun(t, func(string) { assert.Fail(t, "it runs") }, test.args...)
			assert.Equal(t, exitNotRun, code)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, test.expected)
			assert.NotContains(t, stderr, "s3cret")
			assert.NoFileExists(t, file)
		})
	}
}

// BenchmarkRecord compares the median time of a create with and without the proxy. Client, proxy and server share the
// process.
func BenchmarkRecord(b *testing.B) {
	spec, err := new(console).loadSpec("")
	require.NoError(b, err)
	fault := []byte(`{"id":1,"account_id":12,"code":"P0420","count":null,"description":null,"vehicle_id":4711,"status":"open"}`)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(fault)
	}))
	defer upstream.Close()
	measure := func(b *testing.B, url string) {
		var times []time.Duration
		for b.Loop() {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url+"/api/v1/faults", strings.NewReader(`{"vehicle_id":4711,"code":"P0420"}`))
			require.NoError(b, err)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Token 76cbe06c49a64")
			r.Header.Set("Account-Token", "acc0un7-t0ken")
			start := time.Now()
			resp, err := http.DefaultClient.Do(r)
			require.NoError(b, err)
			_, _ = io.Copy(io.Discard, resp.Body)
			require.NoError(b, resp.Body.Close())
			times = append(times, time.Since(start))
		}
		slices.Sort(times)
		b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
	}
	b.Run("direct", func(b *testing.B) { measure(b, upstream.URL) })
	b.Run("recorded", func(b *testing.B) {
		w, err := traffic.Create(filepath.Join(b.TempDir(), "r.ndjson"))
		require.NoError(b, err)
		r := recorder.New(w, spec.contract.Redactor(), proxy.Transport(), func(ex *traffic.Exchange, err error) {
			if assert.NoError(b, err) {
				_, _ = spec.contract.Check(ex)
			}
		})
		target, err := proxy.ParseUpstream(upstream.URL)
		require.NoError(b, err)
		server := httptest.NewServer(proxy.New(target, r, func(err error) { assert.NoError(b, err) }))
		measure(b, server.URL)
		server.Close()
		require.NoError(b, r.Close())
	})
}
