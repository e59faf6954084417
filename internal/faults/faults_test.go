package faults

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

var quiet = log.New(io.Discard, "", 0)

// callsPerNetwork is a share of FLEETIO_TORTURE, which is the number of calls of each test.
func callsPerNetwork(t *testing.T, networks int) int {
	t.Helper()
	total, err := strconv.Atoi(cmp.Or(os.Getenv("FLEETIO_TORTURE"), "400"))
	require.NoError(t, err)
	return (total + networks - 1) / networks
}

// account are the credentials of the sandbox.
func account(s *sandbox.Sandbox) fleetio.Credentials {
	a := s.Accounts()[0]
	return fleetio.Credentials{APIKey: a.APIKeys[0].Key, AccountToken: a.Token}
}

// stored lists the ids of the stored faults by external_id, after what is on its way has arrived.
func stored(t *testing.T, s *sandbox.Sandbox, calls int) map[string][]int64 {
	t.Helper()
	faults, err := s.NewestFaults(t.Context(), 0, 2*calls)
	require.NoError(t, err)
	ids := map[string][]int64{}
	for _, f := range faults {
		external, _ := f.ExternalID.Get()
		number, err := strconv.Atoi(external)
		require.NoError(t, err)
		description, _ := f.Description.Get()
		require.Equal(t, fmt.Sprintf("text of %d", number), description, "it is not stored as it was sent")
		ids[external] = append(ids[external], f.ID)
	}
	return ids
}

// TestFaultsClient creates faults under load through each network, and compares what the client says of each with what is
// stored: every stored fault was acknowledged, looked up or reported, and none twice.
func TestFaultsClient(t *testing.T) {
	t.Parallel()
	calls := callsPerNetwork(t, len(networks))
	for name, n := range networks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := sandbox.New(sandbox.WithHistory(0))
			require.NoError(t, err)
			server, url := n.start(t, s)
			transport := server.Client().Transport.(*http.Transport).Clone()
			transport.MaxIdleConnsPerHost = lanes
			defer transport.CloseIdleConnections()
			c, err := fleetio.NewClient(account(s), fleetio.WithBaseURL(url), fleetio.WithHTTPClient(&http.Client{Transport: transport}),
				fleetio.WithTimeout(cmp.Or(n.timeout, 2*time.Second)), fleetio.WithReconcile(), fleetio.WithReconcileDelay(500*time.Millisecond))
			require.NoError(t, err)

			outcomes := make([]string, calls)
			ids := make([]int64, calls)
			var wait sync.WaitGroup
			for lane := range lanes / 4 {
				numbers := func(yield func(fleetio.FaultCreate) bool) {
					for number := lane; number < calls; number += lanes / 4 {
						if !yield(fleetio.FaultCreate{VehicleID: 1, Code: "P0420", ExternalID: new(strconv.Itoa(number)),
							Description: new(fmt.Sprintf("text of %d", number))}) {
							return
						}
					}
				}
				wait.Go(func() {
					for result, err := range c.CreateFaults(t.Context(), numbers, fleetio.WithConcurrency(4)) {
						number := lane + lanes/4*result.Index
						outcomes[number] = outcome(result, err)
						if result.Fault != nil {
							ids[number] = result.Fault.ID
						}
						assert.NotEqual(t, "unexpected", outcomes[number], "%v", err)
					}
				})
			}
			wait.Wait()
			time.Sleep(200 * time.Millisecond) // longer than any latency
			is := stored(t, s, calls)

			counts, total := map[string]int{}, 0
			for number, outcome := range outcomes {
				counts[outcome]++
				at := is[strconv.Itoa(number)]
				total += len(at)
				require.LessOrEqual(t, len(at), 1, "fault %d is stored twice", number)
				switch outcome {
				case acknowledged, lookedUp:
					require.Equal(t, []int64{ids[number]}, at, "fault %d is %s", number, outcome)
				case createdUnread:
					require.Len(t, at, 1, "fault %d is %s", number, outcome)
				case notCreated, notFound:
					require.Empty(t, at, "fault %d is %s", number, outcome)
				case ambiguous:
					counts["stored, and reported as ambiguous"] += len(at)
				}
			}
			t.Logf("%d calls: %v", calls, counts)
			require.Equal(t, total, counts[acknowledged]+counts[lookedUp]+counts[createdUnread]+counts["stored, and reported as ambiguous"])
			if n.benign {
				require.Equal(t, calls, counts[acknowledged])
			} else if calls >= 500 {
				assert.Positive(t, counts[lookedUp]+counts[notFound], "no call broke")
			}
		})
	}
}

const lanes = 16

// What the client says of a fault.
const (
	acknowledged  = "acknowledged"
	lookedUp      = "looked up"
	createdUnread = "created, and the response unreadable"
	ambiguous     = "ambiguous"
	notFound      = "not found"
	notCreated    = "not created"
)

