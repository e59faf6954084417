package traffic

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Files returns the names of the files that [Read] reads, in its order: each folder is replaced by the recordings in it.
// Passed to Read, they are read and no others, whatever has been written into the folders since. The error is an
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

// recordings lists the files of a folder that are taken for recordings, sorted by path.
func recordings(folder string) ([]string, error) {
	// The walk is over a file system rooted at the folder, because that follows a link when the folder itself is one:
	// it was named by the user, other than those below it.
	root := os.DirFS(folder)
	full := func(name string) string { return filepath.Join(folder, filepath.FromSlash(name)) }
	var names []string
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return pathError(full(name), err)
		}
		is := IsRecordingName(name) && isFile(root, name, d)
		if look := contentChecks[strings.ToLower(filepath.Ext(name))]; look != nil && isFile(root, name, d) {
			is, err = look(root, name)
		}
		if err != nil {
			return pathError(full(name), err)
		}
		if is {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, pathError(folder, errors.New("the folder holds no recording: no .har, .ndjson or .jsonl file, no zip file of .har files, and no cassette"))
	}
	// The walk goes folder by folder, which puts a/b.har before a.har. Slashes make the order the same on all systems.
	slices.Sort(names)
	for i, name := range names {
		names[i] = full(name)
	}
	return names, nil
}

// IsRecordingName reports whether [Read] reads a file of this name from a folder whatever the file holds.
func IsRecordingName(name string) bool {
	name = strings.TrimSuffix(strings.ToLower(name), ".gz")
	return slices.Contains([]string{".har", ".ndjson", ".jsonl"}, filepath.Ext(name))
}

// contentChecks tell whether a file with that extension, which others have as well, is a recording, be it one that can be
// read or not.
var contentChecks = map[string]func(root fs.FS, name string) (bool, error){
	".yaml": isCassette, ".yml": isCassette, ".json": isJSONCassette, ".zip": isZippedHAR,
}

// isFile reports whether an entry is a regular file or a link to one. Anything else, such as a named pipe, might block.
func isFile(root fs.FS, name string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink == 0 {
		return d.Type().IsRegular()
	}
	info, err := fs.Stat(root, name)
	return err == nil && info.Mode().IsRegular()
}

var interactionsLine = regexp.MustCompile(`(?m)^(\x{feff})?((http_)?interactions|"interactions"|'interactions')[ \t]*:`)

// isCassette reports whether a YAML file has interactions at its top level, near its start.
func isCassette(root fs.FS, name string) (bool, error) {
	head, err := headOf(root, name)
	return interactionsLine.Match(head), err
}

func isJSONCassette(root fs.FS, name string) (bool, error) {
	head, err := headOf(root, name)
	head = bytes.TrimLeft(head, byteOrderMark+" \t\r\n")
	return bytes.HasPrefix(head, []byte("{")) && formatOfObject(head) == formatCassette, err
}

func headOf(root fs.FS, name string) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written that an error could be about
	return io.ReadAll(io.LimitReader(f, headSize))
}

func isZippedHAR(root fs.FS, name string) (bool, error) {
	f, err := root.Open(name)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	file, isSeekable := f.(io.ReaderAt)
	if !isSeekable {
		return false, nil
	}
	z, err := zip.NewReader(file, info.Size())
	return err == nil && slices.ContainsFunc(z.File, func(f *zip.File) bool { return isHAR(f.Name) }), nil
}
