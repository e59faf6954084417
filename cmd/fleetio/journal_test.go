package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const journalHeader = `{"event":"journal","version":1,"url":"https://a"}` + "\n"

// sendingLine is a journal's line of a row whose hash is all zeros.
func sendingLine(row string) string {
	return `{"event":"sending","row":` + row + `,"sha256":"` + strings.Repeat("0", 64) + `"}` + "\n"
}

func TestReadHistory(t *testing.T) {
	t.Parallel()
	created := `{"event":"created","row":1,"id":7}` + "\n"
	for name, test := range map[string]struct{ text, err string }{
		"nothing":              {"", ""},
		"a torn header":        {journalHeader[:30], ""},
		"zeros at the end":     {journalHeader + sendingLine("1") + "\x00\x00", ""},
		"sent and created":     {journalHeader + sendingLine("1") + created, ""},
		"another version":      {`{"event":"journal","version":2,"url":"https://a"}` + "\n", "a journal of version 2, and this program knows version 1"},
		"no URL":               {`{"event":"journal","version":1}` + "\n", "line 1: this is no journal"},
		"no header":            {sendingLine("1"), "line 1: this is no journal"},
		"another file":         {"a", "this is no journal"},
		"created, not sent":    {journalHeader + created, "line 2: row 1 has an outcome, and was not sent"},
		"two outcomes":         {journalHeader + sendingLine("1") + created + created, "line 4: row 1 has an outcome"},
		"sent again":           {journalHeader + sendingLine("1") + created + sendingLine("1"), "line 4: row 1 is sent again"},
		"row 0":                {journalHeader + sendingLine("0"), "line 2: a row is missing"},
		"no hash":              {journalHeader + `{"event":"sending","row":1}` + "\n", "line 2: sha256 is no SHA-256"},
		"an unknown event":     {journalHeader + `{"event":"lost","row":1}` + "\n", "line 2: an event that"},
		"an unknown member":    {journalHeader + `{"event":"sending","raw":1}` + "\n", `unknown field "raw"`},
		"a torn line within":   {journalHeader + sendingLine("1")[:20] + "\n" + sendingLine("2"), "line 2: no line of a journal"},
		"two objects a line":   {journalHeader + strings.TrimSpace(sendingLine("1")) + created, "more than one object"},
		"a line without bound": {journalHeader + strings.Repeat(" ", mostOfEvent+1), "line 2: too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := readHistory(strings.NewReader(test.text))
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, int64(strings.LastIndexByte(test.text, '\n')+1), h.whole)
		})
	}
}

func TestOpenJournal(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "j")
	j, err := openJournal(path, "https://a", someDay)
	require.NoError(t, err)
	_, err = openJournal(path, "https://a", someDay)
	require.ErrorIs(t, err, errLocked)
	r := &row{number: 1, line: 2}
	require.NoError(t, j.sending(r))
	require.NoError(t, j.outcome(r, outcomeRejected, 0, strings.Repeat("\x00", 1<<20)), "which is read again")
	require.NoError(t, j.close())
	require.ErrorContains(t, j.sending(r), "the journal cannot be written")
	j, err = openJournal(path, "https://a", someDay)
	require.NoError(t, err)
	assert.Equal(t, map[int]entry{1: {last: outcomeRejected}}, j.rows)
	require.NoError(t, j.close())
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Zero(t, info.Mode().Perm()&0o077)
	_, err = openJournal(folder, "https://a", someDay)
	require.ErrorContains(t, err, "no regular file")
}

// FuzzReadHistory holds the complete lines of a journal to mean the same without what follows them.
func FuzzReadHistory(f *testing.F) {
	f.Add(journalHeader + sendingLine("1") + `{"event":"created","row":1,"id":7}` + "\n" + sendingLine("2")[:9])
	f.Add(journalHeader + sendingLine("1") + `{"event":"ambiguous","row":1,"message":"\u0000"}` + "\n" + sendingLine("1"))
	f.Add(journalHeader[:20])
	f.Add("\x00")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := readHistory(strings.NewReader(text))
		if err != nil {
			return
		}
		again, err := readHistory(strings.NewReader(text[:h.whole]))
		require.NoError(t, err)
		assert.Equal(t, h, again)
	})
}
