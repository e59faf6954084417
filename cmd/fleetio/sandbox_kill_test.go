//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/sqlite"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// TestSandboxKilled kills the command in the middle of many calls, again and again, as no signal handler sees: each fault
// that was acknowledged is in its file as it was acknowledged, none is there twice, and no id is given to a second one. Half of the
// time, the next command opens what the kill left.
func TestSandboxKilled(t *testing.T) {
	t.Parallel()
	rounds := 4
	if text := os.Getenv("FLEETIO_KILL_ROUNDS"); text != "" {
		var err error
		rounds, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	k := &killed{db: filepath.Join(t.TempDir(), "faults.db"), acknowledged: map[int64]string{}, stored: map[int64]string{}}
	for round := range rounds {
		responses := 50 + 37*round%200 // so that the end comes at another place of the work each time
		if round%3 == 1 {
			responses = untilCheckpoint
		}
		k.round(t, round, responses)
		if round%2 == 1 {
			k.check(t)
		}
	}
	k.check(t)
	// Else it was never in the middle of anything, and nothing is proven.
	assert.Greater(t, len(k.stored), len(k.acknowledged), "some were stored whose response did not arrive")
	assert.GreaterOrEqual(t, len(k.acknowledged), 50*rounds)
}

// untilCheckpoint are as many responses as it takes for the log to be put into the file, some thousand.
const untilCheckpoint = math.MaxInt

type killed struct {
	db string

	mu           sync.Mutex
	acknowledged map[int64]string // what was acknowledged, by id
	stored       map[int64]string // what was in the file, by id
}

// round runs the command, and kills it after so many responses.
func (k *killed) round(t *testing.T, round, responses int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], "sandbox", "--addr", "127.0.0.1:0", "--db", k.db, "--log", "off", "--no-page")
	command.Env = append(os.Environ(), asCommand+"=1")
	var stderr strings.Builder
	command.Stderr = &stderr
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	b := announced(stdout)
	require.NotEmpty(t, b.token, stderr.String())

	const callers = 64
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	var reached atomic.Bool
	kill := func() {
		reached.Store(true)
		assert.NoError(t, command.Process.Kill())
	}
	var wait sync.WaitGroup
	ended := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if responses == untilCheckpoint && grows(t, k.db, ended) {
			kill()
		}
	}()
	var left atomic.Int64
	left.Store(int64(responses))
	for caller := range callers {
		wait.Go(func() {
			for n := 0; ; n++ {
				external := fmt.Sprintf("%d-%d-%d", round, caller, n)
				id, body, ok := b.createFor(t, client, external)
				k.mu.Lock()
				if !ok {
					k.mu.Unlock()
					return
				}
				assert.Empty(t, k.acknowledged[id], "id %d was given twice", id)
				k.acknowledged[id] = body
				k.mu.Unlock()
				if left.Add(-1) == 0 {
					kill()
				}
			}
		})
	}
	wait.Wait()
	close(ended)
	<-watched
	assert.True(t, reached.Load(), "the calls failed before it was to be killed")
	_ = command.Process.Kill() // else it would go on
	var exit *exec.ExitError
	require.ErrorAs(t, command.Wait(), &exit, "it was killed")
	status, ok := exit.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	assert.Equal(t, syscall.SIGKILL, status.Signal())
	assert.Empty(t, stderr.String())
}

// grows waits until a file grows; false if it has not until the end.
func grows(t *testing.T, path string, end <-chan struct{}) bool {
	t.Helper()
	size := func() int64 {
		info, err := os.Stat(path)
		if !assert.NoError(t, err) {
			return 0
		}
		return info.Size()
	}
	for before := size(); size() == before; time.Sleep(50 * time.Microsecond) {
		select {
		case <-end:
			return false
		default:
		}
	}
	return true
}

// announced reads what the command prints when it serves.
func announced(stdout io.Reader) *box {
	b := &box{}
	values := map[string]*string{envBaseURL: &b.url, envAPIKey: &b.key, envToken: &b.token}
	export := regexp.MustCompile(`^export (\w+)='(.*)'$`)
	for lines := bufio.NewScanner(stdout); b.token == "" && lines.Scan(); {
		if found := export.FindStringSubmatch(lines.Text()); found != nil {
			*values[found[1]] = found[2]
		}
	}
	return b
}

// createFor creates a fault, and returns its id and all of it; ok is false where the connection broke.
func (b *box) createFor(t *testing.T, client *http.Client, external string) (id int64, body string, ok bool) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/api/v1/faults",
		strings.NewReader(`{"vehicle_id":1,"code":"P0420","external_id":"`+external+`"}`))
	if !assert.NoError(t, err) {
		return 0, "", false
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Token "+b.key)
	r.Header.Set("Account-Token", b.token)
	response, err := client.Do(r)
	if err != nil {
		return 0, "", false
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, "", false
	}
	var fault struct {
		ID         int64  `json:"id"`
		ExternalID string `json:"external_id"`
	}
	if !assert.Equal(t, 201, response.StatusCode, string(text)) || !assert.NoError(t, json.Unmarshal(text, &fault)) {
		return 0, "", false
	}
	assert.Equal(t, external, fault.ExternalID)
	return fault.ID, string(text), true
}

// check opens the file.
func (k *killed) check(t *testing.T) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), k.db)
	require.NoError(t, err)
	defer func() { assert.NoError(t, store.Close()) }()
	records, err := store.Records(t.Context(), sandbox.Query{Limit: math.MaxInt})
	require.NoError(t, err)
	ids, externals := map[int64]bool{}, map[string]bool{}
	for _, r := range records {
		require.False(t, ids[r.ID])
		ids[r.ID] = true
		var fault struct {
			ExternalID string `json:"external_id"`
		}
		require.NoError(t, json.Unmarshal(r.Fault, &fault))
		require.False(t, externals[fault.ExternalID], "%s is there twice", fault.ExternalID)
		externals[fault.ExternalID] = true
		if body, was := k.acknowledged[r.ID]; was {
			require.Equal(t, body, fmt.Sprintf(`{"id":%d,%s`, r.ID, r.Fault[1:]), "as it was acknowledged")
		}
		if before, was := k.stored[r.ID]; was {
			require.Equal(t, before, string(r.Fault), "the id of another")
		}
		k.stored[r.ID] = string(r.Fault)
	}
	for id := range k.acknowledged {
		require.True(t, ids[id], "fault %d was acknowledged, and is lost", id)
	}
	require.Len(t, records, len(k.stored), "a fault that was there is gone")
}
