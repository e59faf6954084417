package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// checkOutputs finds, before a run of hours, what would keep its results from being written, or make them overwrite what
// the run reads. inputs are the files that it reads, "-" for standard input, and the folders that it takes them from; what
// is not there is left for the run to find. Standard output and standard error are outputs of every run.
//
// A run checks again before it writes, as links may have changed while it read.
func checkOutputs(outputs, inputs []string) error {
	var writes []place
	for _, path := range outputs {
		to, err := placeOf(path)
		if err != nil {
			return err
		}
		for _, other := range writes {
			if to.is(other) {
				return fmt.Errorf("two results would go to %s, as %s may be the same file: name another one", path, other.name)
			}
		}
		writes = append(writes, to)
	}
	for _, stream := range []*os.File{os.Stdout, os.Stderr} {
		info, err := stream.Stat()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		to := place{name: stream.Name(), info: info}
		for _, other := range writes[:len(outputs)] {
			if to.is(other) {
				return fmt.Errorf("two results would go to %s, as %s is the same file: name another one", other.name, to.name)
			}
		}
		writes = append(writes, to)
	}
	for _, path := range inputs {
		info, err := os.Stat(path)
		if path == "-" {
			info, err = os.Stdin.Stat()
		}
		if err != nil || info.Mode()&fs.ModeCharDevice != 0 { // a terminal or the null device may be read and written
			continue
		}
		for _, to := range writes {
			switch {
			case to.info != nil && os.SameFile(to.info, info):
				return fmt.Errorf("%s would be overwritten, and the run reads it as %s: name another file", to.name, path)
			case info.IsDir() && traffic.IsRecordingName(to.path) && to.isBelow(info):
				return fmt.Errorf("%s is in %s, where the next run would read it as a recording: name a file elsewhere", to.name, path)
			}
		}
	}
	return nil
}

// place is where an output goes.
type place struct {
	name   string
	path   string      // without links; a link that is an output leads to it and stays
	info   fs.FileInfo // nil where there is no file yet
	folder fs.FileInfo
}

// placeOf finds out where an output goes.
func placeOf(name string) (place, error) {
	to := place{name: name, path: name}
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return to, fmt.Errorf("%s cannot be written: it is a folder", name)
	case err == nil && info.Mode().IsRegular():
		if to.path, err = filepath.EvalSymlinks(name); err != nil {
			return to, fmt.Errorf("%s cannot be written: %w", name, err)
		}
		to.info = info
	case err == nil:
		to.info = info
		return to, nil
	case !errors.Is(err, fs.ErrNotExist):
		return to, fmt.Errorf("%s cannot be written: %w", name, err)
	default:
		if link, err := os.Readlink(name); err == nil {
			return to, fmt.Errorf("%s cannot be written: it is a link to %s, which leads to no file: make that file, or name it", name, link)
		}
	}
	to.folder, err = os.Stat(filepath.Dir(to.path))
	if err != nil || !to.folder.IsDir() {
		return to, fmt.Errorf("%s cannot be written: there is no folder %s", name, filepath.Dir(name))
	}
	return to, nil
}

// is reports whether two outputs are one file. Names of new files that differ in case only count as one, as they are on
// many file systems. Both reports may go to one device or pipe.
func (p place) is(other place) bool {
	if p.info != nil && other.info != nil {
		return p.info.Mode().IsRegular() && os.SameFile(p.info, other.info)
	}
	return p.info == nil && other.info == nil && os.SameFile(p.folder, other.folder) &&
		strings.EqualFold(filepath.Base(p.path), filepath.Base(other.path))
}

// isBelow reports whether the output goes into a folder, or one below it.
func (p place) isBelow(folder fs.FileInfo) bool {
	at, err := filepath.Abs(filepath.Dir(p.path))
	if err == nil {
		at, err = filepath.EvalSymlinks(at)
	}
	for err == nil {
		var info fs.FileInfo
		if info, err = os.Stat(at); err == nil && os.SameFile(info, folder) {
			return true
		}
		if at == filepath.Dir(at) {
			return false
		}
		at = filepath.Dir(at)
	}
	return false
}

// files are written under other names first, and get their own when all are complete.
type files []staged

type staged struct {
	path string
	temp string // "" for what is no regular file, such as a pipe
	text []byte // for that
}

// add writes a file's content aside.
func (f *files) add(path string, write func(io.Writer) error) error {
	to, err := placeOf(path)
	if err != nil {
		return err
	}
	if to.info != nil && !to.info.Mode().IsRegular() {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		*f = append(*f, staged{path: path, text: b.Bytes()})
		return nil
	}
	temp, err := leavesBehind(func() (*os.File, error) {
		return os.CreateTemp(filepath.Dir(to.path), ".fleetio-*.tmp") // which no folder is searched for
	}, removeFile)
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	*f = append(*f, staged{path: to.path, temp: temp.Name()})
	buffered := bufio.NewWriter(temp)
	err = errors.Join(write(buffered), buffered.Flush(), temp.Chmod(modeOf(to.info)), temp.Close())
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	return nil
}

// modeOf is the mode of the file that is replaced. A new one can be read by all: a report holds no credential, and the
// step that takes it up next often runs as somebody else.
func modeOf(replaced fs.FileInfo) fs.FileMode {
	if replaced == nil {
		return 0o644
	}
	return replaced.Mode().Perm()
}

// commit gives the files their names. A pipe may have no reader, until ctx ends.
func (f *files) commit(ctx context.Context) error {
	for len(*f) > 0 {
		next := (*f)[0]
		var err error
		if next.temp != "" {
			err = os.Rename(next.temp, next.path)
		} else {
			_, err = interruptible(ctx, func() (struct{}, error) { return struct{}{}, os.WriteFile(next.path, next.text, 0o600) })
		}
		if err != nil {
			return err
		}
		*f = (*f)[1:]
	}
	return nil
}

// discard removes what has no name yet. After commit, that is nothing.
func (f *files) discard() {
	for _, left := range *f {
		if left.temp != "" {
			_ = os.Remove(left.temp)
		}
	}
}
