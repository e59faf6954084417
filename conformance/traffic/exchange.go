package traffic

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
)

// Exchange is a request with its response.
type Exchange struct {
	// Source says where the exchange was recorded: the name of the file with a JSON pointer as the fragment, such as
	// "page.har#/log/entries/3".
	Source string

	// Size is how many bytes of the recording the exchange stands for: those from the end of the exchange before up to
	// its own. It is 0 for an exchange that was not read from a recording. In a cassette, the first stands for all.
	Size int64

	// Method is the request method as it was sent, such as "POST". It is never empty.
	Method string

	// URL is the URL of the request. It is never nil, but empty where what was recorded is no URL.
	URL *url.URL

	// Status is the status code of the response, 1 to 999, or 0 when no response was recorded: the request was aborted
	// or blocked, or the connection failed.
	Status int

	// Request is the header and body that were sent.
	Request Message

	// Response is the header and body that came back. It is the zero Message when there was no response.
	Response Message
}

// Answered reports whether a response was recorded, which is whether Status is not 0.
func (e *Exchange) Answered() bool { return e.Status != 0 }

// Message is the part that a request and a response have in common.
type Message struct {
	// Header holds the header fields under canonical keys, the values of one key in recorded order. The pseudo headers
	// of HTTP/2 and HTTP/3 (":method") are left out. It is not nil in an exchange with a response, but may be empty.
	Header http.Header

	// HeaderOmitted says that the recording does not hold the header that was sent: it has no list of fields, or the one
	// of a message that never was sent, as a browser has it for what came from its cache. Header may hold some fields all
	// the same, such as the Content-Type, where the recorder wrote the media type beside the body. Such a message is no
	// evidence about its header.
	HeaderOmitted bool

	// Body is the body with transfer and content encodings undone, as recorders keep it. It is empty when there was no
	// body, and when BodyOmitted is set.
	//
	// Recorders keep text as Unicode. A text that was not valid in its charset went through a replacement on their
	// side, which cannot be told from the outside.
	Body []byte

	// BodyOmitted says that the recording does not hold the body, and either says that there was one or does not say.
	// Such a message is no evidence about its body, for or against. If it is false, Body is what was sent, even if it
	// is empty.
	BodyOmitted bool
}

// Error is a recording that cannot be read. It holds no header value, no body and no URL of the recording, for these
// hold credentials.
type Error struct {
	// File is the name of the recording.
	File string

	// Entry is the index of the entry at fault, from 0, or -1 when the fault is not in an entry.
	Entry int

	// Offset counts the bytes of the file before the fault, a byte order mark included. It leads to the first byte
	// that is wrong; to the end of a file that is cut off; and to the start of the entry when the fault is a property
	// that is missing or has a value that cannot be used. It is -1 when the file was not read, because it does not
	// exist for example, and for a fault in a cassette, where Err has the line.
	Offset int64

	// Err is the fault: [io.ErrUnexpectedEOF] for a file that is cut off, [fs.ErrNotExist], or another.
	Err error
}

// Error names the file, the entry and the offset as far as they are known, then the fault:
//
//	page.har: entry 3 (byte 10422): response.status: expected an integer, got a string
func (e *Error) Error() string {
	switch {
	case e.Offset < 0 && e.Entry < 0:
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	case e.Offset < 0:
		return fmt.Sprintf("%s: entry %d: %v", e.File, e.Entry, e.Err)
	case e.Entry < 0:
		return fmt.Sprintf("%s: byte %d: %v", e.File, e.Offset, e.Err)
	default:
		return fmt.Sprintf("%s: entry %d (byte %d): %v", e.File, e.Entry, e.Offset, e.Err)
	}
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// EntryError is one exchange that cannot be read, in a recording that can: its base64 is malformed, it has a number where a
// string is due, or it is too large. [Read] goes on with the next exchange.
type EntryError struct {
	// Err says where the exchange is, and what is wrong with it.
	Err *Error

	// Method is the request method, or "" if it is not known.
	Method string

	// URL is the URL of the request, or nil if it is not known. It is empty where what was recorded is no URL.
	URL *url.URL

	// Size is as that of an [Exchange].
	Size int64
}

// Error returns the text of Err, which has nothing of the exchange.
func (e *EntryError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *EntryError) Unwrap() error { return e.Err }

// pathError is an [Error] for a path that could not be opened or listed.
func pathError(path string, err error) *Error {
	// The path is in Error.File already.
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return &Error{File: path, Entry: -1, Offset: -1, Err: err}
}
