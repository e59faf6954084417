//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hostile is an input that tries to take the memory or the time of a command, or to make it fail otherwise.
type hostile struct {
	name   string
	args   string // of the command, in which $ is a file with the input; without it, the input is standard input
	input  func(w *bufio.Writer)
	codes  []int
	err    string        // in standard error; "" for anything
	memory int64         // MiB
	within time.Duration // on an idle machine
	large  bool          // takes long: only with FLEETIO_HOSTILE=1
}

// exchangeOf writes an exchange of NDJSON whose response has the body that is written, as JSON text.
func exchangeOf(w *bufio.Writer, body func()) {
	_, _ = w.WriteString(`{"method":"GET","url":"/api/v1/faults/1","status":200,"request":{"headers":[["Authorization","Token x"],["Account-Token","y"]]},` +
		`"response":{"headers":[["Content-Type","application/json"]],"body":"`)
	body()
	_, _ = w.WriteString("\"}}\n")
}

// times writes a text many times.
func times(w *bufio.Writer, text string, n int) {
	for range n {
		_, _ = w.WriteString(text)
	}
}

// aSpec writes a spec with a response of a schema, and other schemas.
func aSpec(schema, others string) func(*bufio.Writer) {
	return func(w *bufio.Writer) {
		fmt.Fprintf(w, "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths:\n  /a:\n    get:\n      responses:\n        '200':\n          description: x\n"+
			"          content: {application/json: {schema: %s}}\ncomponents:\n  schemas:\n    Any: {}\n%s", schema, others)
	}
}

// diamonds are schemas that refer twice to the next one.
func diamonds(levels int) string {
	var b strings.Builder
	for i := range levels {
		fmt.Fprintf(&b, "    D%d: {allOf: [{$ref: '#/components/schemas/D%d'}, {$ref: '#/components/schemas/D%d'}]}\n", i, i+1, i+1)
	}
	fmt.Fprintf(&b, "    D%d: {type: object, properties: {a: {type: string}}}\n", levels)
	return b.String()
}

