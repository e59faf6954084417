package importer

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// faultyFile is a file in memory. What does not fit is not written, as on a full disk.
type faultyFile struct {
	data     []byte
	at       int
	room     int  // for all of the data
	freed    bool // by others, once a write has failed
	syncs    int  // until one fails; never below 0
	noRepair bool // a file that failed can be neither cut nor synced
	failed   bool
	doubtful bool // what is on the disk is not known any more
	breached bool // and something was written all the same
	closing  error
}

func (f *faultyFile) Read(p []byte) (int, error) {
	n := copy(p, f.data[f.at:])
	f.at += n
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (f *faultyFile) Write(p []byte) (int, error) {
	n := len(p)
	f.breached = f.breached || f.doubtful
	if !f.failed || !f.freed {
		n = max(0, min(n, f.room-f.at))
	}
	f.data = append(f.data[:f.at], p[:n]...)
	f.at += n
	if n < len(p) {
		f.failed = true
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (f *faultyFile) Seek(offset int64, _ int) (int64, error) {
	f.at = int(offset)
	return offset, nil
}

func (f *faultyFile) Truncate(size int64) error {
	if f.failed && f.noRepair {
		f.doubtful = true
		return errors.New("cannot be cut")
	}
	f.data = f.data[:size]
	return nil
}

func (f *faultyFile) Sync() error {
	f.syncs--
	if f.syncs == 0 {
		f.failed, f.doubtful = true, true
		return syscall.EIO
	}
	return nil
}

// importInMemory is an import whose journal is in memory.
func importInMemory(t *testing.T, v *vendor, text string, journal *faultyFile) (*Report, error) {
	t.Helper()
	client, err := fleetio.NewClient(fleetio.Credentials{APIKey: testKey, AccountToken: testToken}, fleetio.WithBaseURL(v.URL))
	require.NoError(t, err)
	names, err := NewMapping(nil, nil)
	require.NoError(t, err)
	i := &run{Options: Options{File: "faults.csv", Input: strings.NewReader(text), Mapping: names, Journal: "j", Client: client,
		Concurrency: 2, Start: func(*Report) {}, Progress: func(int, int) {}}}
	journal.at = 0
	j, err := newJournal(journal, "j", v.URL, testToken)
	if err != nil {
		return &i.report, err
	}
	j.close = func() error { return journal.closing }
	r, err := i.send(t.Context(), j)
	assert.NotContains(t, string(journal.data), testToken)
	return r, err
}

// TestImportJournalFails makes each step of a journal fail, a write at each of its bytes, and imports again: each row is
// sent once, and those whose outcome the journal does not have are ambiguous.
func TestImportJournalFails(t *testing.T) {
	t.Parallel()
	const rows = 3
	const never = 1 << 30
	file := table(rows)
	v := newVendor(t)
	whole := &faultyFile{room: never}
	_, err := importInMemory(t, v, file, whole)
	require.NoError(t, err)
	lines := strings.SplitAfter(string(whole.data), "\n")
	require.Len(t, lines, 1+2*rows+1)
	var eachByte, eachSync []faultyFile
	for line, text := range lines { // each byte of a sending and an outcome, which are the third and the fourth line
		for i := range text {
			if room := len(strings.Join(lines[:line], "")) + i; line == 2 || line == 3 || room%17 == 0 {
				eachByte = append(eachByte, faultyFile{room: room})
			}
		}
	}
	for sync := 2; sync <= 1+len(lines)-1; sync++ { // the first is that of the cut before the header
		eachSync = append(eachSync, faultyFile{room: never, syncs: sync})
	}
	for name, test := range map[string]struct {
		freed, noRepair bool
		files           []faultyFile
	}{
		"a full disk":                     {files: eachByte},
		"a full disk that gets room":      {files: eachByte, freed: true},
		"a full disk, and no repair":      {files: eachByte, freed: true, noRepair: true},
		"a sync that fails":               {files: eachSync},
		"a sync that fails and no repair": {files: eachSync, noRepair: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t)
			unsaved, saved := 0, 0
			for _, journal := range test.files {
				at := fmt.Sprintf("room %d, sync %d", journal.room, journal.syncs)
				journal.freed, journal.noRepair = test.freed, test.noRepair
				v.mu.Lock()
				clear(v.sent)
				v.mu.Unlock()
				first, err := importInMemory(t, v, file, &journal)
				require.ErrorContains(t, err, "the journal cannot be written", at)
				require.Len(t, v.counts(), first.Created, "the report has each row that was sent: %s", at)
				require.Equal(t, first.Rows, first.Created+first.ToSend, at)
				unsaved += len(first.Warnings)
				saved += first.Created - len(first.Warnings)
				for _, warning := range first.Warnings {
					require.Equal(t, "id 90210; the journal does not have this, and the next run lists the row as ambiguous", warning.Message)
				}
				require.False(t, journal.breached, at)
				text := string(journal.data)
				if !test.noRepair {
					require.True(t, text == "" || strings.HasSuffix(text, "\n"), "%s: %s", at, text)
				}

				journal = faultyFile{data: journal.data, room: never}
				second, err := importInMemory(t, v, file, &journal)
				require.NoError(t, err, at)
				require.Equal(t, rows, second.Created+second.Skipped+len(second.Ambiguous), at)
				for id, n := range v.counts() {
					require.Equal(t, 1, n, "row %s: %s", id, at)
				}
				if !test.noRepair { // else a row that was not sent may be ambiguous, too
					require.Len(t, v.counts(), rows, at)
					require.Len(t, second.Ambiguous, len(first.Warnings), at)
				}
			}
			assert.Positive(t, unsaved)
			assert.Positive(t, saved)
		})
	}
}

// TestImportJournalCloseFails holds a failure to be told, and nothing to be lost by it.
func TestImportJournalCloseFails(t *testing.T) {
	t.Parallel()
	file := table(3)
	v := newVendor(t)
	journal := &faultyFile{room: 1 << 30, closing: syscall.EIO}
	first, err := importInMemory(t, v, file, journal)
	require.ErrorIs(t, err, syscall.EIO)
	assert.Equal(t, 3, first.Created)
	journal.closing = nil
	second, err := importInMemory(t, v, file, journal)
	require.NoError(t, err)
	assert.Equal(t, 3, second.Skipped)
}