func outcome(result fleetio.Result, err error) string {
	_, missing := errors.AsType[*fleetio.NotFoundError](err)
	e, failed := errors.AsType[*fleetio.Error](err)
	switch {
	case err == nil && result.LookedUp:
		return lookedUp
	case err == nil:
		return acknowledged
	case missing:
		return notFound
	case !failed:
		return "unexpected"
	case e.Created:
		return createdUnread
	case e.Ambiguous():
		return ambiguous
	default:
		return notCreated
	}
}

// TestFaultsImport imports a file through each network, and again until no row is left, and compares the journal and the
// last report with what is stored.
func TestFaultsImport(t *testing.T) {
	t.Parallel()
	broken := maps.Clone(networks)
	maps.DeleteFunc(broken, func(_ string, n network) bool { return n.silent })
	rows := callsPerNetwork(t, len(broken))
	command := filepath.Join(t.TempDir(), "fleetio")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", command, "./cmd/fleetio")
	build.Dir = "../.."
	text, err := build.CombinedOutput()
	require.NoError(t, err, string(text))
	var csv strings.Builder
	csv.WriteString("external_id,vehicle_id,code,description\n")
	for row := 1; row <= rows; row++ {
		fmt.Fprintf(&csv, "%d,1,P0420,text of %[1]d\n", row)
	}
	for name, n := range broken {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := sandbox.New(sandbox.WithHistory(0))
			require.NoError(t, err)
			server, url := n.start(t, s)
			folder := t.TempDir()
			path, root := filepath.Join(folder, "faults.csv"), filepath.Join(folder, "root.pem")
			require.NoError(t, os.WriteFile(path, []byte(csv.String()), 0o600))
			environment := append(os.Environ(), "FLEETIO_API_KEY="+account(s).APIKey, "FLEETIO_ACCOUNT_TOKEN="+account(s).AccountToken)
			if n.tls {
				certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
				require.NoError(t, os.WriteFile(root, certificate, 0o600))
				environment = append(environment, "SSL_CERT_FILE="+root)
			}
			r := report{ToSend: rows}
			runs := 0
			for ; r.ToSend+len(r.NotCreated) > 0; runs++ {
				require.Less(t, runs, 10+rows, "it comes to no end: %+v", r)
				run := exec.CommandContext(t.Context(), command, "import", "--base-url", url, "--concurrency", "16", "--format", "json",
					"--look-up-delay", "300ms", path)
				run.Env = environment
				var stderr bytes.Buffer
				run.Stderr = &stderr
				stdout, _ := run.Output() // the report tells
				r = report{}
				require.NoError(t, json.Unmarshal(stdout, &r), stderr.String())
				require.Equal(t, rows, r.Created+r.Skipped+r.ToSend+len(r.NotCreated)+len(r.Ambiguous)+len(r.NotFound), "each row is counted once")
			}
			is := stored(t, s, rows)
			listed, total := map[int]string{}, 0
			for _, note := range r.Ambiguous {
				listed[note.Row] = ambiguous
			}
			for _, note := range r.NotFound {
				listed[note.Row] = notFound
			}
			counts := map[string]int{}
			for row, event := range lastEvents(t, path+".journal") {
				at := is[strconv.Itoa(row)]
				total += len(at)
				require.LessOrEqual(t, len(at), 1, "row %d is stored twice", row)
				switch listed[row] {
				case notFound:
					require.Empty(t, at, "row %d", row)
				case ambiguous:
					counts["stored, and reported as ambiguous"] += len(at)
				default:
					require.Len(t, at, 1, "row %d is created, says the report", row)
					switch event.Message {
					case "":
						counts[acknowledged]++
					case "found by look-up":
						counts[lookedUp]++
					default:
						counts[createdUnread]++
						continue // its id may be unknown
					}
					require.Equal(t, at[0], event.ID, "row %d", row)
				}
			}
			counts[ambiguous], counts[notFound] = len(r.Ambiguous), len(r.NotFound)
			t.Logf("%d rows in %d runs: %v", rows, runs, counts)
			require.Equal(t, rows, counts[acknowledged]+counts[lookedUp]+counts[createdUnread]+counts[ambiguous]+counts[notFound])
			require.Equal(t, total, counts[acknowledged]+counts[lookedUp]+counts[createdUnread]+counts["stored, and reported as ambiguous"])
		})
	}
}

// report is the JSON of an import, as far as it is needed.
type report struct {
	Created, Skipped int
	ToSend           int                 `json:"to_send"`
	NotCreated       []struct{ Row int } `json:"not_created"`
	NotFound         []struct{ Row int } `json:"not_found"`
	Ambiguous        []struct{ Row int }
}

// event is a line of a journal.
type event struct {
	Event, Message string
	Row            int
	ID             int64
}

// lastEvents are the last ones of each row.
func lastEvents(t *testing.T, path string) map[int]event {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	last := map[int]event{}
	for line := range bytes.Lines(text) {
		var e event
		require.NoError(t, json.Unmarshal(line, &e))
		if e.Row > 0 {
			last[e.Row] = e
		}
	}
	return last
}
