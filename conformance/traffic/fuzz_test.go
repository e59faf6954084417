package traffic

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// FuzzReadHAR checks that any input gives exchanges that keep the promises of their fields, then at most one error,
// whose place is in the file, and that it does so however the bytes arrive.
func FuzzReadHAR(f *testing.F) {
	files, err := filepath.Glob("testdata/*.har")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds: ", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	for _, seed := range []string{
		"", "\ufeff", "\xff\xfe{", "null", "[]", "{", archive(), archive("null", "{}"), "\ufeff" + archive() + "x",
		archive(entry("GET", "", `"status":"200"`)),
		archive(entry("GET", `,"bodySize":1e999`, `"status":-1`)),
		archive(entry("POST", `,"postData":{"text":"YQ=","encoding":"base64"}`, `"status":200`)),
		archive(entry("POST", `,"postData":null`, `"status":200,"content":{"size":0,"text":null}`)),
		`{"log":{"entries":[{"request":{"method":"GET","url":":"}}]},"log":{}}`,
		"\"\xff\xff\"", `{"log":"\u0061"}`, `{"log":{"entries":[1 2]}}`, `{"log":{"entries":[],"a":[{"b":[}]}}`, "{\"log\":{\"entries\":[{\"a\":\"\xff\"}]}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		exchanges, err := collect(readHAR(bytes.NewReader(in), "x.har"))
		for _, e := range exchanges {
			if e.URL == nil || e.Method == "" || e.Source == "" || e.Status < 0 || e.Status > 999 {
				t.Errorf("bad exchange: %+v", e)
			}
			if !e.Answered() && !reflect.DeepEqual(e.Response, Message{}) {
				t.Errorf("a response without an answer: %+v", e)
			}
			for _, m := range []Message{e.Request, e.Response} {
				if m.BodyOmitted && len(m.Body) > 0 {
					t.Errorf("a body that is both there and omitted: %+v", m)
				}
			}
		}
		if err != nil {
			var fault *Error
			if !errors.As(err, &fault) || fault.File != "x.har" || fault.Offset < 0 || fault.Offset > int64(len(in)) {
				t.Errorf("error %v (%T)", err, err)
			}
		}
		again, errAgain := collect(readHAR(iotest.HalfReader(bytes.NewReader(in)), "x.har"))
		if !reflect.DeepEqual(again, exchanges) || (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
			t.Errorf("read in halves: %d exchanges, error %v; want %d, %v", len(again), errAgain, len(exchanges), err)
		}
		if !bytes.HasPrefix(in, []byte("\ufeff")) {
			requireArchive(t, in)
		}
	})
}

// requireArchive compares the reader of archives with encoding/json, which takes the last of two members of a name.
func requireArchive(t *testing.T, in []byte) {
	t.Helper()
	got, err := collect(readHAR(bytes.NewReader(in), "x"))
	var doc map[string]json.RawMessage
	var log map[string]json.RawMessage
	var entries []json.RawMessage
	wantErr := json.Unmarshal(in, &doc)
	if wantErr == nil {
		wantErr = json.Unmarshal(doc["log"], &log)
	}
	if wantErr == nil {
		wantErr = json.Unmarshal(log["entries"], &entries)
	}
	if wantErr == nil && (log == nil || entries == nil) {
		wantErr = errors.New("null")
	}
	for i, raw := range entries {
		var one []*Exchange
		if one, wantErr = collect(readHAR(strings.NewReader(archive(string(raw))), "x")); wantErr != nil {
			break
		}
		if err == nil {
			require.Less(t, i, len(got))
			one[0].Source, one[0].Size = got[i].Source, got[i].Size
			require.Equal(t, one[0], got[i])
		}
	}
	switch {
	case wantErr != nil:
		require.Error(t, err)
	case err != nil:
		require.ErrorContains(t, err, "given twice")
	default:
		require.Len(t, got, len(entries))
	}
}
