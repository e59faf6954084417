package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// box is a sandbox command that runs.
type box struct {
	url, key, token string
	stdout          string
	log             *shared

	stop func() int // ends it, and returns its exit status
	ends int        // with this one
}

// shared is a buffer that one goroutine fills and another reads.
type shared struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan bool // closed by the first write
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text.Len() == 0 {
		close(s.wrote)
	}
	return s.text.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// serveSandbox runs the command on a free port until the test ends, and holds it to end well.
func serveSandbox(t *testing.T, args ...string) *box {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stdout, stderr := &shared{wrote: make(chan bool)}, &shared{wrote: make(chan bool)}
	exit := make(chan int, 1)
	go func() {
		args := append([]string{"sandbox", "--addr", "127.0.0.1:0"}, args...)
		exit <- run(ctx, args, &console{stdout: stdout, stderr: stderr, now: time.Now})
	}()
	b := &box{log: stderr, stop: sync.OnceValue(func() int {
		cancel()
		return <-exit
	})}
	t.Cleanup(func() { assert.Equal(t, b.ends, b.stop(), stderr) })
	select {
	case <-stdout.wrote:
	case code := <-exit:
		exit <- code
		require.Fail(t, "it did not run", "%d %s", code, stderr)
	}
	b.stdout = stdout.String()
	exported := regexp.MustCompile(`(?m)^export (\w+)='(.*)'$`).FindAllStringSubmatch(b.stdout, -1)
	require.GreaterOrEqual(t, len(exported), 3)
	assert.Equal(t, []string{envBaseURL, envAPIKey, envToken}, []string{exported[0][1], exported[1][1], exported[2][1]})
	b.url, b.key, b.token = exported[0][2], exported[1][2], exported[2][2]
	return b
}

const someFault = `{"vehicle_id":1,"code":"P0420"}`

// received is a response with its body.
type received struct {
	proto  string
	status int
	header http.Header
	body   string
}

// create posts a fault.
func (b *box) create(t *testing.T, client *http.Client, body string) received {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/api/v1/faults", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Token "+b.key)
	r.Header.Set("Account-Token", b.token)
	return do(t, client, r)
}

// get asks for a path, as for this host.
func (b *box) get(t *testing.T, path, host string) received {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+path, nil)
	require.NoError(t, err)
	r.Host = host
	return do(t, http.DefaultClient, r)
}

func do(t *testing.T, client *http.Client, r *http.Request) received {
	t.Helper()
	response, err := client.Do(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return received{response.Proto, response.StatusCode, response.Header, string(body)}
}

// TestSandbox does what the help says: it evaluates what is printed in a shell, and creates a fault there.
func TestSandbox(t *testing.T) {
	t.Parallel()
	b := serveSandbox(t)
	code, out := shell(t, `eval "$PRINTED"`+"\n"+`fleetio create --vehicle-id 1 --code P0420 --external-id "it's"`, "PRINTED="+b.stdout)
	require.Equal(t, 0, code, out)
	var fault map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &fault))
	assert.InDelta(t, 1, fault["id"], 0)
	assert.Equal(t, "it's", fault["external_id"])
	assert.Contains(t, b.stdout, "# The page of the exchanges: "+b.url+"/\n")

	response := b.get(t, "/healthz", "")
	assert.Equal(t, 200, response.status)
	assert.Equal(t, "ok\n", response.body)
	response = b.get(t, "/api/v1/vehicles", "")
	assert.Equal(t, 404, response.status)
	assert.Contains(t, response.body, `"status":404`)
	response = b.get(t, "//api/v1/faults", "")
	assert.Equal(t, 404, response.status, "no redirect")
}

// TestSandboxSpeaksHTTP2 has no way back to HTTP/1.1.
func TestSandboxSpeaksHTTP2(t *testing.T) {
	t.Parallel()
	b := serveSandbox(t)
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	response := b.create(t, &http.Client{Transport: transport}, someFault)
	assert.Equal(t, "HTTP/2.0", response.proto)
	assert.Equal(t, 201, response.status, response.body)
}

