//go:build unix

package main

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// planted are the credentials of each exchange: in headers, a cookie, the query and bodies.
var planted = []string{"pl4nted-key-0001", "pl4nted-account-0002", "pl4nted-c00kie-0003", "pl4nted-query-0004", "pl4nted-token-0005"}

// vendorEcho repeats all credentials of a request, plain, in base64 and in hex, and issues another.
func vendorEcho(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Set-Cookie", "session="+planted[2]+"; Path=/")
	w.Header().Set("X-Echo", r.Header.Get("Authorization"))
	_, _ = fmt.Fprintf(w, `{"access_token":%q,"url":%q,"sent":%q,"base64":%q,"hex":%q,"upper":%q}`, planted[4], r.URL.String(), body,
		base64.StdEncoding.EncodeToString([]byte("x "+planted[0])), hex.EncodeToString([]byte(planted[1])), strings.ToUpper(planted[3]))
}

// sendPlanted sends a request with the credentials, and reports whether the whole response arrived.
func sendPlanted(t *testing.T, client *http.Client, base, id string) bool {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/v1/faults?id="+id+"&api_key="+planted[3],
		strings.NewReader(`{"vehicle_id":1,"code":"P0420","password":"`+planted[4]+`"}`))
	if !assert.NoError(t, err) {
		return false
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Token "+planted[0])
	r.Header.Set("Account-Token", planted[1])
	r.Header.Set("Cookie", "session="+planted[2])
	resp, err := client.Do(r)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK
}

// startRecord starts the command, and returns its URL.
func startRecord(t *testing.T, upstream, file string) (*exec.Cmd, string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], "record", "--upstream", upstream, "--addr", "127.0.0.1:0", "-o", file)
	command.Env = append(os.Environ(), asCommand+"=1")
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	found := regexp.MustCompile(`^export FLEETIO_BASE_URL='(.*)'\n$`).FindStringSubmatch(line)
	require.NotNil(t, found, line)
	return command, found[1]
}

// TestRecordKilled kills the command at random times: no credential is in the file, and each exchange whose response
// arrived can be read.
func TestRecordKilled(t *testing.T) {
	t.Parallel()
	rounds := 6
	if text := os.Getenv("FLEETIO_RECORD_KILLS"); text != "" {
		var err error
		rounds, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	upstream := httptest.NewServer(http.HandlerFunc(vendorEcho))
	t.Cleanup(upstream.Close)
	finished, cut := 0, 0
	for round := range rounds {
		file := filepath.Join(t.TempDir(), []string{"r.ndjson", "r.har"}[round%2])
		command, base := startRecord(t, upstream.URL, file)
		const callers = 3
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}, Timeout: time.Minute}
		var mu sync.Mutex
		var ids []string
		wanted, enough := rand.IntN(60), make(chan struct{}) // a busy machine takes longer
		if wanted == 0 {
			close(enough)
		}
		var wait sync.WaitGroup
		for caller := range callers {
			wait.Go(func() {
				for n := 0; ; n++ {
					id := fmt.Sprintf("%d-%d", caller, n)
					if !sendPlanted(t, client, base, id) {
						return
					}
					mu.Lock()
					if ids = append(ids, id); len(ids) == wanted {
						close(enough)
					}
					mu.Unlock()
				}
			})
		}
		select {
		case <-enough:
		case <-time.After(time.Minute):
		}
		time.Sleep(time.Duration(rand.IntN(5000)) * time.Microsecond) // real time, as it is another process
		require.NoError(t, command.Process.Kill())
		wait.Wait()
		_ = command.Wait()
		client.CloseIdleConnections()

		text := strings.ToLower(read(t, file))
		for _, secret := range planted {
			for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte("x " + secret))} {
				require.NotContains(t, text, strings.ToLower(strings.TrimRight(form, "=")))
			}
		}
		recorded := map[string]bool{}
		for ex, err := range traffic.Read(t.Context(), nil, file) {
			if err != nil { // it was writing one, or nothing yet
				require.True(t, text == "" || errors.Is(err, io.ErrUnexpectedEOF), "%v", err)
				cut++
				break
			}
			recorded[ex.URL.Query().Get("id")] = true
		}
		for _, id := range ids {
			require.True(t, recorded[id], "round %d: exchange %s of %d finished and is not among %d", round, id, len(ids), len(recorded))
		}
		finished += len(ids)
	}
	t.Logf("%d kills, %d exchanges, %d recordings empty or cut off", rounds, finished, cut)
	assert.Greater(t, finished, rounds, "otherwise nothing is proven")
}
