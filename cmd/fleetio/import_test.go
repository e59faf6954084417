package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/importer"
)

const (
	testKey   = "key-3f9a1c7b"
	testToken = "account-77d0e2"
)

// vendor is a server that counts what it is sent by external_id. It finds no fault by look-ups until lists is set.
type vendor struct {
	*httptest.Server

	mu      sync.Mutex
	sent    map[string]int
	lists   func(id string) []string // the faults with an external_id, as JSON
	looks   int
	handler func(w http.ResponseWriter, r *http.Request, id string) bool // reports whether it has responded
}

func newVendor(t *testing.T, handler func(w http.ResponseWriter, r *http.Request, id string) bool) *vendor {
	t.Helper()
	v := &vendor{sent: map[string]int{}, handler: handler}
	v.Server = httptest.NewServer(v)
	t.Cleanup(v.Close)
	return v
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		ExternalID string `json:"external_id"`
		VehicleID  int64  `json:"vehicle_id"`
		Code       string `json:"code"`
	}
	if r.Method == http.MethodGet {
		v.list(w, r)
		return
	}
	text, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(text, &body)
	v.mu.Lock()
	v.sent[body.ExternalID]++
	handler := v.handler
	v.mu.Unlock()
	if handler != nil && handler(w, r, body.ExternalID) {
		return
	}
	reply(w, http.StatusCreated, fmt.Sprintf(`{"id":90210,"account_id":12,"vehicle_id":%d,"code":%q,"count":null,"description":null,`+
		`"status":"open","is_sample":false}`, body.VehicleID, body.Code))
}

func (v *vendor) list(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.lists == nil {
		reply(w, http.StatusNotFound, `{}`)
		return
	}
	v.looks++
	reply(w, http.StatusOK, `{"next_cursor":null,"records":[`+strings.Join(v.lists(r.URL.Query().Get("filter[external_id][eq]")), ",")+`]}`)
}

func (v *vendor) counts() map[string]int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.sent)
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// keys makes a file of credentials.
func keys(t *testing.T) string {
	t.Helper()
	return write(t, "keys.env", "# of the test\n\n"+envAPIKey+"="+testKey+"\r\n"+envToken+"="+testToken+"\n")
}

// imports runs an import against the server, and holds it to print no credential.
func imports(t *testing.T, v *vendor, args ...string) (int, string, string) {
	t.Helper()
	code, stdout, stderr := fleetio("", append([]string{"import", "--credentials", keys(t), "--base-url", v.URL}, args...)...)
	noCredential(t, stdout, stderr)
	return code, stdout, stderr
}

func noCredential(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		assert.NotContains(t, text, testKey)
		assert.NotContains(t, text, testToken)
	}
}

// table is a CSV file of n faults, with the ids 1 to n.
func table(n int) string {
	var b strings.Builder
	b.WriteString("external_id,vehicle_id,code\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "%d,4711,P%04d\n", i, i)
	}
	return b.String()
}

// event is what the tests read of a line of a journal.
type event struct {
	Event string `json:"event"`
	Row   int    `json:"row"`
}

// events decodes the complete lines of a journal.
func events(t *testing.T, journal string) []event {
	t.Helper()
	var all []event
	for line := range strings.Lines(journal[:strings.LastIndexByte(journal, '\n')+1]) {
		var e event
		require.NoError(t, json.Unmarshal([]byte(line), &e), line)
		all = append(all, e)
	}
	return all
}

func once(n int) map[string]int {
	all := map[string]int{}
	for i := 1; i <= n; i++ {
		all[strconv.Itoa(i)] = 1
	}
	return all
}

