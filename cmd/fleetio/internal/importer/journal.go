package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gofrs/flock"
)

var errLocked = errors.New("another import is using this journal")

// journalFile is the part of [os.File] that a journal needs.
type journalFile interface {
	io.ReadWriteSeeker
	Sync() error
	Truncate(size int64) error
}

// journal records each row before it is sent, and its outcome, so that a run after a crash creates no fault twice.
type journal struct {
	*history

	file   journalFile
	opened fs.FileInfo
	stat   func() (fs.FileInfo, error) // of the file that has the journal's name now; nil for no watch
	close  func() error
	header *event // to write before the first row; nil if the journal has it
	failed error  // the reason why writing has stopped
}

// openJournal opens or creates the journal of an import to a server and an account, and locks it.
func openJournal(path, url, token string) (*journal, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file, which a journal must be", path)
	}
	name := path
	if runtime.GOOS == "windows" {
		name += ".lock" // as a lock there keeps other handles from reading the file, those of this process, too
	}
	lock := flock.New(name, flock.SetFlag(os.O_CREATE|os.O_RDWR))
	if locked, err := lock.TryLock(); err != nil {
		return nil, err
	} else if !locked {
		return nil, fmt.Errorf("%s: %w", path, errLocked)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	closeBoth := func() error { return errors.Join(f.Close(), lock.Unlock()) }
	j, err := newJournal(f, path, url, token)
	if err == nil {
		j.close, j.stat = closeBoth, func() (fs.FileInfo, error) { return os.Stat(path) }
		j.opened, err = f.Stat()
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return nil, errors.Join(err, closeBoth())
	}
	return j, nil
}

// syncFolder makes the names in a folder durable. Otherwise a new file may be lost after a power failure.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // it cannot open folders, and does so by itself
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// newJournal continues the journal in a file.
func newJournal(f journalFile, path, url, token string) (*journal, error) {
	h, err := readHistory(f, path, url, token)
	if err != nil {
		return nil, err
	}
	j := &journal{history: h, file: f}
	if err := j.truncate(); err != nil {
		return nil, err
	}
	if !h.account.hasToken(token) {
		a := newAccount(token)
		j.header = &event{Event: eventJournal, Version: journalVersion, URL: url, HMACKey: a.key, Account: a.digest}
	}
	return j, nil
}

// peekJournal reads a journal, if it exists, and does not change it.
func peekJournal(path, url, token string) (*history, error) {
	f, err := os.Open(path)
	if path == "" || errors.Is(err, fs.ErrNotExist) {
		return &history{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readHistory(f, path, url, token)
}

// sending records that a row will be sent. The row must not be sent before it returns.
func (j *journal) sending(r *row) error {
	if j.header != nil {
		if err := j.write(j.header); err != nil {
			return err
		}
		j.header = nil
	}
	return j.write(&event{Event: eventSending, Row: r.number, Line: r.line, SHA256: r.sum, ExternalID: r.given})
}

// outcome records the outcome of a row.
func (j *journal) outcome(r *row, outcome string, id int64, message string) error {
	if len(message) > maxEvent/16 { // JSON may need six bytes for one
		message = message[:maxEvent/16] + "..."
	}
	return j.write(&event{Event: outcome, Row: r.number, Line: r.line, ID: id, Message: message})
}

// write writes an event to the disk. After an error it removes an incomplete line, before which no other event may
// follow. If that fails, or a sync, after which the content of the disk is unknown, it writes nothing more. After any
// error, no further row may be sent; for the outcomes of those in flight there may still be room.
func (j *journal) write(e *event) error {
	if j.failed != nil {
		return j.failed
	}
	e.Time = time.Now().UTC().Format(time.RFC3339)
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if err := j.watch(); err != nil {
		return err
	}
	_, err = j.file.Write(text)
	complete := err == nil
	if complete {
		err = j.file.Sync()
	}
	if err == nil {
		j.size += int64(len(text))
		return j.watch()
	}
	err = fmt.Errorf("the journal cannot be written, so nothing more is sent: %w", err)
	if undo := j.truncate(); complete || undo != nil {
		j.failed = errors.Join(err, undo)
	}
	return err
}

// watch fails once another file has the journal's name, or another program writes to it: the next run would not find
// the events, and send the rows again.
func (j *journal) watch() error {
	if j.stat == nil {
		return nil
	}
	now, err := j.stat()
	switch {
	case err != nil:
		j.failed = fmt.Errorf("the journal is gone, so nothing more is sent: %w", err)
	case !os.SameFile(now, j.opened):
		j.failed = errors.New("the journal was replaced by another file, so nothing more is sent; restore it")
	case now.Size() != j.size:
		j.failed = errors.New("the journal was changed by another program, so nothing more is sent; restore it")
	}
	return j.failed
}

// truncate removes an incomplete last line.
func (j *journal) truncate() error {
	if err := j.file.Truncate(j.size); err != nil {
		return err
	}
	if _, err := j.file.Seek(j.size, io.SeekStart); err != nil {
		return err
	}
	return j.file.Sync()
}