var (
	ran      = []int{exitConforms, exitFindings, exitNotRun}
	refused  = []int{exitNotRun}
	hostiles = []hostile{
		{name: "deep body", args: "verify -", codes: ran, memory: 350, within: 5 * time.Second, input: func(w *bufio.Writer) {
			exchangeOf(w, func() { times(w, "[", 100_000); times(w, "]", 100_000) })
		}},
		{name: "deep line", args: "verify -", codes: refused, memory: 350, within: 5 * time.Second, input: func(w *bufio.Writer) { times(w, `{"a":`, 100_000) }},
		{name: "many keys", large: true, args: "verify -", codes: ran, memory: 350, within: 10 * time.Second, input: func(w *bufio.Writer) {
			exchangeOf(w, func() {
				_, _ = w.WriteString(`{\"a\":1`)
				for i := range 300_000 {
					fmt.Fprintf(w, `,\"k%d\":1`, i)
				}
				_, _ = w.WriteString("}")
			})
		}},
		{name: "many headers", large: true, args: "verify -", codes: ran, memory: 350, within: 10 * time.Second, input: func(w *bufio.Writer) {
			_, _ = w.WriteString(`{"method":"GET","url":"/api/v1/faults/1","status":200,"response":{"headers":[["A","b"]`)
			for i := range 500_000 {
				fmt.Fprintf(w, `,["H%d","v"]`, i)
			}
			_, _ = w.WriteString("]}}\n")
		}},
		{name: "escapes", large: true, args: "verify -", codes: ran, memory: 350, within: 10 * time.Second, input: func(w *bufio.Writer) {
			exchangeOf(w, func() { times(w, `\u0041`, 5_000_000) })
		}},
		{name: "a long number", large: true, args: "verify -", codes: ran, memory: 350, within: 10 * time.Second, input: func(w *bufio.Writer) {
			exchangeOf(w, func() { _, _ = w.WriteString(`{\"id\":`); times(w, "9", 20<<20); _, _ = w.WriteString("}") })
		}},
		{name: "log again", args: "verify $.har", codes: ran, memory: 100, within: 5 * time.Second, input: func(w *bufio.Writer) {
			_, _ = w.WriteString(`{"log":{"entries":[]}`)
			times(w, `,"log":{"entries":[],"entries":[]}`, 100_000)
			_, _ = w.WriteString("}")
		}},
		{name: "NUL", args: "verify -", codes: refused, err: "binary data", memory: 50, within: time.Second, input: func(w *bufio.Writer) { times(w, "\x00", 1000) }},
		{name: "UTF-16", args: "verify -", codes: refused, err: "UTF-16", memory: 50, within: time.Second, input: func(w *bufio.Writer) { times(w, "\xff\xfe{\x00", 1) }},
		{name: "HTML", args: "verify -", codes: refused, err: "HTML", memory: 50, within: time.Second, input: func(w *bufio.Writer) { times(w, "<!doctype html><p>", 9) }},
		{name: "blanks", args: "verify -", codes: refused, memory: 50, within: 2 * time.Second, input: func(w *bufio.Writer) { times(w, strings.Repeat(" ", 1<<20), 60) }},
		{name: "one letter", large: true, args: "verify -", codes: ran, memory: 300, within: 9 * time.Second, input: func(w *bufio.Writer) {
			exchangeOf(w, func() { times(w, strings.Repeat("a", 1<<20), 45) })
		}},
		{name: "random letters", large: true, args: "redact -o /dev/null -", codes: ran, memory: 300, within: 9 * time.Second, input: func(w *bufio.Writer) {
			random := rand.New(rand.NewPCG(1, 2))
			exchangeOf(w, func() {
				for range 45 << 20 {
					_ = w.WriteByte("abcdefghijklmnopqrstuvwxyz0123456789+/=%&; "[random.IntN(43)])
				}
			})
		}},
		{name: "a cassette of aliases", args: "verify $.yaml", codes: refused, memory: 150, within: 3 * time.Second, input: func(w *bufio.Writer) {
			_, _ = w.WriteString("version: 2\ninteractions: &a0 [x]\n")
			for i := range 40 {
				fmt.Fprintf(w, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i, i)
			}
		}},
		{name: "a spec of aliases", args: "claims --spec $.yaml", codes: refused, memory: 150, within: 3 * time.Second, input: func(w *bufio.Writer) {
			_, _ = w.WriteString("openapi: 3.0.3\nx-a0: &a0 [x]\n")
			for i := range 40 {
				fmt.Fprintf(w, "x-a%d: &a%d [*a%d, *a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i, i)
			}
		}},
		{name: "a deep spec", args: "claims --spec $.yaml", codes: refused, memory: 150, within: 3 * time.Second, input: func(w *bufio.Writer) { times(w, "[", 200_000) }},
		{name: "many documents", args: "verify $.yaml", codes: refused, memory: 150, within: 5 * time.Second, input: func(w *bufio.Writer) { times(w, "---\na: 1\n", 100_000) }},
		{name: "fixtures of aliases", args: "sandbox --addr 127.0.0.1:0 --fixtures $.yaml", codes: refused, memory: 150, within: 3 * time.Second, input: func(w *bufio.Writer) {
			_, _ = w.WriteString("accounts: &a0 [x]\n")
			for i := range 40 {
				fmt.Fprintf(w, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i, i)
			}
		}},
		{name: "a reference to a file", args: "claims --spec $.yaml", codes: refused, err: "etc/passwd", memory: 100, within: time.Second, input: aSpec("{$ref: '/etc/passwd'}", "")},
		{name: "a reference upwards", args: "claims --spec $.yaml", codes: refused, memory: 100, within: time.Second, input: aSpec("{$ref: '../../../../etc/passwd'}", "")},
		{name: "a file URL", args: "claims --spec $.yaml", codes: refused, memory: 100, within: time.Second, input: aSpec("{$ref: 'file:///etc/passwd'}", "")},
		{name: "a URL", args: "claims --spec $.yaml", codes: refused, memory: 100, within: time.Second, input: aSpec("{$ref: 'http://127.0.0.1:9/x.yaml'}", "")},
		{name: "a pattern that backtracks", args: "verify --spec $.yaml -", codes: ran, memory: 100, within: 3 * time.Second, input: aSpec("{type: string, pattern: '^(a+)+$'}", "")},
		{name: "a pattern that repeats", args: "claims --spec $.yaml", codes: ran, memory: 200, within: 5 * time.Second,
			input: aSpec("{type: string, pattern: '((a{1,1000}){1,1000}){1,1000}'}", "")},
		{name: "a pattern of parentheses", args: "claims --spec $.yaml", codes: ran, memory: 350, within: 5 * time.Second, input: aSpec(
			"{type: string, pattern: '"+strings.Repeat("(", 100_000)+strings.Repeat(")", 100_000)+"'}", "")},
		{name: "diamonds", args: "verify --spec $.yaml -", codes: ran, memory: 100, within: 2 * time.Second, input: aSpec("{$ref: '#/components/schemas/D0'}", diamonds(28))},
		{name: "nested arrays", args: "verify --spec $.yaml -", codes: ran, memory: 100, within: 2 * time.Second, input: aSpec(
			strings.Repeat("{type: array, items: ", 300)+"{}"+strings.Repeat("}", 300), "")},
		{name: "1 GB", args: "verify -", codes: []int{exitConforms}, memory: 48, within: 30 * time.Second, large: true, input: func(w *bufio.Writer) {
			_, _ = w.WriteString(`{"log":{"version":"1.2","entries":[`)
			entry := `{"request":{"method":"GET","url":"https://secure.fleetio.com/api/v1/faults/1","headers":[{"name":"Authorization","value":"Token x"},` +
				`{"name":"Account-Token","value":"y"}]},"response":{"status":429,"headers":[{"name":"Content-Type","value":"application/json"},` +
				`{"name":"Retry-After","value":"9"}],"content":{"text":"{\"error\":\"` + strings.Repeat("later ", 500) + `\"}"}}}`
			_, _ = w.WriteString(entry)
			times(w, ","+entry, 1<<30/len(entry))
			_, _ = w.WriteString("]}}")
		}},
		{name: "other hosts", args: "verify -", codes: refused, memory: 48, within: 60 * time.Second, large: true, input: func(w *bufio.Writer) {
			for i := range 3_000_000 {
				fmt.Fprintf(w, `{"method":"GET","url":"https://h%d.example.com/","status":200}`+"\n", i)
			}
		}},
		{name: "a long line", args: "verify -", codes: refused, err: "larger than", memory: 350, within: 20 * time.Second, large: true, input: func(w *bufio.Writer) {
			exchangeOf(w, func() { times(w, strings.Repeat("a", 1<<20), 500) })
		}},
		{name: "a long scalar", args: "verify $.yaml", codes: refused, err: "larger than", memory: 350, within: 20 * time.Second, large: true, input: func(w *bufio.Writer) {
			_, _ = w.WriteString("version: 2\ninteractions:\n- request: {body: ")
			times(w, strings.Repeat("a", 1<<20), 300)
			_, _ = w.WriteString("}\n")
		}},
		{name: "findings", args: "verify -", codes: []int{exitFindings}, memory: 150, within: 60 * time.Second, large: true, input: func(w *bufio.Writer) {
			for range 200_000 {
				exchangeOf(w, func() { _, _ = w.WriteString(`{\"id\":0,\"count\":\"x\",\"code\":1,\"status\":\"y\"}`) })
			}
		}},
		{name: "drifts", args: "verify -", codes: ran, memory: 150, within: 60 * time.Second, large: true, input: func(w *bufio.Writer) {
			for i := range 100_000 {
				exchangeOf(w, func() { fmt.Fprintf(w, `{\"id\":1,\"new%d\":1}`, i) })
			}
		}},
	}
)

// TestHostile runs the command with each input, and measures its memory and time.
func TestHostile(t *testing.T) { //nolint:tparallel // one after the other, to measure each
	t.Parallel()
	info, ok := debug.ReadBuildInfo()
	require.True(t, ok)
	if slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector takes memory and time of its own; make test-oldest runs it")
	}
	for _, test := range hostiles {
		t.Run(test.name, func(t *testing.T) {
			if test.large && os.Getenv("FLEETIO_HOSTILE") == "" {
				t.Skip("make hostile runs it")
			}
			test.run(t)
		})
	}
}

