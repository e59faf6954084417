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
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// checkOutputs fails if results cannot be written or would overwrite an input. inputs are the files that the run reads,
// "-" for standard input, and their folders; missing ones are ignored, because the run reports them. Standard output
// and standard error are outputs of every run.
//
// A run calls it before it reads, which may take hours, and again before it writes, because links may have changed.
func checkOutputs(outputs, inputs []string) error {
	var writes []output
	for _, name := range outputs {
		to, err := resolveOutput(name)
		if err != nil {
			return err
		}
		writes = append(writes, to)
	}
	for _, stream := range []*os.File{os.Stdout, os.Stderr} {
		if info, err := stream.Stat(); err == nil && info.Mode().IsRegular() {
			writes = append(writes, output{name: stream.Name(), info: info})
		}
	}
	for i, to := range writes {
		for _, other := range writes[:min(i, len(outputs))] { // both streams may be one file
			if to.is(other) {
				return fmt.Errorf("two results would go to %s, as %s may be the same file; use another name", to.name, other.name)
			}
		}
	}
	for _, path := range inputs {
		info, err := os.Stat(path)
		if path == "-" {
			info, err = os.Stdin.Stat()
		}
		if err != nil || info.Mode()&fs.ModeCharDevice != 0 { // a terminal or the null device may be both
			continue
		}
		for _, to := range writes {
			switch {
			case to.info != nil && os.SameFile(to.info, info):
				return fmt.Errorf("%s would be overwritten, and the run reads it as %s; use another name", to.name, path)
			case info.IsDir() && traffic.IsRecordingName(to.path) && to.isBelow(path):
				return fmt.Errorf("%s is in %s, where the next run would read it as a recording; use another folder", to.name, path)
			}
		}
	}
	return nil
}

// output is the destination of a result.
type output struct {
	name string
	path string      // absolute and without links, so that a link is not replaced; "" if it is not a regular file
	info fs.FileInfo // nil if the file does not exist
}

// resolveOutput returns the destination for a name.
func resolveOutput(name string) (output, error) {
	to := output{name: name}
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		err = errors.New("it is a folder")
	case err == nil && !info.Mode().IsRegular():
		to.info = info
		return to, nil
	case err == nil:
		to.info = info
		to.path, err = filepath.EvalSymlinks(name)
	case errors.Is(err, fs.ErrNotExist):
		if link, linkErr := os.Readlink(name); linkErr == nil {
			err = fmt.Errorf("it is a link to %s, which leads to no file; make that file, or use its name", link)
		} else if to.path, err = filepath.EvalSymlinks(filepath.Dir(name)); err != nil {
			err = fmt.Errorf("there is no folder %s", filepath.Dir(name))
		}
		to.path = filepath.Join(to.path, filepath.Base(name))
	}
	if err == nil {
		to.path, err = filepath.Abs(to.path)
	}
	if err != nil {
		return to, fmt.Errorf("%s cannot be written: %w", name, err)
	}
	return to, nil
}

// is reports whether two outputs are the same file. Names of new files that differ only in case count as the same, as
// they are on many file systems. Two results may go to one device or pipe.
func (o output) is(other output) bool {
	if o.info != nil && other.info != nil {
		return o.info.Mode().IsRegular() && os.SameFile(o.info, other.info)
	}
	return o.info == nil && other.info == nil && strings.EqualFold(o.path, other.path)
}

// isBelow reports whether the output is in a folder or its subfolders.
func (o output) isBelow(folder string) bool {
	folder, err := filepath.EvalSymlinks(folder)
	if err == nil {
		folder, err = filepath.Abs(folder)
	}
	if err != nil {
		return false
	}
	below, err := filepath.Rel(folder, o.path)
	return err == nil && filepath.IsLocal(below)
}

// files are results that are renamed to their names when all are complete.
type files []staged

type staged struct {
	output

	text []byte // of an output that is not a regular file, such as a pipe
	temp string // the temporary file of another
}

// add writes a result to a temporary file in the same folder.
func (f *files) add(name string, write func(io.Writer) error) error {
	to, err := resolveOutput(name)
	if err != nil {
		return err
	}
	if to.path == "" {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		*f = append(*f, staged{output: to, text: b.Bytes()})
		return nil
	}
	mode := fs.FileMode(0o644) // a report has no credential, and the next step often runs as another user
	if to.info != nil {
		mode = to.info.Mode().Perm()
	}
	temp, err := createTemp(filepath.Dir(to.path), ".fleetio-*.tmp") // not the name of a recording
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", name, err)
	}
	w := bufio.NewWriterSize(temp, 64<<10)
	err = write(w)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	} else if err = errors.Join(w.Flush(), temp.Chmod(mode)); err != nil {
		err = fmt.Errorf("%s cannot be written: %w", name, err)
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		_ = os.Remove(temp.Name())
		return err
	}
	*f = append(*f, staged{output: to, temp: temp.Name()})
	return nil
}

// commit renames the files.
func (f *files) commit() error {
	for ; len(*f) > 0; *f = (*f)[1:] {
		if err := (*f)[0].commit(); err != nil {
			return err
		}
	}
	return nil
}

func (s staged) commit() error {
	if s.temp == "" {
		return os.WriteFile(s.name, s.text, 0o600)
	}
	return os.Rename(s.temp, s.path)
}

// discard removes the files that commit has not renamed.
func (f *files) discard() {
	for _, left := range *f {
		if left.temp != "" {
			_ = os.Remove(left.temp)
		}
	}
}
