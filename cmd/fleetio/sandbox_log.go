package main

import (
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	logDelay  = 100 * time.Millisecond // nobody who watches notices
	logBuffer = 4 << 20                // bytes that wait; a busy sandbox fills less in that time
	logEnd    = time.Second            // for the last lines
)

// logWriter gathers lines for a moment, as a system call for each would cost a busy sandbox more than all it does to log.
// Whoever logs does not wait for whoever reads: what finds no room is left out and counted.
type logWriter struct {
	out  io.Writer
	late *slog.Logger // says what was left out

	mu      sync.Mutex
	lines   []byte
	spare   []byte // to use again
	lost    int    // lines
	waiting bool   // a flush is due

	writing chan struct{} // has a token while out takes what it gets
}

// Write implements [io.Writer]. It takes whole lines.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.lines)+len(line) > logBuffer {
		w.lost++
		return len(line), nil
	}
	w.lines = append(w.lines, line...)
	if !w.waiting {
		w.waiting = true
		time.AfterFunc(logDelay, w.flush)
	}
	return len(line), nil
}

func (w *logWriter) flush() {
	w.writing <- struct{}{}
	defer func() { <-w.writing }()
	w.mu.Lock()
	lines, lost := w.lines, w.lost
	w.lines, w.lost, w.waiting = w.spare[:0], 0, false
	w.mu.Unlock()
	if len(lines) > 0 {
		_, _ = w.out.Write(lines) // where the log cannot be written, there is nowhere to say so
	}
	if lost > 0 {
		w.late.Warn("the log was not read as fast as it was written", "lines_lost", lost)
	}
	w.mu.Lock()
	w.spare = lines
	w.mu.Unlock()
}

// close writes what is left, if it is taken in time.
func (w *logWriter) close(patience time.Duration) {
	written := make(chan struct{})
	go func() {
		w.flush()
		close(written)
	}()
	select {
	case <-written:
	case <-time.After(patience):
	}
}

// logTo returns the log of calls and errors, and what to close in the end.
func logTo(out io.Writer, format string) (*slog.Logger, *logWriter, error) {
	w := &logWriter{out: out, writing: make(chan struct{}, 1)}
	var handler func(io.Writer) slog.Handler
	switch format {
	case "text":
		handler = func(to io.Writer) slog.Handler { return slog.NewTextHandler(to, nil) }
	case "json":
		handler = func(to io.Writer) slog.Handler { return slog.NewJSONHandler(to, nil) }
	case "off":
		handler = func(to io.Writer) slog.Handler {
			return slog.NewTextHandler(to, &slog.HandlerOptions{Level: slog.LevelError})
		}
	default:
		return nil, nil, fmt.Errorf("--log is text, json or off, not %q", format)
	}
	w.late = slog.New(handler(out))
	return slog.New(handler(w)), w, nil
}
