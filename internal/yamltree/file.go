package yamltree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ReadFile returns the content of a file, and a function for [Parse] that opens the files in its folder and below. Neither
// ".." nor a symbolic link leads out of the folder. A file with more than maxSize bytes is an error.
func ReadFile(path string, maxSize int64) (text []byte, open func(name string) ([]byte, error), err error) {
	read := func(f *os.File, err error) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		return readAll(f, maxSize)
	}
	if text, err = read(os.Open(path)); err != nil {
		if !errors.As(err, new(*os.PathError)) {
			err = fmt.Errorf("%s: %w", path, err)
		}
		return nil, nil, err
	}
	return text, func(name string) ([]byte, error) {
		return read(os.OpenInRoot(filepath.Dir(path), filepath.FromSlash(name)))
	}, nil
}

func readAll(f *os.File, maxSize int64) ([]byte, error) {
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.New("this is a folder")
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	switch {
	case err != nil:
	case int64(len(text)) > maxSize:
		err = fmt.Errorf("larger than %d MiB", maxSize>>20)
	case bytes.HasPrefix(text, []byte("\x1f\x8b")):
		err = errors.New("a gzip file; unpack it first")
	}
	return text, err
}