func TestImport(t *testing.T) {
	t.Parallel()
	path := write(t, "faults.csv", table(9))
	v := newVendor(t, func(_ http.ResponseWriter, _ *http.Request, id string) bool {
		text, err := os.ReadFile(path + ".journal")
		assert.NoError(t, err)
		assert.Contains(t, string(text), `{"event":"sending","row":`+id+",", "the journal has a row before the server")
		return false
	})
	code, stdout, stderr := imports(t, v, "--dry-run", path)
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, path+": 9 rows: 0 created, 0 created before, 0 rejected, 0 ambiguous, 0 not found, 0 not created, 9 to send\n", stdout)
	assert.Empty(t, v.counts())
	assert.NoFileExists(t, path+".journal")

	code, stdout, stderr = imports(t, v, path)
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, path+": 9 rows: 9 created, 0 created before, 0 rejected, 0 ambiguous, 0 not found, 0 not created, 0 not tried\n", stdout)
	assert.Equal(t, "9 of 9 rows to send to "+v.URL+"\n", stderr)
	assert.Equal(t, once(9), v.counts())
	noCredential(t, read(t, path+".journal"))

	code, stdout, stderr = imports(t, v, path)
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "9 created before")
	assert.Equal(t, once(9), v.counts(), "a second run sends nothing")
}

func TestImportNDJSONFromStdin(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	journal := filepath.Join(t.TempDir(), "j")
	rows := `{"external_id":"a","vehicle_id":1,"code":"P1"}` + "\n\n" + `{"external_id":"b","vehicle_id":1}` + "\n"
	args := []string{"import", "--credentials", keys(t), "--base-url", v.URL, "--format", "json", "-"}
	code, stdout, stderr := fleetio(rows, args...)
	assert.Equal(t, 2, code)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "needs --journal")

	code, stdout, stderr = fleetio(rows, append(args, "--journal", journal)...)
	assert.Equal(t, 1, code, stderr)
	var r importer.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	assert.Equal(t, importer.Report{File: "-", Rows: 2, Created: 1, Rejected: []importer.Note{{Line: 3, Row: 2, Message: "code is required"}},
		NotCreated: []importer.Note{}, Ambiguous: []importer.Note{}, NotFound: []importer.Note{}, Warnings: []importer.Note{}}, r)
	assert.Equal(t, map[string]int{"a": 1}, v.counts())
}

