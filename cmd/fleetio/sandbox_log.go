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
	logBuffer = 32 << 10
)

// logWriter gathers lines for a moment, as a system call for each would cost a busy sandbox more than all it does to log.
type logWriter struct {
	out io.Writer

	mu      sync.Mutex
	lines   []byte
	waiting bool // a flush is due
}

// Write implements [io.Writer]. It takes whole lines.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, line...)
	if len(w.lines) >= logBuffer {
		w.write()
	} else if !w.waiting {
		w.waiting = true
		time.AfterFunc(logDelay, w.flush)
	}
	return len(line), nil
}

func (w *logWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = false
	w.write()
}

func (w *logWriter) write() {
	if len(w.lines) > 0 {
		_, _ = w.out.Write(w.lines) // where the log cannot be written, there is nowhere to say so
		w.lines = w.lines[:0]
	}
}

// logTo returns the log of calls and errors.
func logTo(w io.Writer, format string) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, nil)), nil
	case "off":
		return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelError})), nil
	default:
		return nil, fmt.Errorf("--log is text, json or off, not %q", format)
	}
}
