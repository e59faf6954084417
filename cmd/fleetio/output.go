package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// checkOutputs finds, before a run of hours, what would keep its results from being written, or make them overwrite what
// the run reads.
func checkOutputs(outputs, inputs []string) error {
	for i, path := range outputs {
		if folder, err := os.Stat(filepath.Dir(path)); err != nil || !folder.IsDir() {
			return fmt.Errorf("%s cannot be written: there is no folder %s", path, filepath.Dir(path))
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return fmt.Errorf("%s cannot be written: it is a folder", path)
		}
		for _, other := range outputs[:i] {
			if sameFile(path, other) {
				return fmt.Errorf("two results would go to %s", path)
			}
		}
		for _, input := range inputs {
			if sameFile(path, input) {
				return fmt.Errorf("%s would be overwritten, and the run reads it", path)
			}
		}
	}
	return nil
}

// sameFile reports whether two names lead to one file, even to one that is not there yet.
func sameFile(a, b string) bool {
	ofA, errA := os.Stat(a)
	ofB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return ofA.Mode().IsRegular() && os.SameFile(ofA, ofB)
	}
	absA, errA := filepath.Abs(a)
	absB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && absA == absB
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
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		*f = append(*f, staged{path: path, text: b.Bytes()})
		return nil
	case err == nil:
		if path, err = filepath.EvalSymlinks(path); err != nil { // a link shall stay one
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	*f = append(*f, staged{path: path, temp: temp.Name()})
	buffered := bufio.NewWriter(temp)
	err = errors.Join(write(buffered), buffered.Flush(), temp.Chmod(modeOf(info)), temp.Close())
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

// commit gives the files their names.
func (f *files) commit() error {
	for len(*f) > 0 {
		next := (*f)[0]
		var err error
		if next.temp != "" {
			err = os.Rename(next.temp, next.path)
		} else {
			err = os.WriteFile(next.path, next.text, 0o600)
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
