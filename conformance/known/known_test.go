package known_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/known"
)

func day(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return at
}

func TestRead(t *testing.T) {
	t.Parallel()
	text := "\n# The vendor knows of these.\n  # rule minimum because it is struck out\n" +
		"fingerprint 9ac383b85c7a39ba until 2027-01-31 because the vendor fixes it (ticket 123)\r\n" +
		"\trule  minimum \t pointer /fault_rule_id because it  is because\n" +
		`claim response.body#/**/required/* operation "POST /api/v1/faults" status 201 because "quotes" # no comment` + "\n" +
		`because_no pointer "/a b/\"c\"" because of a space`
	_, err := known.Read(strings.NewReader(text), "known.txt")
	require.EqualError(t, err, `known.txt:7: unknown word "because_no"; use fingerprint, rule, pointer, claim, operation, status, until or because`)
	list, err := known.Read(strings.NewReader(strings.Replace(text, "because_no ", "", 1)), "known.txt")
	require.NoError(t, err)
	assert.Equal(t, []known.Failure{
		{File: "known.txt", Line: 4, Fingerprint: "9ac383b85c7a39ba", Until: day("2027-01-31"), Reason: "the vendor fixes it (ticket 123)"},
		{File: "known.txt", Line: 5, Rule: "minimum", Pointer: "/fault_rule_id", Reason: "it  is because"},
		{File: "known.txt", Line: 6, Claim: "response.body#/**/required/*", Operation: "POST /api/v1/faults", Status: 201, Reason: `"quotes" # no comment`},
		{File: "known.txt", Line: 7, Pointer: `/a b/"c"`, Reason: "of a space"},
	}, list)
	none, err := known.Read(strings.NewReader("\n# nothing\n"), "known.txt")
	require.NoError(t, err)
	assert.Empty(t, none)
}

func TestReadFails(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"because of nothing": "needs a fingerprint, a rule, a pointer or a claim",
		"status 500 operation createFault because of that": "needs a fingerprint, a rule, a pointer or a claim",
		"rule minimum":           "needs a reason",
		"rule minimum because":   "needs a reason",
		"rule minimum because  ": "needs a reason",
		"rule":                   `"rule" needs a value`,
		"rule because of that":   `unknown word "of"`,
		"rule minimum rule maximum because of that":     `duplicate "rule"`,
		"Rule minimum because of that":                  `unknown word "Rule"`,
		"fingerprint 9AC383B85C7A39BA because of that":  "16 hexadecimal digits in lower case",
		"fingerprint 9ac383b85c7a39 because of that":    "16 hexadecimal digits",
		"pointer errors because of that":                `invalid pointer "errors"`,
		"rule minimum until 2027-02-29 because of that": `invalid day "2027-02-29"`,
		"rule minimum until 0001-01-01 because of that": `invalid day "0001-01-01"`,
		"rule minimum until tomorrow because of that":   `invalid day "tomorrow"`,
		"rule minimum status 2XX because of that":       `invalid status "2XX"`,
		"rule minimum status 0 because of that":         `invalid status "0"`,
		"rule minimum status 1000 because of that":      "invalid status 1000",
		"rule portability because of that":              "portability is a note",
		`pointer "/a because of that`:                   "the quotes are not closed",
		`pointer "/a"because of that`:                   "no space after the quotes",
		`pointer "" because of that`:                    "the value in quotes is empty",
		"rule minimum because \xff":                     "UTF-8",
		"rule minimum because \x1b[31mred":              "control characters",
		"\ufeffrule minimum because of that":            "unknown word",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			list, err := known.Read(strings.NewReader("# one\n"+line+"\n"), "known.txt")
			require.ErrorContains(t, err, want)
			assert.True(t, strings.HasPrefix(err.Error(), "known.txt:2: "), err.Error())
			assert.Nil(t, list)
		})
	}
	_, err := known.Read(strings.NewReader("claim\nrule minimum because of that\npointer x because of that"), "known.txt")
	require.ErrorContains(t, err, "known.txt:1: ")
	require.ErrorContains(t, err, "known.txt:3: ")
	assert.NotContains(t, err.Error(), "known.txt:2: ")
	_, err = known.Read(strings.NewReader(strings.Repeat("#", 1<<20+1)), "known.txt")
	require.EqualError(t, err, "known.txt: larger than 1048576 bytes")
	_, err = known.Read(strings.NewReader(strings.Repeat("#", 1<<20)), "known.txt")
	require.NoError(t, err)
	broken := errors.New("the disk is gone")
	_, err = known.Read(iotest.ErrReader(broken), "known.txt")
	require.ErrorIs(t, err, broken)
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{"rule minimum pointer /fault_rule_id because of that", "fingerprint 9ac383b85c7a39ba until 2027-01-31 because x",
		`claim "**" operation "a b" status 201 because "`, "pointer /**/*a*b*/** because x", "# no\n\nrule", `pointer "/\x00" because x`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := known.Read(strings.NewReader(text), "known.txt")
		if err != nil {
			return
		}
		for _, k := range list {
			_, problems, err := known.Apply([]known.Failure{k}, nil, time.Time{})
			require.NoError(t, err)
			require.Len(t, problems, 1)
			_, line, _ := strings.Cut(problems[0], "correct it: ")
			if !k.Until.IsZero() {
				line = "until " + k.Until.Format(time.DateOnly) + " " + line
			}
			again, err := known.Read(strings.NewReader(strings.Repeat("\n", k.Line-1)+line), "known.txt")
			require.NoError(t, err, line)
			require.Equal(t, []known.Failure{k}, again)
			_, _, err = known.Apply([]known.Failure{k}, []known.Deviation{{Rule: "minimum", Pointer: "/a/7/b", Claim: "response.body#/a"}}, time.Time{})
			require.NoError(t, err)
		}
	})
}
