package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// progressEvery is how often the line is written again.
const progressEvery = 250 * time.Millisecond

// progress is one line on a terminal, written again and again.
type progress struct {
	out   io.Writer
	now   func() time.Time
	total int64 // bytes of the recordings; 0 where unknown

	mu      sync.Mutex // end comes from another goroutine than show where a run is interrupted
	started time.Time
	written time.Time
	width   int // of the line that stands there
	over    bool
}

func newProgress(c *console, total int64) *progress {
	now := c.now()
	return &progress{out: printable.Unescaped(c.stderr), now: c.now, total: total, started: now, written: now}
}

// show writes how far the run has come, unless it did so a moment ago.
func (p *progress) show(at conformance.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.over || now.Sub(p.written) < progressEvery {
		return
	}
	p.written = now
	p.write(p.line(at, now.Sub(p.started)))
}

// end clears the line.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	if p.width > 0 {
		p.write("")
		_, _ = io.WriteString(p.out, "\r")
	}
}

// write replaces the line. Blanks cover what was longer, as every terminal can do that.
func (p *progress) write(line string) {
	_, _ = fmt.Fprintf(p.out, "\r%s%s", line, strings.Repeat(" ", max(0, p.width-len(line))))
	p.width = len(line)
}

func (p *progress) line(at conformance.Progress, elapsed time.Duration) string {
	var b strings.Builder
	b.WriteString(megabytes(at.Bytes))
	if p.total > 0 {
		fmt.Fprintf(&b, " of %s (%d%%)", megabytes(p.total), 100*min(at.Bytes, p.total)/p.total)
	}
	fmt.Fprintf(&b, ", %d exchanges, %d findings", at.Exchanges, at.Findings)
	if p.total > 0 && at.Bytes > 0 {
		left := time.Duration(float64(elapsed) * float64(max(0, p.total-at.Bytes)) / float64(at.Bytes))
		fmt.Fprintf(&b, ", %s left", left.Round(time.Second))
	}
	return b.String()
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// sizeOf adds up the files at the paths; 0 where one is no file, as what is to come is not known then.
func sizeOf(paths []string) int64 {
	var total int64
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			return 0
		}
		total += info.Size()
	}
	return total
}

// rows writes how far an import has come, unless it did so a moment ago.
func (p *progress) rows(done, total int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.over || now.Sub(p.written) < progressEvery {
		return
	}
	p.written = now
	left := time.Duration(float64(now.Sub(p.started)) * float64(total-done) / float64(max(done, 1)))
	p.write(fmt.Sprintf("%d of %d rows (%d%%), %s left", done, total, 100*done/max(total, 1), left.Round(time.Second)))
}
