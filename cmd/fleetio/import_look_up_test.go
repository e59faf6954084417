package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shelf stores faults, and lists them by external_id.
type shelf struct {
	mu     sync.Mutex
	faults map[string][]string
	ids    int
}

// store stores the fault of a request.
func (s *shelf) store(vehicle int, code, id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids++
	text := fmt.Sprintf(`{"id":%d,"account_id":12,"vehicle_id":%d,"code":%q,"external_id":%q,"created_at":%q,"count":null,"description":null,"status":"open","is_sample":false}`,
		s.ids, vehicle, code, id, time.Now().UTC().Format(time.RFC3339))
	s.faults[id] = append(s.faults[id], text)
	return text
}

func (s *shelf) list(id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults[id]
}

// TestImportLooksUp loses the responses of rows that have no external_id: those that are stored are created, and the others are
// not found and sent again only if told to, with the same external_id.
func TestImportLooksUp(t *testing.T) {
	t.Parallel()
	s := &shelf{faults: map[string][]string{}}
	var mu sync.Mutex
	row, stores, late := 0, true, []func(){}
	idOf := map[int][]string{}
	v := newVendor(t, func(_ http.ResponseWriter, _ *http.Request, id string) bool {
		mu.Lock()
		defer mu.Unlock()
		row++
		number := row // with one row in flight at a time
		idOf[number] = append(idOf[number], id)
		switch {
		case stores && number%3 == 1:
			s.store(4711, fmt.Sprintf("P%04d", number), id)
		case number == 5:
			late = append(late, func() { s.store(4711, "P0005", id) })
		}
		panic(http.ErrAbortHandler)
	})
	v.lists = s.list
	var b strings.Builder
	b.WriteString("vehicle_id,code\n")
	for i := 1; i <= 6; i++ {
		fmt.Fprintf(&b, "4711,P%04d\n", i)
	}
	path := write(t, "faults.csv", b.String())
	args := []string{"--concurrency=1", "--look-up-delay=500ms", path}
	code, stdout, stderr := imports(t, v, args...)
	require.Equal(t, 1, code, stderr)
	assert.Contains(t, stdout, "6 rows: 2 created, 0 created before, 0 rejected, 0 ambiguous, 4 not found, 0 not created, 0 not tried\n")
	assert.Regexp(t, `(?s)not found: .*\n  \S*:3: EOF: not found by its external_id fleetio-go-[A-Z2-7]{26}\n`, stdout)
	assert.Equal(t, 2+2*4, v.looks)
	journal := read(t, path+".journal")
	for number := 1; number <= 6; number++ {
		require.Len(t, idOf[number], 1)
		assert.Regexp(t, "^fleetio-go-[A-Z2-7]{26}$", idOf[number][0])
		assert.Contains(t, journal, fmt.Sprintf(`"external_id":%q`, idOf[number][0]), "the next run can ask for it")
	}

	for _, store := range late {
		store()
	}
	v.looks = 0
	code, stdout, stderr = imports(t, v, args...)
	require.Equal(t, 1, code, stderr)
	assert.Contains(t, stdout, "6 rows: 1 created, 2 created before, 0 rejected, 0 ambiguous, 3 not found, 0 not created, 0 not tried\n")
	assert.Equal(t, 1+3, v.looks, "the delay has passed since they were sent")
	assert.Equal(t, 6, row, "nothing is sent again")

	v.mu.Lock()
	again := map[string]int{}
	v.handler = func(w http.ResponseWriter, _ *http.Request, id string) bool {
		mu.Lock()
		defer mu.Unlock()
		again[id]++
		reply(w, http.StatusCreated, s.store(4711, "P0002", id))
		return true
	}
	v.mu.Unlock()
	code, stdout, stderr = imports(t, v, "--dry-run", path)
	assert.Equal(t, 1, code, stderr)
	assert.Contains(t, stdout, "3 not found, 0 not created, 0 to send\n")
	code, stdout, _ = imports(t, v, append([]string{"--retry-not-found"}, args...)...)
	assert.Equal(t, 0, code, "two of them with a warning, as the response has another code")
	assert.Contains(t, stdout, "6 rows: 3 created, 3 created before, 0 rejected, 0 ambiguous, 0 not found, 0 not created, 0 not tried\n")
	assert.Equal(t, map[string]int{idOf[2][0]: 1, idOf[3][0]: 1, idOf[6][0]: 1}, again)
}

