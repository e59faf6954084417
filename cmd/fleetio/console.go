package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// console is the process as the commands see it: results go to stdout, talk to stderr.
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
	_, _ = fmt.Fprintf(c.stderr, "warning: "+format+"\n", args...)
}
