package main

import (
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/importer"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	const object = `{"vehicle_id":4711,"code":"P0420","external_id":"x"}`
	flags := []string{"--vehicle-id", "4711", "--code", "P0420", "--external-id", "x"}
	for name, test := range map[string]struct {
		stdin   string
		args    []string
		handler http.HandlerFunc
		code    int
		stderr  string
		sent    bool
	}{
		"flags":  {args: flags, sent: true},
		"object": {stdin: object, args: []string{"-"}, sent: true},
		"all flags": {args: append([]string{"--count=2", "--description=d", "--last-occurred-at=2026-03-14T13:46:27-06:00", "--name=n",
			"--status=open", "--source=s"}, flags...), sent: true},
		"invalid": {args: flags[2:], code: 1, stderr: "fleetio: not created: nothing was sent: vehicle_id is required\n"},
		"refused": {args: flags, code: 1, sent: true, stderr: "fleetio: not created: 422 Unprocessable Entity: code is unknown\n",
			handler: func(w http.ResponseWriter, _ *http.Request) { reply(w, 422, `{"errors":{"code":["is unknown"]}}`) }},
		"unauthorized": {args: flags, code: 1, sent: true, stderr: "not created: 401 Unauthorized: [redacted]\n",
			handler: func(w http.ResponseWriter, r *http.Request) {
				reply(w, 401, `{"status":401,"title":"`+r.Header.Get("Account-Token")+`"}`)
			}},
		"ambiguous": {args: flags, code: 2, sent: true, stderr: "unknown whether created, external_id x\n",
			handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		"a gateway": {args: flags, code: 2, sent: true, stderr: "fleetio: 503 Service Unavailable: its body is no problem object: the look-up failed: list faults: 404 Not Found: its body is no problem object: unknown whether created, external_id x\n",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "0")
				reply(w, 503, `{}`)
			}},
		"another fault": {args: flags, code: 2, sent: true, stderr: "fleetio: the fault was created: the response is about another fault, as vehicle_id or code is not what was sent: find the id in Fleetio: the look-up failed",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				reply(w, 201, `{"id":7,"vehicle_id":1,"code":"P0420"}`)
			}},
		"created, unreadable": {args: flags, code: 2, sent: true, stderr: "fleetio: the fault was created (id 7)",
			handler: func(w http.ResponseWriter, _ *http.Request) { reply(w, 201, `{"id":7,`) }},
		"flags and object": {args: append([]string{"-"}, flags...), stdin: object, code: 2, stderr: "--code and - exclude each other"},
		"a file":           {args: []string{"fault.json"}, code: 2, stderr: "no other argument"},
		"no number":        {args: []string{"--vehicle-id", "x"}, code: 2, stderr: "fleetio: vehicle_id is not a whole number"},
		"unknown property": {args: []string{"-"}, stdin: `{"vin":"x"}`, code: 2, stderr: `standard input: "vin" is not a field`},
		"no object":        {args: []string{"-"}, stdin: `[]`, code: 2, stderr: "standard input: not a JSON object"},
		"endless":          {args: []string{"-"}, stdin: strings.Repeat(" ", importer.MaxRow+1), code: 2, stderr: "which no fault needs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, func(w http.ResponseWriter, r *http.Request, _ string) bool {
				if test.handler != nil {
					test.handler(w, r)
				}
				return test.handler != nil
			})
			code, stdout, stderr := fleetio(test.stdin, append([]string{"create", "--credentials", keys(t), "--base-url", v.URL}, test.args...)...)
			noCredential(t, stdout, stderr)
			assert.Equal(t, test.code, code, stderr)
			assert.Contains(t, stderr, test.stderr)
			assert.Equal(t, test.sent, len(v.counts()) == 1)
			if test.code != 0 {
				assert.Empty(t, stdout)
				return
			}
			assert.Empty(t, stderr)
			var fault map[string]any
			require.NoError(t, json.Unmarshal([]byte(stdout), &fault))
			assert.InDelta(t, 90210, fault["id"], 0)
			assert.Equal(t, "P0420", fault["code"])
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]fleetioapi.Schema{
		"a whole `NUMBER` from 1":                               {Type: "integer", Minimum: "1"},
		"a `NUMBER` from 0 up to 1.5, or null":                  {Type: "number", Minimum: "0", Maximum: "1.5", Nullable: true},
		"a `WORD`: true, false":                                 {Type: "boolean"},
		"a `WORD`: open, 1":                                     {Type: "string", Enum: []string{`"open"`, "1"}},
		"a `TIME` such as 2026-03-14T13:46:27-06:00 (RFC 3339)": {Type: "string", Format: "date-time"},
		"a `DATE` such as 2026-03-14":                           {Type: "string", Format: "date"},
		"a `TEXT` of up to 0 characters":                        {Type: "string", MaxLength: new(0)},
		"an object as `JSON`":                                   {Type: "object"},
		"any value as `JSON`":                                   {},
		"a `LIST`: a flag for each item, items with commas between them, or a JSON array": {Type: "array"},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, want, limits(&s))
		})
	}
}