func (h *hostile) run(t *testing.T) {
	t.Helper()
	write := func(to io.Writer) error {
		w := bufio.NewWriterSize(to, 1<<20)
		h.input(w)
		return w.Flush()
	}
	var args []string
	path := ""
	for arg := range strings.FieldsSeq(h.args) {
		if strings.HasPrefix(arg, "$") {
			path = filepath.Join(t.TempDir(), "in"+arg[1:])
			arg = path
		}
		args = append(args, arg)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0], args...)
	var stderr bytes.Buffer
	command.Stdout, command.Stderr = io.Discard, &stderr
	command.Env = []string{asCommand + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	started := time.Now()
	var peak chan int64
	if path != "" {
		f, err := os.Create(path)
		require.NoError(t, err)
		require.NoError(t, errors.Join(write(f), f.Close()))
		command.Stdin = strings.NewReader(`{"method":"GET","url":"/a","status":200,"response":{"headers":[["Content-Type","application/json"]],"body":"\"` +
			strings.Repeat("a", 40) + `!\""}}`)
		started = time.Now()
		require.NoError(t, command.Start())
		peak = peakOf(command.Process.Pid)
	} else {
		pipe, err := command.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, command.Start())
		peak = peakOf(command.Process.Pid)
		_ = write(pipe) // it may end early
		_ = pipe.Close()
	}
	_ = command.Wait()
	elapsed := time.Since(started)
	resident := <-peak
	assert.Contains(t, h.codes, command.ProcessState.ExitCode(), "%.500s", stderr.String())
	assert.Contains(t, stderr.String(), h.err)
	assert.NotContains(t, stderr.String(), "goroutine ")
	assert.Less(t, stderr.Len(), 100_000)
	t.Logf("%d MiB, %v (at most %d MiB, %v)", resident, elapsed.Round(time.Millisecond), h.memory, h.within)
	assert.LessOrEqual(t, resident, h.memory, "MiB")
	// A busy machine takes longer; an input that takes the time of its square or worse takes far longer.
	assert.Less(t, elapsed, 10*h.within)
}

var peakLine = regexp.MustCompile(`VmHWM:\s*(\d+) kB`)

// peakOf returns the most memory that a process has had until it ends, in MiB; 0 if this system does not tell. The usage that
// the system reports at the end is no measure, as that of a new process begins with the memory of this one.
func peakOf(pid int) chan int64 {
	result := make(chan int64, 1)
	go func() {
		most := int64(0)
		for {
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			found := peakLine.FindSubmatch(status)
			if found == nil { // it has ended
				result <- most >> 10
				return
			}
			most, _ = strconv.ParseInt(string(found[1]), 10, 64)
			time.Sleep(2 * time.Millisecond)
		}
	}()
	return result
}