func TestSandboxKeepsItsFile(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "faults.db")
	b := serveSandbox(t, "--db", db, "--fixtures", "internal/server/fixture/testdata/fleet.yaml")
	assert.Equal(t, "example-key-telematics", b.key)
	response := b.create(t, http.DefaultClient, `{"vehicle_id":6202,"code":"2000"}`)
	assert.Contains(t, response.body, `"id":2,`, "after that of the fixtures")
	require.Equal(t, 0, b.stop())

	b = serveSandbox(t, "--db", db) // the accounts come from the file, and none besides
	assert.Equal(t, "example-key-telematics", b.key)
	assert.NotContains(t, b.stdout, "sandbox-key")
	response = b.create(t, http.DefaultClient, `{"vehicle_id":6202,"code":"2000"}`)
	assert.Contains(t, response.body, `"id":3,`)
	require.Equal(t, 0, b.stop())

	b = serveSandbox(t, "--db", db, "--fixtures", "internal/server/fixture/testdata/fleet.yaml")
	response = b.create(t, http.DefaultClient, `{"vehicle_id":6202,"code":"2000"}`)
	assert.Contains(t, response.body, `"id":4,`, "the faults of the fixtures do not come again")
}

// TestSandboxFlags holds what the flags set to arrive.
func TestSandboxFlags(t *testing.T) {
	t.Parallel()
	b := serveSandbox(t, "--rate-limit", "2", "--failure", "503@next", "--failure", "type=text/html@next", "--text-401")
	response := b.create(t, http.DefaultClient, someFault)
	assert.Equal(t, 503, response.status)
	response = b.create(t, http.DefaultClient, someFault)
	assert.Equal(t, 201, response.status)
	assert.Equal(t, "text/html", response.header.Get("Content-Type"))
	for range 4 { // a minute may begin in between
		if response = b.create(t, http.DefaultClient, someFault); response.status == 429 {
			break
		}
	}
	assert.Equal(t, 429, response.status)
	stranger := *b
	stranger.key = "nobody"
	response = stranger.create(t, http.DefaultClient, someFault)
	assert.Equal(t, 401, response.status)
	assert.NotContains(t, response.body, "{")
	reader := serveSandbox(t, "--empty-403") // without the limit
	reader.key = "sandbox-key-reporting"
	response = reader.create(t, http.DefaultClient, someFault)
	assert.Equal(t, 403, response.status)
	assert.Empty(t, response.body)
}

