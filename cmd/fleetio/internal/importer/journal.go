package importer

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

// journalFile is what a journal needs of its file.
type journalFile interface {
	io.ReadWriteSeeker
	Sync() error
	Truncate(size int64) error
}

// journal says of each row that it is about to be sent, before it is, and what became of it. It is what keeps a run that
// comes after one that died from creating a fault twice.
type journal struct {
	*history

	file   journalFile
	place  func() (fs.FileInfo, error) // the file that has the journal's name now; nil to trust that it is this one
	opened fs.FileInfo
	close  func() error
	header *event // to write before the first row; nil where the journal has it
	failed error  // why nothing more is written
}

// openJournal opens or makes the journal of an import to a server and an account, and locks it.
func openJournal(path, url, token string) (*journal, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file, and a journal must stay", path)
	}
	f, err := openLocked(path)
	if err != nil {
		return nil, err
	}
	j, err := newJournal(f, path, url, token)
	if err != nil {
		_ = closeLocked(f)
		return nil, err
	}
	j.place = func() (fs.FileInfo, error) { return os.Stat(path) }
	if j.opened, err = f.Stat(); err != nil {
		_ = closeLocked(f)
		return nil, err
	}
	j.close = func() error { return closeLocked(f) }
	return j, nil
}

// newJournal goes on with what is in a file.
func newJournal(f journalFile, path, url, token string) (*journal, error) {
	h, err := readJournal(f, path, url, token)
	if err != nil {
		return nil, err
	}
	j := &journal{history: h, file: f}
	if err := j.cut(); err != nil {
		return nil, err
	}
	a := h.account
	if !a.hasToken(token) {
		a = newAccount(token)
	} else if !h.damaged {
		return j, nil
	}
	j.header = &event{Event: eventJournal, Version: journalVersion, URL: url, HMACKey: a.key, Account: a.digest}
	return j, nil
}

// peekJournal reads what is in a journal, which need not be there, and changes nothing.
func peekJournal(path, url, token string) (*history, error) {
	f, err := os.Open(path)
	if path == "" || errors.Is(err, fs.ErrNotExist) {
		return &history{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readJournal(f, path, url, token)
}

// readJournal reads the journal of an import to a server and an account; token is "" where the account is not known.
// To another server or account, the same rows are other faults.
func readJournal(f io.Reader, path, url, token string) (*history, error) {
	h, err := readHistory(path, f)
	switch {
	case err != nil:
		return nil, err
	case h.url != "" && h.url != url:
		return nil, fmt.Errorf("%s is the journal of an import to %s: for another server, name another one by --journal", path, h.url)
	case token != "" && h.isBound() && !h.account.hasToken(token):
		return nil, fmt.Errorf("%s is the journal of an import to another account: use the %s of that account, or name another journal by --journal",
			path, "FLEETIO_ACCOUNT_TOKEN")
	}
	return h, nil
}

// sending must have returned before the row is sent.
func (j *journal) sending(r *row) error {
	if j.header != nil {
		if err := j.write(j.header); err != nil {
			return err
		}
		j.header = nil
	}
	return j.write(&event{Event: eventSending, Row: r.number, Line: r.line, SHA256: hex.EncodeToString(r.sum[:])})
}

func (j *journal) outcome(r *row, what string, id int64, message string) error {
	if len(message) > mostOfEvent/16 { // JSON may write six bytes for one
		message = message[:mostOfEvent/16] + "..."
	}
	return j.write(&event{Event: what, Row: r.number, Line: r.line, ID: id, Message: message})
}

// write returns when the event is on the disk. An event that cannot be written leaves nothing behind: half a line would
// make one of the next event too. Where that fails, or a sync, after which the disk may have anything, nothing more is
// written. After any error, no further row may be sent; outcomes of those that were may still find room.
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
	if err := j.check(); err != nil {
		return err
	}
	_, err = j.file.Write(text)
	complete := err == nil
	if complete {
		err = j.file.Sync()
	}
	if err == nil {
		j.whole += int64(len(text))
		return j.check()
	}
	err = fmt.Errorf("the journal cannot be written, so nothing more is sent: %w", err)
	if cut := j.cut(); complete || cut != nil {
		j.failed = errors.Join(err, cut)
	}
	return err
}

// check looks whether the file that has the journal's name still is the one that is written. What goes into another file, or
// into none, is not there for the next run, which would send the rows again.
func (j *journal) check() error {
	if j.place == nil {
		return nil
	}
	now, err := j.place()
	switch {
	case err != nil:
		j.failed = fmt.Errorf("the journal is gone, so nothing more is sent: %w", err)
	case !os.SameFile(now, j.opened):
		j.failed = errors.New("the journal was replaced by another file, so nothing more is sent: put it back")
	case now.Size() != j.whole:
		j.failed = errors.New("the journal was changed by another program, so nothing more is sent: restore it")
	}
	return j.failed
}

// cut removes what follows the last line that is complete.
func (j *journal) cut() error {
	if err := j.file.Truncate(j.whole); err != nil {
		return err
	}
	if _, err := j.file.Seek(j.whole, io.SeekStart); err != nil {
		return err
	}
	return j.file.Sync()
}
