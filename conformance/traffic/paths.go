package traffic

import (
	"errors"
	"io"
	"iter"
	"os"
	"slices"
)

// ReadPaths yields the exchanges of all recordings at the paths, in the order of the paths.
//
// A file is read as HAR, see [ReadHAR], as NDJSON or as a go-vcr cassette, see the package's documentation: whatever its
// extension, it is known by how it starts. A folder stands for the files in it and below it whose names end in ".har",
// ".ndjson" or ".jsonl", in any case, and those in ".yaml" or ".yml" that have interactions at their top level, sorted by
// path; links to folders are not followed below it. The path "-" stands for
// stdin, whose name in [Exchange.Source] and errors is "-"; stdin may be nil if no path is "-". A file that two paths
// lead to is read twice. By default, without a path, nothing is yielded.
//
// At most one file is open at a time, and none is left open, however the iteration ends. It ends at the first
// [*Error], which the last pair holds with a nil exchange: a recording that cannot be read, a path that does not exist
// ([io/fs.ErrNotExist]), a folder without a recording, or a second "-", which is found before anything is read.
func ReadPaths(stdin io.Reader, paths ...string) iter.Seq2[*Exchange, error] {
	return exchanges(ReadBatches(stdin, paths...))
}

// ReadBatches reads recordings as [ReadPaths] does, for whoever decodes them on several cores: what it yields may be
// handed to other goroutines, and is then theirs until they release it. Errors come as with ReadPaths, in the last pair,
// with a nil batch; except that a record that cannot be decoded is no error here, but one of [Record.Exchange], and what
// is behind it is read all the same.
func ReadBatches(stdin io.Reader, paths ...string) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		if i := slices.Index(paths, "-"); i >= 0 {
			switch {
			case slices.Contains(paths[i+1:], "-"):
				yield(nil, pathError("-", errors.New("standard input can be read only once")))
				return
			case stdin == nil:
				yield(nil, pathError("-", errors.New("there is no standard input")))
				return
			}
		}
		out := &output{yield: yield}
		for _, path := range paths {
			if err := out.readPath(stdin, path); err != nil {
				if !errors.Is(err, errStopped) {
					yield(nil, err)
				}
				return
			}
		}
	}
}

// Files returns the names of the files that [ReadPaths] reads, in its order: each folder is replaced by the recordings in
// it. Passed to ReadPaths, they are read and no others, whatever has been written into the folders since. The error is an
// [*Error].
func Files(paths ...string) ([]string, error) {
	var all []string
	for _, path := range paths {
		files, err := filesAt(path)
		if err != nil {
			return nil, err
		}
		all = append(all, files...)
	}
	return all, nil
}

func filesAt(path string) ([]string, error) {
	if path == "-" {
		return []string{path}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, pathError(path, err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	return recordings(path)
}

// readPath reads what is at one path.
func (o *output) readPath(stdin io.Reader, path string) error {
	if path == "-" {
		return o.read(stdin, "-", formatUnknown)
	}
	files, err := filesAt(path)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := o.readFile(file); err != nil {
			return err
		}
	}
	return nil
}

func (o *output) readFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return pathError(path, err)
	}
	defer func() { _ = f.Close() }() // nothing was written that an error could be about
	return o.read(f, path, formatUnknown)
}