func TestSandboxRefuses(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	used := taken.Addr().String()
	folder := t.TempDir()
	broken := write(t, "broken.yaml", "accounts:\n- id: 1\n  token: sekrit-token\n")
	clash := write(t, "clash.yaml", strings.ReplaceAll(strings.ReplaceAll(read(t, "internal/server/fixture/testdata/fleet.yaml"), "id: 501", "id: 502"), "example-", "other-"))
	db := filepath.Join(folder, "faults.db")
	require.Equal(t, 0, serveSandbox(t, "--db", db, "--fixtures", "internal/server/fixture/testdata/fleet.yaml").stop())
	for name, test := range map[string]struct {
		args   []string
		stderr string
	}{
		"an argument":            {[]string{"x"}, `sandbox takes no "x"`},
		"a port that is used":    {[]string{"--addr", used}, "--addr: " + used + " is in use; choose another port"},
		"no host":                {[]string{"--addr", ":8080"}, "--addr: expected HOST:PORT"},
		"no port":                {[]string{"--addr", "localhost"}, "--addr: expected HOST:PORT"},
		"no address":             {[]string{"--addr", "127.0.0.1:99999"}, "invalid port"},
		"no number":              {[]string{"--rate-limit", "x"}, "--rate-limit"},
		"a negative number":      {[]string{"--rate-limit", "-1"}, "--rate-limit is a number from 0"},
		"no failure":             {[]string{"--failure", "x"}, `--failure: failure "x": unknown; there are`},
		"no error":               {[]string{"--failure", "200"}, `--failure: failure "200": no error status`},
		"no share":               {[]string{"--failure", "500@0%"}, "--failure: "},
		"no pointer":             {[]string{"--failure", "set=id=0"}, "--failure: "},
		"another log":            {[]string{"--log", "xml"}, `--log: expected text, json or off, not "xml"`},
		"no such fixtures":       {[]string{"--fixtures", "nowhere.yaml"}, "nowhere.yaml"},
		"broken fixtures":        {[]string{"--fixtures", broken}, broken + ":2: accounts[0].api_keys is empty"},
		"a folder for a file":    {[]string{"--db", folder}, folder},
		"fixtures that clash":    {[]string{"--db", db, "--fixtures", clash}, "accounts[0].vehicles[0].id is the same as (account 501 in the store).vehicles[0].id"},
		"the list and no server": {[]string{"--list-failures", "x"}, `sandbox takes no "x"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// A later --addr counts, and none of the tests takes the default port.
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // of a test that fails
			defer cancel()
			var stdout, stderr strings.Builder
			code := run(ctx, append([]string{"sandbox", "--addr", "127.0.0.1:0"}, test.args...), &console{stdout: &stdout, stderr: &stderr, now: someDay})
			assert.Equal(t, 2, code)
			assert.Contains(t, stderr.String(), test.stderr)
			assert.True(t, strings.HasPrefix(stderr.String(), "fleetio: "), stderr.String())
			assert.NotContains(t, stderr.String(), "sekrit")
			assert.Empty(t, stdout.String())
		})
	}
}

func TestSandboxUnprinted(t *testing.T) { //nolint:tparallel // the cases share a console
	t.Parallel()
	var stderr strings.Builder
	for _, args := range [][]string{{"--addr", "127.0.0.1:0"}, {"--list-failures"}} {
		t.Run(args[0], func(t *testing.T) {
			code := run(t.Context(), append([]string{"sandbox"}, args...), &console{stdout: brokenPipe{}, stderr: &stderr, now: someDay})
			assert.Equal(t, 2, code)
			assert.Contains(t, stderr.String(), "broken pipe")
			stderr.Reset()
		})
	}
}

// TestSandboxLog holds the log to say each call in a line, and no credential: neither a right one nor one that is wrong.
func TestSandboxLog(t *testing.T) {
	t.Parallel()
	const wrong = "wrong-key-5c1d"
	calls := func(t *testing.T, b *box) {
		t.Helper()
		b.create(t, http.DefaultClient, someFault)
		stranger := *b
		stranger.key = wrong
		stranger.create(t, http.DefaultClient, `{"external_id":"`+b.token+`"}`)
		astray := *b
		astray.url += "/" + b.key + "?token=" + b.token + "&x="
		astray.create(t, http.DefaultClient, b.key)
		require.Equal(t, 0, b.stop())
		printed := b.log.String()
		for _, a := range sandbox.DefaultFixtures().Accounts {
			assert.NotContains(t, printed, a.Token)
			for _, k := range a.APIKeys {
				assert.NotContains(t, printed, k.Key)
			}
		}
		assert.NotContains(t, printed, wrong)
	}
	for format, want := range map[string]string{"json": `"status":201`, "text": "status=201", "off": ""} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			b := serveSandbox(t, "--log", format)
			calls(t, b)
			if format == "off" {
				assert.Empty(t, b.log.String())
				return
			}
			assert.Contains(t, b.log.String(), want)
			assert.Equal(t, 3+1, strings.Count(b.log.String(), "\n"), b.log)
			for line := range strings.Lines(b.log.String()) {
				assert.Equal(t, format == "json", json.Valid([]byte(line)), line)
			}
		})
	}
}
