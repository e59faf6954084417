package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

var errLocked = errors.New("another import is using it")

// journal says of each row that it is about to be sent, before it is, and what became of it. It is what keeps a run that
// comes after one that died from creating a fault twice.
type journal struct {
	*history

	file *os.File
	now  func() time.Time
}

// openJournal opens or makes the journal of an import to a server, and locks it.
func openJournal(path, url string, now func() time.Time) (_ *journal, err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file, and a journal must stay", path)
	}
	f, err := openLocked(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = closeLocked(f)
		}
	}()
	j := &journal{file: f, now: now}
	if j.history, err = readHistory(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := j.isOf(path, url); err != nil {
		return nil, err
	}
	if err := f.Truncate(j.whole); err != nil {
		return nil, err
	}
	if _, err := f.Seek(j.whole, io.SeekStart); err != nil {
		return nil, err
	}
	if j.url == "" {
		return j, j.write(&event{Event: eventJournal, Version: journalVersion, URL: url})
	}
	return j, nil
}

// peekJournal reads what is in a journal, which need not be there, and changes nothing.
func peekJournal(path, url string) (*history, error) {
	f, err := os.Open(path)
	if path == "" || errors.Is(err, fs.ErrNotExist) {
		return &history{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	h, err := readHistory(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return h, h.isOf(path, url)
}

// isOf fails on a journal of another server, where the same rows are other faults.
func (h *history) isOf(path, url string) error {
	if h.url != "" && h.url != url {
		return fmt.Errorf("%s is the journal of an import to %s: for another server, name another one by --journal", path, h.url)
	}
	return nil
}

// sending must have returned before the row is sent.
func (j *journal) sending(r *row) error {
	return j.write(&event{Event: eventSending, Row: r.number, Line: r.line, SHA256: hex.EncodeToString(r.sum[:])})
}

func (j *journal) outcome(r *row, what string, id int64, message string) error {
	if len(message) > mostOfEvent/16 { // JSON may write six bytes for one
		message = message[:mostOfEvent/16] + "..."
	}
	return j.write(&event{Event: what, Row: r.number, Line: r.line, ID: id, Message: message})
}

// write returns when the event is on the disk.
func (j *journal) write(e *event) error {
	e.Time = j.now().UTC().Format(time.RFC3339)
	text, err := json.Marshal(e)
	if err == nil {
		_, err = j.file.Write(append(text, '\n'))
	}
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("the journal cannot be written: %w", err)
	}
	return nil
}

func (j *journal) close() error { return closeLocked(j.file) }
