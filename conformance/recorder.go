package conformance

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Recorder writes exchanges into a file without their credentials, a line each, as [traffic.Read] reads them
// (NDJSON). The file appears with [Recorder.Close], after a last scan for every credential of the run: until then, and
// if the scan finds one, there is none. It is safe for concurrent use.
type Recorder struct {
	contract *Contract
	path     string
	temp     string // the file's name until it is complete

	mu     sync.Mutex
	file   *os.File // temporary, in the folder of path; nil after the end
	buffer *bufio.Writer
	all    *credentialSet // of all exchanges
	failed error
}

// mostRecorded bounds the credentials of a run that are looked for at its end.
const mostRecorded = 10_000

// Record starts a recording that will be the file at path, which is replaced if it exists.
func (c *Contract) Record(path string) (*Recorder, error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".recording-*")
	if err != nil {
		return nil, err
	}
	return &Recorder{contract: c, path: path, temp: file.Name(), file: file, buffer: bufio.NewWriter(file), all: newCredentialSet()}, nil
}

// Write adds an exchange, redacted. The error is [ErrCredential] where that cannot be done, see [Contract.Redact]; the
// recording then fails as a whole.
func (r *Recorder) Write(ex *traffic.Exchange) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.failed != nil:
		return r.failed
	case r.file == nil:
		return os.ErrClosed
	}
	r.failed = r.write(ex)
	return r.failed
}

// Close scans what was written and puts it in its place. It returns what Write failed with, or [ErrCredential] where a
// credential of one exchange stands in another; then no file is left, and one that was there before stays as it was.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return r.failed
	}
	file := r.file
	r.file = nil
	if r.failed == nil {
		r.failed = r.finish(file)
	}
	err := file.Close()
	if r.failed == nil && err == nil {
		err = os.Rename(file.Name(), r.path)
	}
	if r.failed = errors.Join(r.failed, err); r.failed != nil {
		_ = os.Remove(file.Name()) // what is wrong is told already
	}
	return r.failed
}

// Discard ends the recording without a file, at once: a Write or Close that is under way fails in the end. After Close it
// does nothing.
func (r *Recorder) Discard() {
	_ = os.Remove(r.temp) // at once: a scan takes long, and fails in the end
	if !r.mu.TryLock() {
		return
	}
	defer r.mu.Unlock()
	if r.file == nil {
		return
	}
	_ = r.file.Close()
	_ = os.Remove(r.temp) // again, as not every system removes what is open
	r.file, r.failed = nil, os.ErrClosed
}

func (r *Recorder) write(ex *traffic.Exchange) error {
	own := r.contract.credentials(ex)
	redactedExchange, err := r.contract.redactAll(ex, own)
	if err != nil {
		return err
	}
	for word := range own.words {
		r.all.add(word)
	}
	if len(r.all.words) > mostRecorded {
		return fmt.Errorf("%w: more than %d different ones in one recording", ErrCredential, mostRecorded)
	}
	return traffic.WriteNDJSON(r.buffer, redactedExchange)
}

func (r *Recorder) finish(file *os.File) error {
	if err := r.buffer.Flush(); err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if len(r.all.words) == 0 {
		return nil
	}
	lines := bufio.NewReaderSize(file, pieceSize)
	for n, search := 1, r.all.search(); ; {
		piece, err := lines.ReadSlice('\n')
		last := err == nil
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) { // behind the end of the last line
				return nil
			}
			return err
		}
		if search.write(piece, last) {
			return fmt.Errorf("line %d of the recording: %w: it is of another exchange", n, ErrCredential)
		}
		if last {
			n, search = n+1, r.all.search()
		}
	}
}
