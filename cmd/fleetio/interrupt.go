package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// maxStop is how long a command may take to end by itself once it is interrupted. It is less than the second that the
// documents promise.
const maxStop = 500 * time.Millisecond

var (
	// finishing is read-locked while a command does what must not be aborted: a create that is in flight, or calls to the
	// sandbox. It must not be locked twice by one goroutine.
	finishing sync.RWMutex

	unfinished struct {
		sync.Mutex

		remove []func()
	}
)

// leavesBehind makes a file or folder, and notes how to remove it where the process has to end before the command does.
// To remove what is gone, or has another name now, must do nothing.
func leavesBehind[T any](create func() (T, error), remove func(T)) (T, error) {
	unfinished.Lock()
	defer unfinished.Unlock()
	made, err := create()
	if err == nil {
		unfinished.remove = append(unfinished.remove, func() { remove(made) })
	}
	return made, err
}

// createTemp makes a temporary file.
func createTemp(folder, pattern string) (*os.File, error) {
	create := func() (*os.File, error) { return os.CreateTemp(folder, pattern) }
	return leavesBehind(create, func(f *os.File) { _ = os.Remove(f.Name()) })
}

// exitSoon ends the process of an interrupted command that does not end by itself: it may wait for a read or a write
// that blocks, or compute. What it has not finished is removed. A command that was finishing has as long again, to
// print the outcome.
func exitSoon() {
	time.Sleep(maxStop)
	for !finishing.TryLock() {
		finishing.Lock()
		finishing.Unlock() //nolint:staticcheck // it was only to wait
		time.Sleep(maxStop)
	}
	unfinished.Lock() // for good: nothing more is made
	for _, remove := range unfinished.remove {
		remove()
	}
	told := make(chan struct{})
	go func() {
		_, _ = fmt.Fprintf(os.Stderr, "fleetio: %v\n", errInterrupted)
		close(told)
	}()
	select {
	case <-told:
	case <-time.After(maxStop / 5): // standard error may block, too
	}
	os.Exit(exitNotRun)
}