// TestImportOutcomes has a row for each thing that may become of one, and runs the import again.
func TestImportOutcomes(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	limited := 0
	v := newVendor(t, func(w http.ResponseWriter, r *http.Request, id string) bool {
		mu.Lock()
		defer mu.Unlock()
		switch id {
		case "1":
			reply(w, http.StatusUnprocessableEntity, `{"errors":{"code":["of `+r.Header.Get("Authorization")+` is unknown"]}}`)
		case "2":
			panic(http.ErrAbortHandler)
		case "3":
			reply(w, http.StatusNotFound, `{}`)
		case "4":
			reply(w, http.StatusCreated, `{"id":7`)
		case "5":
			if limited++; limited > 1 {
				return false
			}
			w.Header().Set("Retry-After", "0")
			reply(w, http.StatusTooManyRequests, `{"error":"too many"}`)
		default:
			return false
		}
		return true
	})
	path := write(t, "faults.csv", table(6)+"7,0,\n")
	code, stdout, stderr := imports(t, v, path)
	assert.Equal(t, 1, code, stderr)
	assert.Contains(t, stdout, "7 rows: 3 created, 0 created before, 2 rejected, 1 ambiguous, 0 not found, 1 not created, 0 not tried\n")
	assert.Regexp(t, `(?s)rejected\n  \S*:2: 422 .*code of .*\[redacted\].* is unknown\n  \S*:8: code is required; vehicle_id is required\n`, stdout)
	assert.Regexp(t, `(?s)ambiguous: .*:3: .*unknown whether created`, stdout)
	assert.Regexp(t, `(?s)not created: .*faults.csv:4: 404 Not Found`, stdout)
	assert.Regexp(t, `(?s)created, with a warning\n  \S*:5: the fault was created`, stdout)
	noCredential(t, read(t, path+".journal"))
	first := map[string]int{"1": 1, "2": 1, "3": 1, "4": 1, "5": 2, "6": 1}
	assert.Equal(t, first, v.counts())

	code, stdout, _ = imports(t, v, path)
	assert.Equal(t, 1, code)
	assert.Contains(t, stdout, "7 rows: 0 created, 3 created before, 2 rejected, 1 ambiguous, 0 not found, 1 not created")
	first["1"]++
	first["3"]++
	assert.Equal(t, first, v.counts(), "what was refused is sent again, and nothing else")

	v.handler = nil
	code, stdout, _ = imports(t, v, "--retry-ambiguous", path)
	assert.Equal(t, 1, code)
	assert.Contains(t, stdout, "7 rows: 3 created, 3 created before, 1 rejected, 0 ambiguous")
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	done := write(t, "done.csv", table(3))
	code, _, stderr := imports(t, v, done)
	require.Equal(t, 0, code, stderr)
	journal := read(t, done+".journal")
	header := "external_id,vehicle_id,code\n"
	for name, test := range map[string]struct {
		text, journal string
		args          []string
		stderr        string
	}{
		"a changed row":           {text: strings.Replace(table(3), "P0002", "P2", 1), journal: journal, stderr: "faults.csv:3: differs from row 2 in "},
		"a row that is wrong now": {text: strings.Replace(table(3), "2,4711", "2,x", 1), journal: journal, stderr: "faults.csv:3: differs from row 2 in "},
		"a row that is gone":      {text: table(2), journal: journal, stderr: "has 1 rows that are not in "},
		"a journal of nothing":    {text: table(1), journal: "precious", stderr: "not a journal"},
		"a journal of lines":      {text: table(1), journal: "precious\n", stderr: ".journal:1: not a journal"},
		"a row sent twice":        {text: table(3), journal: journal + strings.Split(journal, "\n")[1] + "\n", stderr: ".journal:8: row 1, which was created, is sent again"},
		"another server":          {text: table(3), journal: strings.Replace(journal, v.URL, vendorURL, 1), stderr: "journal of an import to " + vendorURL},
		"no row":                  {text: header, stderr: "faults.csv: no row to import"},
		"nothing":                 {stderr: "faults.csv: no header row"},
		"an unknown column":       {text: "code,vehicle_id,driver\n", stderr: `faults.csv:1: column 3: "driver" is not a field`},
		"a duplicate column":      {text: "code,vehicle_id,code\n", stderr: `"code" and "code" are both code`},
		"a missing column":        {text: "code\n", stderr: "no column vehicle_id"},
		"a column without a name": {text: "code,,vehicle_id\n", stderr: "column 2 has no name"},
		"an open quote":           {text: header + "1,2,\"P1\n3,4,P2\n", stderr: "in the row that begins on line 2"},
		"a bare quote":            {text: header + "1,2,P\"1\n", stderr: `faults.csv:2: bare " in non-quoted-field, in the row`},
		"a map of no field":       {text: table(1), args: []string{"--map", "a=b"}, stderr: "--map must be COLUMN=FIELD"},
		"a map of no column":      {text: table(1), args: []string{"--map", "a=name"}, stderr: `no column "a"`},
		"mapped and ignored":      {text: table(1), args: []string{"--map", "a=name", "--ignore", "a"}, stderr: `--ignore has the column "a"`},
		"mapped twice":            {text: table(1), args: []string{"--map", "a=name", "--map", "a=code"}, stderr: `"a" twice`},
		"a password in the URL":   {text: table(1), args: []string{"--base-url", "https://me:" + testKey + "@127.0.0.1"}, stderr: "the base URL has user info"},
		"http elsewhere":          {text: table(1), args: []string{"--base-url", "http://sandbox.test"}, stderr: "unencrypted; for a test server in another container, --insecure-http allows it"},
		"no such keys":            {text: table(1), args: []string{"--credentials", "nowhere"}, stderr: "nowhere"},
		"another format":          {text: table(1), args: []string{"--format", "xml"}, stderr: `not "xml"`},
		"no concurrency":          {text: table(1), args: []string{"--concurrency", "0"}, stderr: "--concurrency must be 1 to 100"},
		"two files":               {text: table(1), args: []string{"x"}, stderr: "needs one FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, "faults.csv", test.text)
			if test.journal != "" {
				require.NoError(t, os.WriteFile(path+".journal", []byte(test.journal), 0o600))
			}
			code, stdout, stderr := imports(t, v, append([]string{path}, test.args...)...)
			assert.Equal(t, 2, code, stdout)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, test.stderr)
			if test.journal != "" {
				assert.Equal(t, test.journal, read(t, path+".journal"), "it is left as it was")
			}
		})
	}
	t.Cleanup(func() { assert.Equal(t, once(3), v.counts(), "nothing of these was sent") })
}