// TestImportThroughAGateway stores each row, loses the server and responds as a cache does: import takes the rows for
// ambiguous, stops, and sends none of them again.
func TestImportThroughAGateway(t *testing.T) {
	t.Parallel()
	v := newVendor(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		w.Header().Set("Retry-After", "0")
		reply(w, http.StatusServiceUnavailable, `{}`)
		return true
	})
	path := write(t, "faults.csv", table(15))
	code, stdout, stderr := imports(t, v, "--concurrency", "1", path)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "gave up after 10 consecutive failures")
	assert.Contains(t, stdout, "15 rows: 0 created, 0 created before, 0 rejected, 10 ambiguous, 0 not found, 0 not created, 5 not tried\n")
	code, stdout, _ = imports(t, v, "--concurrency", "1", path)
	assert.Equal(t, 1, code)
	assert.Contains(t, stdout, "15 rows: 0 created, 0 created before, 0 rejected, 15 ambiguous, 0 not found, 0 not created, 0 not tried\n")
	assert.Equal(t, once(15), v.counts())
}

func TestCreateUnprinted(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	var stderr strings.Builder
	code := run(t.Context(), []string{"create", "--credentials", keys(t), "--base-url", v.URL, "--vehicle-id=1", "--code=P1"},
		&console{stdout: brokenPipe{}, stderr: &stderr, now: someDay})
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr.String(), "the fault was created (id 90210), and cannot be printed")
}

func TestCredentialsFromTheEnvironment(t *testing.T) {
	v := newVendor(t, func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		assert.Equal(t, "Token "+testKey, r.Header.Get("Authorization"))
		assert.Equal(t, testToken, r.Header.Get("Account-Token"))
		return false
	})
	t.Setenv(envBaseURL, v.URL+"/")
	t.Setenv(envAPIKey, "")
	t.Setenv(envToken, testToken)
	args := []string{"create", "--vehicle-id=1", "--code=P1"}
	code, _, stderr := fleetio("", args...)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "no credentials; set ")
	assert.Empty(t, v.counts())
	t.Setenv(envAPIKey, testKey)
	code, _, stderr = fleetio("", args...)
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, []int{1}, slices.Collect(maps.Values(v.counts())))
}

func TestReadKeys(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, err string }{
		"expected NAME=VALUE": {"secret-1", "keys:1: expected NAME=VALUE"},
		"twice":               {"A=secret-1\nA=secret-2", "keys:2: duplicate name"},
		"quotes":              {envAPIKey + `="secret-1"`, "keys:1: the value is quoted"},
		"one missing":         {envAPIKey + "=secret-1\nOTHER=x", "keys: no " + envToken},
		"a long line":         {strings.Repeat("s", 70<<10), "token too long"},
		"another file":        {"\x00\x01secret-1", "expected NAME=VALUE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readKeys(write(t, "keys", test.text))
			require.ErrorContains(t, err, test.err)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestKeysForOthersToRead(t *testing.T) { //nolint:tparallel // the cases share a file
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such bits")
	}
	path := keys(t)
	for _, mode := range []os.FileMode{0o604, 0o640, 0o644, 0o602} {
		t.Run(mode.String(), func(t *testing.T) {
			require.NoError(t, os.Chmod(path, mode))
			_, err := readKeys(path)
			require.ErrorContains(t, err, "chmod 600", "%o", mode)
		})
	}
	require.NoError(t, os.Chmod(path, 0o400))
	_, err := readKeys(path)
	require.NoError(t, err)
	_, err = readKeys(filepath.Join(path, "nowhere"))
	require.Error(t, err)
}

// TestCreateInsecure sends by http to an address of this machine that is not loopback.
func TestCreateInsecure(t *testing.T) {
	t.Parallel()
	addresses, err := net.InterfaceAddrs()
	require.NoError(t, err)
	i := slices.IndexFunc(addresses, func(a net.Addr) bool {
		network, is := a.(*net.IPNet)
		return is && network.IP.IsGlobalUnicast() && network.IP.To4() != nil
	})
	if i < 0 {
		t.Skip("this machine has only loopback addresses")
	}
	listener, err := net.Listen("tcp4", addresses[i].(*net.IPNet).IP.String()+":0")
	require.NoError(t, err)
	v := &vendor{sent: map[string]int{}}
	v.Server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: v}}
	v.Start()
	t.Cleanup(v.Close)
	args := []string{"create", "--credentials", keys(t), "--base-url", v.URL, "--vehicle-id=1", "--code=P1"}
	code, _, stderr := fleetio("", args...)
	assert.Equal(t, exitNotRun, code)
	assert.Contains(t, stderr, "--insecure-http allows it")
	code, _, stderr = fleetio("", append(args, "--insecure-http")...)
	assert.Equal(t, 0, code, stderr)
}
