package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// console is the process as the commands see it: results go to stdout, talk to stderr. In a run, both escape what does not
// print, whatever is written to them; [printable.Unescaped] is for the colors of a report and for the line of progress.
type console struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	color          bool // stdout shows colours
	live           bool // somebody watches stderr, so progress is shown
	now            func() time.Time
}

func thisConsole() *console {
	c := &console{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, now: time.Now}
	c.color, c.live = shows(isTerminal(os.Stdout), isTerminal(os.Stderr), os.Getenv)
	return c
}

// shows tells whether stdout gets colours and stderr progress. NO_COLOR counts unless it is empty (no-color.org), and a
// dumb terminal can do neither.
func shows(stdout, stderr bool, getenv func(string) string) (color, live bool) {
	able := getenv("TERM") != "dumb"
	return stdout && able && getenv("NO_COLOR") == "", stderr && able
}

// isTerminal takes the null device for a terminal, too, where nothing that is shown does harm.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// warnf tells what does not keep a command from its result.
func (c *console) warnf(format string, args ...any) {
	_, _ = fmt.Fprintf(c.stderr, "warning: %s\n", printable.Text(fmt.Sprintf(format, args...)))
}

// fail tells why a command failed.
func (c *console) fail(err error) {
	_, _ = fmt.Fprintf(c.stderr, "fleetio: %s\n", strings.Join(messages(err), "\n"))
}

// messages returns a line for each error of [errors.Join]. No name in an error can begin another line.
func messages(err error) []string {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var all, plain []string
		for _, one := range several.Unwrap() {
			all = append(all, messages(one)...)
			plain = append(plain, one.Error())
		}
		if strings.Join(plain, "\n") == err.Error() { // unlike an error of fmt, which has words of its own
			return all
		}
	}
	return []string{printable.Text(err.Error())}
}
