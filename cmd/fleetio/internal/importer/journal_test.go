package importer

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const journalHeader = `{"event":"journal","version":1,"url":"https://a"}` + "\n"

// accountHeader is one whose key and digest are all zeros.
var accountHeader = strings.Replace(`{"event":"journal","version":2,"url":"https://a"}`+"\n", "}", fmt.Sprintf(`,"hmac_key":%[1]q,"account":%[1]q}`, strings.Repeat("A", 43)+"="), 1)

// sendingLine is a journal's line of a row whose hash is all zeros.
func sendingLine(row string) string {
	return `{"event":"sending","row":` + row + `,"sha256":"` + strings.Repeat("0", 64) + `"}` + "\n"
}

func TestReadHistory(t *testing.T) {
	t.Parallel()
	created, notCreated := `{"event":"created","row":1,"id":7}`+"\n", `{"event":"not created","row":1}`+"\n"
	anotherAccount := strings.Replace(accountHeader, `"account":"A`, `"account":"B`, 1)
	for name, test := range map[string]struct{ text, err string }{
		"nothing":              {"", ""},
		"a torn header":        {journalHeader[:30], ""},
		"zeros at the end":     {journalHeader + sendingLine("1") + "\x00\x00", ""},
		"sent and created":     {journalHeader + sendingLine("1") + created, ""},
		"another version":      {`{"event":"journal","version":4,"url":"https://a"}` + "\n", "a journal of version 4, and this program knows versions up to 3"},
		"no account":           {`{"event":"journal","version":2,"url":"https://a"}` + "\n", "j:1: hmac_key or account is not a SHA-256"},
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
		"no line break":        {journalHeader + strings.TrimSpace(sendingLine("1")) + created, ""},
		"a torn line":          {journalHeader + sendingLine("1")[:40] + created, ""},
		"a torn line, binary":  {journalHeader + sendingLine("1")[:40] + "\x00" + created, "j:2: not a line of a journal"},
		"a torn line, cut":     {journalHeader + sendingLine("1")[5:40] + created, "j:2: not a line of a journal"},
		"a tail":               {journalHeader + strings.TrimSpace(sendingLine("1")) + "}\n", "j:2: not a line of a journal"},
		"half of one created":  {journalHeader + sendingLine("1") + created + sendingLine("1")[:40] + sendingLine("2"), ""},
		"a torn first line":    {journalHeader[:30] + journalHeader, "j:1: not a journal"},
		"a third header":       {journalHeader + accountHeader + accountHeader, ""},
		"another account":      {accountHeader + sendingLine("1") + anotherAccount, "j:3: the header of another journal"},
		"no account any more":  {accountHeader + sendingLine("1") + created + journalHeader, "j:4: the header of another journal"},
		"a mistyped account":   {accountHeader + sendingLine("1") + notCreated + anotherAccount + sendingLine("1") + created, ""},
		"one after another":    {accountHeader + sendingLine("1") + notCreated + anotherAccount + sendingLine("1") + created + accountHeader, "j:7: the header of another journal"},
		"an account later":     {journalHeader + accountHeader + sendingLine("1"), ""},
		"an account of others": {strings.Replace(journalHeader, "//a", "//b", 1) + accountHeader, "j:2: the header of another"},
		"half an account":      {strings.Replace(accountHeader, "A", "", 8), "j:1: hmac_key or account is not a SHA-256"},
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

// TestReadTornHistory reads journals in which an earlier version appended to half an event, which is cut at each byte.
func TestReadTornHistory(t *testing.T) {
	t.Parallel()
	// Rows 1 to 3 are in flight, row 4 was not created, and row 6 was.
	before := journalHeader + sendingLine("4") + `{"event":"not created","row":4}` + "\n" +
		sendingLine("6") + `{"event":"created","row":6,"id":7}` + "\n" + sendingLine("1") + sendingLine("2") + sendingLine("3")
	created := func(row int) string {
		return fmt.Sprintf(`{"event":"created","row":%d,"id":7,"message":"{\"event\":{"}`+"\n", row)
	}
	for name, test := range map[string]struct {
		half, after string
		hidden      int // the row that half an event is of
		want        map[int]string
	}{
		"an outcome":            {half: created(1), after: created(2) + created(3), want: map[int]string{1: "sending", 2: "ambiguous", 3: "ambiguous"}},
		"the last outcome":      {half: created(2), after: created(3), want: map[int]string{1: "sending", 2: "sending", 3: "ambiguous"}},
		"a sending":             {half: sendingLine("5"), after: created(1) + created(2), hidden: 5, want: map[int]string{1: "ambiguous", 2: "ambiguous", 3: "sending"}},
		"a sending for again":   {half: sendingLine("4"), after: created(1), hidden: 4, want: map[int]string{1: "ambiguous", 2: "sending", 3: "sending"}},
		"a sending and outcome": {half: sendingLine("56"), after: created(1)[:30] + created(2), hidden: 56, want: map[int]string{1: "sending", 2: "ambiguous", 3: "sending"}},
		"its own outcome":       {half: sendingLine("5"), after: created(5), want: map[int]string{1: "sending", 2: "sending", 3: "sending", 5: "ambiguous"}},
		"a whole row":           {half: created(1), after: sendingLine("5") + created(5), want: map[int]string{1: "sending", 2: "sending", 3: "sending", 5: "ambiguous"}},
		"one that was created":  {half: created(1), after: sendingLine("6"), want: map[int]string{1: "sending", 2: "sending", 3: "sending", 6: "created"}},
		"text of the server": {half: `{"event":"rejected","row":1,"message":"{\"event\":\"\u00e4ä{"}` + "\n", after: created(2),
			want: map[int]string{1: "sending", 2: "ambiguous", 3: "sending"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for cut := 1; cut < len(test.half)-1; cut++ {
				h, err := readHistory(strings.NewReader(before+test.half[:cut]+test.after), "j", "https://a", "")
				require.NoError(t, err, test.half[:cut])
				require.NotEmpty(t, h.torn)
				assert.Equal(t, strings.Count(before, "\n")+1, h.torn[0])
				want := maps.Clone(test.want)
				for row, outcome := range map[int]string{4: "not created", 6: "created"} {
					if _, has := want[row]; !has {
						want[row] = outcome
					}
				}
				if test.hidden != 0 && strings.Contains(test.half[:cut], fmt.Sprintf(`"row":%d,`, test.hidden)) {
					want[test.hidden] = "ambiguous"
				}
				last := map[int]string{}
				for row, entry := range h.rows {
					last[row] = entry.last
				}
				require.Equal(t, want, last, test.half[:cut])
			}
			text := before + test.half[:20] + test.after + journalHeader + sendingLine("7") + created(7)
			h, err := readHistory(strings.NewReader(text), "j", "https://a", "")
			require.NoError(t, err)
			assert.Equal(t, "created", h.rows[7].last, "a later run goes on behind a header")
		})
	}
}
