package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// console is the process as the commands see it: results go to stdout, messages to stderr. In a run, both escape what
// does not print, whatever is written to them; [printable.Unescaped] is for the colors of a report and for the line
// of progress.
type console struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	color          bool // stdout shows colors
	live           bool // stderr shows progress
	now            func() time.Time
}

func thisConsole() *console {
	c := &console{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, now: time.Now}
	c.color, c.live = shows(isTerminal(os.Stdout), isTerminal(os.Stderr), os.Getenv)
	return c
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// shows reports whether stdout gets colors and stderr progress, by whether they are terminals. NO_COLOR counts unless
// it is empty (no-color.org), and a dumb terminal can do neither.
func shows(stdout, stderr bool, getenv func(string) string) (color, live bool) {
	able := getenv("TERM") != "dumb"
	return stdout && able && getenv("NO_COLOR") == "", stderr && able
}

// warnf reports what does not keep a command from its result.
func (c *console) warnf(format string, args ...any) {
	_, _ = fmt.Fprintf(c.stderr, "warning: %s\n", printable.Text(fmt.Sprintf(format, args...)))
}

// fail reports why a command failed.
func (c *console) fail(err error) {
	_, _ = fmt.Fprintf(c.stderr, "fleetio: %s\n", strings.Join(messages(err), "\n"))
}

// messages returns a line for each error of [errors.Join]. No name in an error can begin another line.
func messages(err error) []string {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || errors.Join(joined.Unwrap()...).Error() != err.Error() { // an error of fmt has words of its own
		return []string{printable.Text(err.Error())}
	}
	var all []string
	for _, one := range joined.Unwrap() {
		all = append(all, messages(one)...)
	}
	return all
}

// progressInterval is how often the line of progress is written.
const progressInterval = 250 * time.Millisecond

// progress is one line on a terminal, written again and again. A nil progress shows nothing.
type progress struct {
	out io.Writer
	now func() time.Time

	mu      sync.Mutex // a run that is interrupted may still show when the command ends
	started time.Time
	written time.Time
	width   int // of the line on the screen
	ended   bool
}

// startProgress returns nil where stderr does not show it.
func (c *console) startProgress() *progress {
	if !c.live {
		return nil
	}
	now := c.now()
	return &progress{out: printable.Unescaped(c.stderr), now: c.now, started: now, written: now}
}

// show writes a line, unless it did so a moment ago.
func (p *progress) show(line func(elapsed time.Duration) string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.ended || now.Sub(p.written) < progressInterval {
		return
	}
	p.written = now
	p.write(line(now.Sub(p.started)))
}

// end clears the line.
func (p *progress) end() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.width > 0 {
		p.write("")
		_, _ = io.WriteString(p.out, "\r")
	}
}

// write replaces the line. Blanks cover a longer one, as every terminal can do that.
func (p *progress) write(line string) {
	_, _ = fmt.Fprintf(p.out, "\r%s%s", line, strings.Repeat(" ", max(0, p.width-len(line))))
	p.width = len(line)
}

// remaining estimates the time left by the share that is done.
func remaining(elapsed time.Duration, done, total int64) time.Duration {
	return time.Duration(float64(elapsed) * float64(max(0, total-done)) / float64(max(1, done))).Round(time.Second)
}
