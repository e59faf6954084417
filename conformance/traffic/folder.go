package traffic

import (
	"bufio"
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
		switch strings.ToLower(filepath.Ext(name)) {
		case ".yaml", ".yml":
			if isFile(root, name, d) {
				is, err = isCassette(root, name)
			}
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
		return nil, pathError(folder, errors.New("the folder holds no recording: no .har, .ndjson or .jsonl file, and no go-vcr cassette"))
	}
	// The walk goes folder by folder, which puts a/b.har before a.har. Slashes make the order the same on all systems.
	slices.Sort(names)
	for i, name := range names {
		names[i] = full(name)
	}
	return names, nil
}

// IsRecordingName reports whether [ReadPaths] reads a file of this name from a folder whatever the file holds.
func IsRecordingName(name string) bool {
	return slices.Contains([]string{".har", ".ndjson", ".jsonl"}, strings.ToLower(filepath.Ext(name)))
}

// isFile reports whether an entry is a regular file or a link to one. Anything else, such as a named pipe, might block.
func isFile(root fs.FS, name string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink == 0 {
		return d.Type().IsRegular()
	}
	info, err := fs.Stat(root, name)
	return err == nil && info.Mode().IsRegular()
}

// isCassette reports whether a file has interactions at its top level, be it a cassette that can be read or not.
func isCassette(root fs.FS, name string) (bool, error) {
	f, err := root.Open(name)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // nothing was written that an error could be about
	return hasInteractions(f)
}

var (
	interactionsLine = regexp.MustCompile(`^(\x{feff})?(interactions|"interactions"|'interactions')[ \t]*:`)
	interactionsFlow = regexp.MustCompile(`[{,]\s*(interactions|"interactions"|'interactions')\s*:`)
)

// hasInteractions looks for the name at the start of a line. In a document in flow style it looks for it anywhere near
// the start.
func hasInteractions(r io.Reader) (bool, error) {
	lines := bufio.NewReaderSize(r, headSize)
	head, err := lines.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if bytes.HasPrefix(head, []byte("{")) && formatOf(head) == formatCassette && interactionsFlow.Match(head) {
		return true, nil
	}
	for whole := true; ; {
		line, more, err := lines.ReadLine()
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		case whole && interactionsLine.Match(line):
			return true, nil
		}
		whole = !more
	}
}
