package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// place watches the store's files: the database, its log and the log's index. SQLite keeps them open and does not notice
// when they are deleted, replaced, cut off or overwritten: a commit still succeeds, and what it wrote is lost.
type place struct {
	names  [3]string // as in suffixes; their links are resolved, as SQLite does
	opened [3]os.FileInfo
	named  string                               // the database as Open was told, which may be a link
	log    *os.File                             // to read its header. SQLite has no lock on the log that closing this would drop, see opening.
	serial uint32                               // of the database, see migrations
	frame  int64                                // size of a page in the log, in bytes
	frames func(context.Context) (int64, error) // how many SQLite has in the log

	// As of the last check.
	file    os.FileInfo // the database
	logSize int64
}

var suffixes = [3]string{"", "-wal", "-shm"}

const (
	logHeader   = 32
	frameHeader = 24
	logMagic    = 0x377f0682 // or one more (https://sqlite.org/fileformat.html, 4.1)
)

// newPlace is called when SQLite has opened all files.
func newPlace(path string, serial uint32, pageSize int64, frames func(context.Context) (int64, error)) (*place, error) {
	named, err := filepath.Abs(path) // the process may change its directory
	if err != nil {
		return nil, err
	}
	name, err := filepath.EvalSymlinks(named)
	if err != nil {
		return nil, err
	}
	p := &place{named: named, serial: serial, frame: frameHeader + pageSize, frames: frames}
	for i, suffix := range suffixes {
		p.names[i] = name + suffix
		if p.opened[i], err = os.Stat(p.names[i]); err != nil {
			return nil, err
		}
	}
	p.file, p.logSize = p.opened[0], p.opened[1].Size()
	if p.log, err = os.Open(p.names[1]); err != nil {
		return nil, err
	}
	return p, nil
}

// look returns an error if one of the files is not where SQLite opened it. A missing file is [fs.ErrNotExist], unless another
// one is worse: SQLite can still close what is only missing.
func (p *place) look() (now [3]os.FileInfo, err error) {
	for i, name := range p.names {
		if i == 0 {
			name = p.named
		}
		info, failure := os.Stat(name)
		switch {
		case errors.Is(failure, fs.ErrNotExist):
			if err == nil {
				err = fmt.Errorf("%s was deleted or moved while it was open (%w): put it back, or start the sandbox again", name, pathless(failure))
			}
			continue
		case failure != nil:
			return now, fmt.Errorf("%s cannot be checked (%w): let the sandbox read its folder", name, pathless(failure))
		case !os.SameFile(p.opened[i], info):
			return now, fmt.Errorf("%s was replaced by another file while it was open: put the first one back, or start the sandbox again", name)
		case i == 2 && info.Size() < p.opened[i].Size(): // SQLite has it in its memory: what is cut off crashes the process
			return now, errCut(name)
		}
		now[i] = info
	}
	return now, err
}

func errCut(name string) error {
	return fmt.Errorf("%s was cut off while it was open: start the sandbox again, with a copy of the file or with a new one", name)
}

// check returns the database's file, or an error if what was committed is lost, or the next commit would be. Only the
// goroutine that holds Store.writing may call it. It costs a few microseconds, unless the database has changed.
func (p *place) check(ctx context.Context) (os.FileInfo, error) {
	now, err := p.look()
	if err == nil {
		err = p.checkLog(ctx, now[1].Size())
	}
	if err == nil {
		err = p.checkFile(ctx, now[0])
	}
	return now[0], err
}

// checkLog looks for a log that is shorter than before, or whose beginning is gone: SQLite fills up what was cut off with
// zeros. That is right if another process has emptied the log; then SQLite knows.
func (p *place) checkLog(ctx context.Context, size int64) error {
	if size >= p.logSize && p.logBegins() {
		p.logSize = size
		return nil
	}
	for range 10 { // as another process may empty the log and write to it in between
		n, err := p.frames(ctx)
		if err != nil {
			return err
		}
		info, err := p.log.Stat()
		if err != nil {
			return err
		}
		if n == 0 || info.Size() >= logHeader+n*p.frame && p.logBegins() {
			p.logSize = info.Size()
			return nil
		}
	}
	return errCut(p.names[1])
}

func (p *place) logBegins() bool {
	var magic [4]byte
	_, err := p.log.ReadAt(magic[:], 0)
	return err == nil && binary.BigEndian.Uint32(magic[:])&^1 == logMagic
}

// checkFile looks into a database that has changed. Only a checkpoint changes it, by this process or another one, and keeps
// its header; one that makes it shorter leaves it whole.
func (p *place) checkFile(ctx context.Context, now os.FileInfo) error {
	if now.Size() == p.file.Size() && now.ModTime().Equal(p.file.ModTime()) {
		return nil
	}
	cut := now.Size() < p.file.Size()
	serial, err := inspect(ctx, p.names[0], cut)
	switch {
	case cut && (err != nil || now.Size() == 0):
		return errCut(p.named)
	case err == nil && serial != 0 && serial != p.serial: // 0: what a newer serial is in is still in the log
		err = errors.New("it is another store")
	}
	if err != nil {
		return fmt.Errorf("%s was overwritten while it was open (%w): start the sandbox again, with a copy of the file or with a new one", p.named, err)
	}
	p.file = now
	return nil
}
