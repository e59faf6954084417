package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// screen is what a terminal of one line shows after all that was written to it.
func screen(written string) string {
	line := []byte{}
	column := 0
	for _, b := range []byte(written) {
		if b == '\r' {
			column = 0
			continue
		}
		line = append(line[:column:column], append([]byte{b}, line[min(len(line), column+1):]...)...)
		column++
	}
	return strings.TrimRight(string(line), " ")
}

func TestProgress(t *testing.T) {
	t.Parallel()
	now := someDay()
	var out bytes.Buffer
	p := (&console{stderr: &out, live: true, now: func() time.Time { return now }}).startProgress()
	for _, step := range []struct {
		after time.Duration
		at    conformance.Progress
		shown string
	}{
		{100 * time.Millisecond, conformance.Progress{Bytes: 1, Exchanges: 1}, ""},
		{9900 * time.Millisecond, conformance.Progress{Bytes: 100e6, Exchanges: 123456, Findings: 78}, "100.0 MB of 400.0 MB (25%), 123456 exchanges, 78 findings, 30s left"},
		{100 * time.Millisecond, conformance.Progress{Bytes: 101e6}, "100.0 MB of 400.0 MB (25%), 123456 exchanges, 78 findings, 30s left"},
		{10 * time.Second, conformance.Progress{}, "0.0 MB of 400.0 MB (0%), 0 exchanges, 0 findings"},
		{time.Hour, conformance.Progress{Bytes: 500e6}, "500.0 MB of 400.0 MB (100%), 0 exchanges, 0 findings, 0s left"},
	} {
		now = now.Add(step.after)
		p.show(func(elapsed time.Duration) string { return progressLine(step.at, 400e6, elapsed) })
		assert.Equal(t, step.shown, screen(out.String()))
	}
	p.end()
	assert.Empty(t, screen(out.String()), "the line is cleared")
	assert.NotContains(t, out.String(), "\n")
	written := out.Len()
	now = now.Add(time.Hour)
	p.show(func(time.Duration) string { return "late" })
	assert.Equal(t, written, out.Len(), "nothing comes after the end")
}

func TestProgressWithoutTotal(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "2.5 MB, 3 exchanges, 0 findings", progressLine(conformance.Progress{Bytes: 2.5e6, Exchanges: 3}, 0, time.Second))
	var out bytes.Buffer
	p := (&console{stderr: &out, live: true, now: someDay}).startProgress()
	p.end()
	assert.Empty(t, out.String(), "what was never shown is not cleared")
}

// TestProgressOfARun has a clock on which every look takes a second.
func TestProgressOfARun(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		command string
		live    bool
		code    int
		lines   []string
	}{
		{"verify", false, 1, nil},
		{"verify", true, 1, []string{"5 exchanges, 7 findings"}},
		{"redact", false, 0, nil},
		{"redact", true, 0, []string{" MB, 5 exchanges", "redacted 5 of 5 exchanges"}},
	} {
		now := someDay()
		var out, errOut bytes.Buffer
		c := &console{stdout: &out, stderr: &errOut, live: test.live, now: func() time.Time {
			now = now.Add(time.Second)
			return now
		}}
		assert.Equal(t, test.code, run(t.Context(), []string{test.command, recordings + "minimum.har"}, c))
		assert.Equal(t, test.live, strings.Contains(errOut.String(), "\r"))
		for _, line := range test.lines {
			assert.Contains(t, errOut.String(), line)
		}
		assert.Empty(t, withoutUnchecked(screen(errOut.String())))
		assert.NotContains(t, out.String(), "\r")
	}
}

func TestSizeOf(t *testing.T) {
	t.Parallel()
	a, b := write(t, "a", "123"), write(t, "b", "4567")
	assert.EqualValues(t, 7, sizeOf([]string{a, b}))
	assert.Zero(t, sizeOf([]string{a, t.TempDir()}), "a folder is not read twice")
	assert.Zero(t, sizeOf([]string{a, "-"}))
}

// TestDuring shows for how long work has run, also if it is ended twice.
func TestDuring(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		c := &console{stderr: &out, live: true, now: time.Now}
		end := c.during("reading a.yaml")
		time.Sleep(3100 * time.Millisecond)
		synctest.Wait()
		assert.Equal(t, "reading a.yaml, 3s", screen(out.String()))
		end()
		written := out.Len()
		end()
		assert.Empty(t, screen(out.String()))
		assert.Equal(t, written, out.Len())
	})
	(&console{}).during("nothing without a terminal")()
}

// TestNoFunctionsInMessages names the file, and no function of Go.
func TestNoFunctionsInMessages(t *testing.T) {
	t.Parallel()
	for want, args := range map[string]string{
		"there.txt: no such file or directory\n":                         "verify --known there.txt " + recordings + "minimum.har",
		"there.json: no such file or directory\n":                        "merge there.json",
		"internal: is a directory\n":                                     "merge internal",
		"there.csv: no such file or directory\n":                         "import --dry-run there.csv",
		"there.env: no such file or directory\n":                         "create --vehicle-id 1 --code a --credentials there.env",
		"there.yaml: no such file or directory\n":                        "sandbox --fixtures there.yaml",
		`invalid argument "x" for "--min-coverage" flag: invalid syntax`: "verify --min-coverage x a.har",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := fleetio("", strings.Fields(args)...)
			assert.Equal(t, exitNotRun, code)
			assert.True(t, strings.HasPrefix(stderr, "fleetio: "+want), stderr)
		})
	}
}
