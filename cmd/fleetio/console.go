package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// console is the environment of the commands: results go to stdout, messages to stderr. In a run, both escape
// characters that are not printable; [printable.Unescaped] is for the colors of a report and the progress line.
type console struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	color          bool // stdout has colors
	live           bool // stderr has a progress line
	now            func() time.Time
}

func thisConsole() *console {
	c := &console{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, now: time.Now}
	c.color, c.live = shows(isTerminal(os.Stdout), isTerminal(os.Stderr), os.Getenv)
	return c
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// shows reports whether stdout gets colors and stderr a progress line, if they are terminals. A non-empty NO_COLOR
// disables colors (no-color.org), a dumb terminal both.
func shows(stdout, stderr bool, getenv func(string) string) (color, live bool) {
	able := getenv("TERM") != "dumb"
	return stdout && able && getenv("NO_COLOR") == "", stderr && able
}

// warnf prints a warning, after which the command continues.
func (c *console) warnf(format string, args ...any) {
	_, _ = fmt.Fprintf(c.stderr, "warning: %s\n", printable.Text(fmt.Sprintf(format, args...)))
}

// notef prints what is no cause for concern.
func (c *console) notef(format string, args ...any) {
	_, _ = fmt.Fprintf(c.stderr, "note: %s\n", printable.Text(fmt.Sprintf(format, args...)))
}

// fail reports why a command failed.
func (c *console) fail(err error) {
	_, _ = fmt.Fprintf(c.stderr, "fleetio: %s\n", strings.Join(messages(err), "\n"))
}

// messages returns a line for each error of [errors.Join]. No name in an error can start another line.
func messages(err error) []string {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || errors.Join(joined.Unwrap()...).Error() != err.Error() { // an error of fmt has text of its own
		text := err.Error()
		if failed, ok := errors.AsType[*fs.PathError](err); ok { // whose text begins with a function of Go
			text = strings.Replace(text, failed.Op+" "+failed.Path, failed.Path, 1)
			text = strings.Replace(text, failed.Path+": "+failed.Path+": ", failed.Path+": ", 1)
		}
		return []string{printable.Text(text)}
	}
	var all []string
	for _, one := range joined.Unwrap() {
		all = append(all, messages(one)...)
	}
	return all
}

// progressInterval is the time between two updates of the progress line.
const progressInterval = 250 * time.Millisecond

// progress is a line on a terminal that is rewritten. A nil progress writes nothing.
type progress struct {
	out io.Writer
	now func() time.Time

	mu      sync.Mutex // an interrupted run may still call show when the command ends
	started time.Time
	written time.Time
	width   int // of the line on the screen
	ended   bool
}

// startProgress returns nil if stderr has no progress line.
func (c *console) startProgress() *progress {
	if !c.live {
		return nil
	}
	now := c.now()
	return &progress{out: printable.Unescaped(c.stderr), now: c.now, started: now, written: now}
}

// during shows for how long some work has run, until its result is called, which may be twice.
func (c *console) during(work string) (end func()) {
	p := c.startProgress()
	if p == nil {
		return func() {}
	}
	ended := make(chan struct{})
	go func() {
		ticker := time.NewTicker(progressInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				p.show(func(elapsed time.Duration) string { return fmt.Sprintf("%s, %s", work, elapsed.Round(time.Second)) })
			case <-ended:
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(ended)
		p.end()
	})
}

// show writes a line, at most one in each progressInterval.
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

// write replaces the line. Blanks overwrite a longer one, as every terminal can do that.
func (p *progress) write(line string) {
	_, _ = fmt.Fprintf(p.out, "\r%s%s", line, strings.Repeat(" ", max(0, p.width-len(line))))
	p.width = len(line)
}

// remaining estimates the time left.
func remaining(elapsed time.Duration, done, total int64) time.Duration {
	return time.Duration(float64(elapsed) * float64(max(0, total-done)) / float64(max(1, done))).Round(time.Second)
}
