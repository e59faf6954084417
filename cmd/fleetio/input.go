package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

// readText calls read for the content of a text file. A gzip file is an error that says so.
func readText(path string, read func(io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	text := bufio.NewReader(f)
	if start, _ := text.Peek(2); string(start) == "\x1f\x8b" {
		return fmt.Errorf("%s: a gzip file; unpack it first", path)
	}
	return read(text)
}