// TestImportSettlesEarlierRuns has a journal as a killed run leaves it.
func TestImportSettlesEarlierRuns(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rows   string
		given  string // the external_id in the journal
		sent   time.Duration
		stored func(s *shelf)
		args   []string
		want   string
		resent int
	}{
		"own external_id":   {rows: "mine", stored: func(s *shelf) { s.store(1, "P1", "mine") }, want: "1 created, 0 created before, 0 rejected, 0 ambiguous, 0 not found"},
		"given external_id": {given: "fleetio-go-ABCDEFGHIJKLMNOPQRSTUVWXYZ", stored: func(s *shelf) { s.store(1, "P1", "fleetio-go-ABCDEFGHIJKLMNOPQRSTUVWXYZ") }, want: "1 created"},
		"not there":         {rows: "mine", sent: time.Hour, want: "0 created, 0 created before, 0 rejected, 0 ambiguous, 1 not found"},
		"older":             {rows: "mine", sent: -time.Hour, stored: func(s *shelf) { s.store(1, "P1", "mine") }, want: "1 not found"},
		"another vehicle":   {rows: "mine", sent: time.Hour, stored: func(s *shelf) { s.store(2, "P1", "mine") }, want: "1 not found"},
		"no external_id":    {want: "1 ambiguous"},
		"twice":             {rows: "mine", stored: func(s *shelf) { s.store(1, "P1", "mine"); s.store(1, "P1", "mine") }, want: "1 ambiguous"},
		"sent again":        {rows: "mine", sent: time.Hour, args: []string{"--retry-not-found"}, want: "1 created", resent: 1},
		"found, not sent":   {rows: "mine", stored: func(s *shelf) { s.store(1, "P1", "mine") }, args: []string{"--retry-ambiguous"}, want: "1 created"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &shelf{faults: map[string][]string{}}
			if test.stored != nil {
				test.stored(s)
			}
			v := newVendor(t, nil)
			v.lists = s.list
			text := "vehicle_id,code,external_id\n1,P1," + test.rows + "\n"
			path := write(t, "faults.csv", text)
			code, _, stderr := imports(t, v, path)
			require.Equal(t, 0, code, stderr)
			lines := strings.Split(read(t, path+".journal"), "\n")
			var sending map[string]any
			require.NoError(t, json.Unmarshal([]byte(lines[1]), &sending))
			sending["time"] = time.Now().Add(-test.sent).UTC().Format(time.RFC3339)
			delete(sending, "external_id")
			if test.given != "" {
				sending["external_id"] = test.given
			}
			killed, err := json.Marshal(sending)
			require.NoError(t, err)
			path = write(t, "faults.csv", text)
			left := lines[0] + "\n" + string(killed) + "\n"
			require.NoError(t, os.WriteFile(path+".journal", []byte(left), 0o600))
			sentBefore := v.counts()
			code, stdout, stderr := imports(t, v, append([]string{"--look-up-delay=1ms", path}, test.args...)...)
			assert.Contains(t, stdout, test.want, stderr)
			assert.Equal(t, code == 0, strings.Contains(test.want, "1 created"))
			resent := 0
			for id, n := range v.counts() {
				resent += n - sentBefore[id]
			}
			assert.Equal(t, test.resent, resent)
			code, stdout, _ = imports(t, v, "--dry-run", path)
			assert.Equal(t, code == 0, strings.Contains(test.want, "1 created"), stdout)
		})
	}
}

// TestImportDoesNotCountAFaultTwice has two equal rows, of which a killed run has stored one.
func TestImportDoesNotCountAFaultTwice(t *testing.T) {
	t.Parallel()
	s := &shelf{faults: map[string][]string{}}
	v := newVendor(t, nil)
	path := write(t, "faults.csv", "vehicle_id,code,external_id\n1,P1,mine\n1,P1,mine\n")
	code, _, stderr := imports(t, v, path)
	require.Equal(t, 0, code, stderr)
	v.lists = s.list
	var kept []string
	for line := range strings.Lines(read(t, path+".journal")) {
		if !strings.Contains(line, `"created"`) {
			kept = append(kept, line)
		}
	}
	require.Len(t, kept, 3)
	require.NoError(t, os.WriteFile(path+".journal", []byte(strings.Join(kept, "")), 0o600))
	s.store(1, "P1", "mine")
	code, stdout, _ := imports(t, v, "--look-up-delay=1ms", path)
	assert.Equal(t, 1, code)
	assert.Contains(t, stdout, "1 created, 0 created before, 0 rejected, 1 ambiguous")
	assert.Contains(t, stdout, "row 1 has the fault 1, which matches")
}

// TestCreateLooksUp prints the fault that was found, and names the external_id of one that was not.
func TestCreateLooksUp(t *testing.T) {
	t.Parallel()
	s := &shelf{faults: map[string][]string{}}
	stores := true
	v := newVendor(t, func(_ http.ResponseWriter, _ *http.Request, id string) bool {
		if stores {
			s.store(1, "P1", id)
		}
		panic(http.ErrAbortHandler)
	})
	v.lists = s.list
	args := []string{"create", "--credentials", keys(t), "--base-url", v.URL, "--look-up-delay=1ms", "--vehicle-id=1", "--code=P1"}
	code, stdout, stderr := fleetio("", args...)
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, `"external_id": "fleetio-go-`)
	stores = false
	code, stdout, stderr = fleetio("", args...)
	assert.Equal(t, 2, code)
	assert.Empty(t, stdout)
	assert.Regexp(t, `fleetio: EOF: not found by its external_id fleetio-go-[A-Z2-7]{26}\n`, stderr)
}