// TestImportAccount runs imports to several accounts, of which a journal knows its own.
func TestImportAccount(t *testing.T) {
	t.Setenv(envAPIKey, "")
	t.Setenv(envToken, "")
	v := newVendor(t, nil)
	path := write(t, "faults.csv", table(3))
	code, _, stderr := imports(t, v, path)
	require.Equal(t, 0, code, stderr)
	journal := read(t, path+".journal")
	keysOf := func(key, token string) string {
		return write(t, "keys.env", envAPIKey+"="+key+"\n"+envToken+"="+token+"\n")
	}
	another, sameAccount := keysOf(testKey, "account-2"), keysOf("key-2", testToken)
	const isAnothers = ".journal is the journal of another account; use the Account-Token of that one, or another --journal\n"
	for name, test := range map[string]struct {
		args   []string
		code   int
		stderr string
	}{
		"another account":          {[]string{"--credentials", another}, 2, isAnothers},
		"another account, dry":     {[]string{"--credentials", another, "--dry-run"}, 2, isAnothers},
		"no credentials":           {nil, 2, "no credentials; set "},
		"no credentials, dry":      {[]string{"--dry-run"}, 0, ""},
		"no such credentials, dry": {[]string{"--dry-run", "--credentials", "nowhere"}, 2, "nowhere"},
		"another key":              {[]string{"--credentials", sameAccount}, 0, "0 of 3 rows to send"},
		"another key, dry":         {[]string{"--credentials", sameAccount, "--dry-run"}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, "faults.csv", table(3))
			require.NoError(t, os.WriteFile(path+".journal", []byte(journal), 0o600))
			code, stdout, stderr := fleetio("", append([]string{"import", "--base-url", v.URL, path}, test.args...)...)
			noCredential(t, stdout, stderr)
			assert.Equal(t, test.code, code, stderr)
			assert.Contains(t, stderr, test.stderr)
			if code == 0 {
				assert.Contains(t, stdout, "0 created, 3 created before")
			}
			assert.Equal(t, journal, read(t, path+".journal"), "it is left as it was")
		})
	}
	assert.Equal(t, once(3), v.counts(), "nothing was sent again")
	second := write(t, "faults.csv", table(3))
	code, _, stderr = imports(t, v, second)
	require.Equal(t, 0, code, stderr)
	header, _, _ := strings.Cut(journal, "\n")
	again, _, _ := strings.Cut(read(t, second+".journal"), "\n")
	assert.NotEqual(t, header, again, "two journals of one account cannot be linked")
}

// TestImportMistypedToken lets the right account go on with a journal in which nothing was created for another one.
func TestImportMistypedToken(t *testing.T) {
	t.Parallel()
	v := newVendor(t, func(w http.ResponseWriter, r *http.Request, _ string) bool {
		if r.Header.Get("Account-Token") == testToken {
			return false
		}
		reply(w, http.StatusUnauthorized, `{}`)
		return true
	})
	mistyped := write(t, "keys.env", envAPIKey+"="+testKey+"\n"+envToken+"=account-typo\n")
	path := write(t, "faults.csv", table(2))
	code, _, stderr := fleetio("", "import", "--base-url", v.URL, "--credentials", mistyped, path)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "the server refuses these credentials")
	code, stdout, stderr := imports(t, v, path)
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "2 created, 0 created before")
	code, _, stderr = fleetio("", "import", "--base-url", v.URL, "--credentials", mistyped, path)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "another account")
}

