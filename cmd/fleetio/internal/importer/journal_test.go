package importer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// journalHeader is one whose key and digest are all zeros.
var journalHeader = fmt.Sprintf(`{"event":"journal","version":1,"url":"https://a","hmac_key":%[1]q,"account":%[1]q}`+"\n", strings.Repeat("A", 43)+"=")

// sendingLine is a journal's line of a row whose hash is all zeros.
func sendingLine(row string) string {
	return `{"event":"sending","row":` + row + `,"sha256":"` + strings.Repeat("0", 64) + `"}` + "\n"
}

func TestReadHistory(t *testing.T) {
	t.Parallel()
	created, notCreated := `{"event":"created","row":1,"id":7}`+"\n", `{"event":"not created","row":1}`+"\n"
	anotherAccount := strings.Replace(journalHeader, `"account":"A`, `"account":"B`, 1)
	for name, test := range map[string]struct{ text, err string }{
		"nothing":              {"", ""},
		"a torn header":        {journalHeader[:30], ""},
		"zeros at the end":     {journalHeader + sendingLine("1") + "\x00\x00", ""},
		"sent and created":     {journalHeader + sendingLine("1") + created, ""},
		"another version":      {`{"event":"journal","version":2,"url":"https://a"}` + "\n", "a journal of version 2, and this program knows version 1"},
		"no account":           {`{"event":"journal","version":1,"url":"https://a"}` + "\n", "j:1: hmac_key or account is not a SHA-256"},
		"no URL":               {`{"event":"journal","version":1}` + "\n", "j:1: not a journal"},
		"no header":            {sendingLine("1"), "j:1: not a journal"},
		"another file":         {"a", "j: not a journal"},
		"created, not sent":    {journalHeader + created, "j:2: row 1 has an outcome, and was not sent"},
		"two outcomes":         {journalHeader + sendingLine("1") + created + created, "j:4: row 1 has an outcome"},
		"sent again":           {journalHeader + sendingLine("1") + created + sendingLine("1"), "j:4: row 1, which was created, is sent again"},
		"row 0":                {journalHeader + sendingLine("0"), "j:2: no row"},
		"no hash":              {journalHeader + `{"event":"sending","row":1}` + "\n", "j:2: sha256 is not a SHA-256"},
		"an unknown event":     {journalHeader + `{"event":"lost","row":1}` + "\n", "j:2: an event that"},
		"an unknown property":  {journalHeader + `{"event":"sending","raw":1}` + "\n", "j:2: not a line of a journal; restore the journal"},
		"a torn line within":   {journalHeader + sendingLine("1")[:20] + "\n" + sendingLine("2"), "j:2: not a line of a journal"},
		"a torn line":          {journalHeader + sendingLine("1")[:40] + created, "j:2: not a line of a journal"},
		"a tail":               {journalHeader + strings.TrimSpace(sendingLine("1")) + "}\n", "j:2: not a line of a journal"},
		"a torn first line":    {journalHeader[:30] + journalHeader, "j:1: not a journal"},
		"another account":      {journalHeader + sendingLine("1") + anotherAccount, "j:3: the header of another journal"},
		"a mistyped account":   {journalHeader + sendingLine("1") + notCreated + anotherAccount + sendingLine("1") + created, ""},
		"one after another":    {journalHeader + sendingLine("1") + notCreated + anotherAccount + sendingLine("1") + created + journalHeader, "j:7: the header of another journal"},
		"an account of others": {strings.Replace(journalHeader, "//a", "//b", 1) + journalHeader, "j:2: the header of another"},
		"half an account":      {strings.Replace(journalHeader, "A", "", 8), "j:1: hmac_key or account is not a SHA-256"},
		"a line without bound": {journalHeader + strings.Repeat(" ", maxEvent+1), "j:2: too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := readHistory(strings.NewReader(test.text), "j", "https://a", "")
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, int64(strings.LastIndexByte(test.text, '\n')+1), h.size)
		})
	}
}

func TestOpenJournal(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "j")
	j, err := openJournal(path, "https://a", testToken)
	require.NoError(t, err)
	_, err = openJournal(path, "https://a", testToken)
	require.ErrorIs(t, err, errLocked)
	r := &row{number: 1, line: 2, sum: strings.Repeat("0", 64), given: "x"}
	require.NoError(t, j.sending(r))
	require.NoError(t, j.outcome(r, OutcomeRejected, 0, strings.Repeat("\x00", 1<<20)), "which is read again")
	require.NoError(t, j.close())
	require.ErrorContains(t, j.sending(r), "the journal cannot be written")
	j, err = openJournal(path, "https://a", testToken)
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), j.rows[1].sent, time.Minute)
	assert.Equal(t, map[int]entry{1: {sum: r.sum, last: OutcomeRejected, given: "x", sent: j.rows[1].sent}}, j.rows)
	require.NoError(t, j.close())
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Zero(t, info.Mode().Perm()&0o077)
	_, err = openJournal(folder, "https://a", testToken)
	require.ErrorContains(t, err, "not a regular file")
}

// FuzzReadHistory holds the complete lines of a journal to mean the same without what follows them.
func FuzzReadHistory(f *testing.F) {
	f.Add(journalHeader + sendingLine("1") + `{"event":"created","row":1,"id":7}` + "\n" + sendingLine("2")[:9])
	f.Add(journalHeader + sendingLine("1") + `{"event":"ambiguous","row":1,"message":"\u0000"}` + "\n" + sendingLine("1"))
	f.Add(journalHeader[:20])
	f.Add("\x00")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := readHistory(strings.NewReader(text), "j", "https://a", "")
		if err != nil {
			return
		}
		again, err := readHistory(strings.NewReader(text[:h.size]), "j", "https://a", "")
		require.NoError(t, err)
		assert.Equal(t, h, again)
	})
}
