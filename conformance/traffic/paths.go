package traffic

import (
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ReadPaths yields the exchanges of all recordings at the paths, in the order of the paths.
//
// A file is read as HAR, whatever its extension; see [ReadHAR]. A folder stands for the files in it and below it whose
// names end in ".har", in any case, sorted by path; links to folders are not followed below it. The path "-" stands for
// stdin, whose name in [Exchange.Source] and errors is "-"; stdin may be nil if no path is "-". A file that two paths
// lead to is read twice. By default, without a path, nothing is yielded.
//
// At most one file is open at a time, and none is left open, however the iteration ends. It ends at the first
// [*Error], which the last pair holds with a nil exchange: a recording that cannot be read, a path that does not exist
// ([fs.ErrNotExist]), a folder without a recording, or a second "-", which is found before anything is read.
func ReadPaths(stdin io.Reader, paths ...string) iter.Seq2[*Exchange, error] {
	return func(yield func(*Exchange, error) bool) {
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
		for _, path := range paths {
			if !readPath(stdin, path, yield) {
				return
			}
		}
	}
}

// readPath yields what is at one path, and reports whether to go on.
func readPath(stdin io.Reader, path string, yield func(*Exchange, error) bool) bool {
	if path == "-" {
		return forward(ReadHAR(stdin, "-"), yield)
	}
	info, err := os.Stat(path)
	if err != nil {
		yield(nil, pathError(path, err))
		return false
	}
	if !info.IsDir() {
		return readFile(path, yield)
	}
	files, err := recordings(path)
	if err != nil {
		yield(nil, err)
		return false
	}
	for _, file := range files {
		if !readFile(file, yield) {
			return false
		}
	}
	return true
}

func readFile(path string, yield func(*Exchange, error) bool) bool {
	f, err := os.Open(path)
	if err != nil {
		yield(nil, pathError(path, err))
		return false
	}
	defer func() { _ = f.Close() }() // nothing was written that an error could be about
	return forward(ReadHAR(f, path), yield)
}

// forward yields all of seq, and reports whether to go on, which is not so after an error.
func forward(seq iter.Seq2[*Exchange, error], yield func(*Exchange, error) bool) bool {
	for e, err := range seq {
		if !yield(e, err) || err != nil {
			return false
		}
	}
	return true
}

// recordings lists the files of a folder that are taken for recordings, sorted by path.
func recordings(folder string) ([]string, error) {
	// The walk is over a file system rooted at the folder, because that follows a link when the folder itself is one:
	// it was named by the user, other than those below it.
	root := os.DirFS(folder)
	var names []string
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return pathError(filepath.Join(folder, filepath.FromSlash(name)), err)
		}
		if strings.HasSuffix(strings.ToLower(name), ".har") && isFile(root, name, d) {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, pathError(folder, errors.New("the folder holds no .har file"))
	}
	// The walk goes folder by folder, which puts a/b.har before a.har. Slashes make the order the same on all systems.
	slices.Sort(names)
	for i, name := range names {
		names[i] = filepath.Join(folder, filepath.FromSlash(name))
	}
	return names, nil
}

// isFile reports whether an entry is a regular file or a link to one. Anything else, such as a named pipe, might block.
func isFile(root fs.FS, name string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink == 0 {
		return d.Type().IsRegular()
	}
	info, err := fs.Stat(root, name)
	return err == nil && info.Mode().IsRegular()
}
