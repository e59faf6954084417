package traffic

import (
	"errors"
	"fmt"
	"io/fs"
)

// Error is a recording that cannot be read. It holds no header value, no body and no URL of the recording, for these
// hold credentials.
type Error struct {
	// File is the name of the recording.
	File string

	// Entry is the index of the entry at fault, from 0, or -1 when the fault is not in an entry.
	Entry int

	// Offset counts the bytes of the file before the fault, a byte order mark included. It leads to the first byte
	// that is wrong; to the end of a file that is cut off; and to the start of the entry when the fault is a member
	// that is missing or has a value that cannot be used. It is -1 when the file was not read, because it does not
	// exist for example.
	Offset int64

	// Err is the fault: [io.ErrUnexpectedEOF] for a file that is cut off, [fs.ErrNotExist], or another.
	Err error
}

// Error names the file, the entry and the offset as far as they are known, then the fault:
//
//	page.har: entry 3 (byte 10422): response.status: expected an integer, got a string
func (e *Error) Error() string {
	switch {
	case e.Offset < 0:
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	case e.Entry < 0:
		return fmt.Sprintf("%s: byte %d: %v", e.File, e.Offset, e.Err)
	default:
		return fmt.Sprintf("%s: entry %d (byte %d): %v", e.File, e.Entry, e.Offset, e.Err)
	}
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// pathError is an [Error] for a path that could not be opened or listed.
func pathError(path string, err error) *Error {
	// The path is in Error.File already.
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return &Error{File: path, Entry: -1, Offset: -1, Err: err}
}
