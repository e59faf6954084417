package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// maxStop is the time in which an interrupted command must end by itself. It is less than the second that the documents
// promise.
const maxStop = 500 * time.Millisecond

var (
	// finishing is read-locked while a command must not be aborted: while a create is in flight, or the sandbox shuts
	// down. One goroutine must not lock it twice.
	finishing sync.RWMutex

	unfinished struct {
		sync.Mutex

		files []string
	}
)

// createTemp creates a temporary file that is removed if the process ends before the command does.
func createTemp(folder, pattern string) (*os.File, error) {
	unfinished.Lock()
	defer unfinished.Unlock()
	f, err := os.CreateTemp(folder, pattern)
	if err == nil {
		unfinished.files = append(unfinished.files, f.Name())
	}
	return f, err
}

// exitSoon ends the process of an interrupted command that does not end by itself, such as one that waits for a
// blocking read or write, and removes unfinished files. A command that was finishing gets maxStop once more to print
// the outcome.
func exitSoon() {
	time.Sleep(maxStop)
	for !finishing.TryLock() {
		finishing.Lock()
		finishing.Unlock() //nolint:staticcheck // it only waits
		time.Sleep(maxStop)
	}
	unfinished.Lock() // forever, so that no more files are created
	for _, name := range unfinished.files {
		_ = os.Remove(name) // it may be gone or renamed
	}
	printed := make(chan struct{})
	go func() {
		_, _ = fmt.Fprintf(os.Stderr, "fleetio: %v\n", errInterrupted)
		close(printed)
	}()
	select {
	case <-printed:
	case <-time.After(maxStop / 5): // standard error may block, too
	}
	os.Exit(exitNotRun)
}