// TestImportLosesItsJournal stops where what is written is not there for the next run.
func TestImportLosesItsJournal(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("it keeps a file that is open in its place")
	}
	for name, test := range map[string]struct {
		lose   func(path string) error
		stderr string
	}{
		"deleted": {os.Remove, "the journal is gone, so nothing more is sent"},
		"replaced": {func(path string) error {
			text, err := os.ReadFile(path)
			return errors.Join(err, os.Remove(path), os.WriteFile(path, text, 0o600))
		}, "the journal was replaced by another file"},
		"emptied": {func(path string) error { return os.Truncate(path, 0) }, "the journal was changed by another program"},
		"added to": {func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			_, written := f.WriteString("x")
			return errors.Join(err, written, f.Close())
		}, "the journal was changed by another program"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, "faults.csv", table(9))
			v := newVendor(t, func(_ http.ResponseWriter, _ *http.Request, id string) bool {
				if id == "3" {
					assert.NoError(t, test.lose(path+".journal"))
				}
				return false
			})
			code, stdout, stderr := imports(t, v, "--concurrency", "1", path)
			assert.Equal(t, 2, code)
			assert.Contains(t, stderr, test.stderr)
			assert.Contains(t, stdout, "9 rows: 3 created")
			assert.Contains(t, stdout, "\n  "+path+":4: id 90210; the journal does not have this", "the report says what the journal does not")
			assert.Equal(t, once(3), v.counts(), "nothing more is sent")
		})
	}
}

func TestImportJournalIsNotTheFile(t *testing.T) {
	t.Parallel()
	path := write(t, "faults.csv", table(1))
	code, _, stderr := imports(t, newVendor(t, nil), "--journal", path, path)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "would be overwritten")
	assert.Equal(t, table(1), read(t, path))
}

// TestImportMemory reads a file of 64 MB, and an endless row.
func TestImportMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "faults.csv")
	f, err := os.Create(path)
	require.NoError(t, err)
	_, err = io.WriteString(f, "vehicle_id,code,description\n")
	require.NoError(t, err)
	for range 24 {
		_, err = io.WriteString(f, strings.Repeat("4711,P0420,"+strings.Repeat("d", 10e3)+"\n", 100))
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	code, stdout, stderr := fleetio("", "import", "--dry-run", path)
	runtime.ReadMemStats(&after)
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "2400 to send")
	assert.Less(t, int64(after.HeapSys)-int64(before.HeapSys), int64(8<<20), "the file is not held in memory")

	for name, text := range map[string]string{
		"CSV": "vehicle_id,code\n1,\"" + strings.Repeat("x\n", 2<<20), "NDJSON": `{"code":"` + strings.Repeat("x", 4<<20),
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := fleetio(text, "import", "--dry-run", "-")
			assert.Equal(t, 2, code)
			assert.Contains(t, stderr, "more than 1024 KiB")
		})
	}
}

func TestImportProgress(t *testing.T) {
	t.Parallel()
	now := someDay()
	var out, errOut bytes.Buffer
	c := &console{stdout: &out, stderr: &errOut, live: true, now: func() time.Time {
		now = now.Add(progressInterval)
		return now
	}}
	code := run(t.Context(), []string{"import", "--credentials", keys(t), "--base-url", newVendor(t, nil).URL, write(t, "faults.csv", table(4))}, c)
	assert.Equal(t, 0, code)
	assert.Regexp(t, `\r1 of 4 rows \(25%\), \d+s left`, errOut.String())
	assert.Empty(t, screen(errOut.String()[strings.IndexByte(errOut.String(), '\n')+1:]), "the line is cleared at the end")
}
