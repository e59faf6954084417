package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxAnswer bounds an answer, header and body. That of a create has about 800 bytes.
const maxAnswer = 16 << 10

// answers reads the answers of one connection. It knows as much of HTTP as it needs for creates, and takes nothing else:
// an answer that has no Content-Length, or is larger than maxAnswer, is an error.
type answers struct {
	from   io.Reader
	buffer [maxAnswer]byte
}

// answer is what is asked of each answer. It holds until the next is read.
type answer struct {
	status   int
	location []byte
	body     []byte
}

var (
	errEarly  = errors.New("the server sent more than its answer")
	errLength = errors.New("the answer is not as long as one Content-Length says")
	errLarge  = fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	errHead   = errors.New("the answer does not begin as HTTP/1.1 does")
)

// next reads one answer. As each waits for the one before, nothing may follow it.
func (a *answers) next() (answer, error) {
	n, end := 0, -1
	for end < 0 {
		if n == len(a.buffer) {
			return answer{}, errLarge
		}
		more, err := a.from.Read(a.buffer[n:])
		if n += more; more == 0 && err != nil {
			return answer{}, unexpected(err)
		}
		end = bytes.Index(a.buffer[:n], []byte("\r\n\r\n"))
	}
	found, length, err := parseHead(a.buffer[:end+2])
	if err != nil {
		return answer{}, err
	}
	begin := end + len("\r\n\r\n")
	switch {
	case length > len(a.buffer)-begin:
		return answer{}, errLarge
	case n > begin+length:
		return answer{}, errEarly
	}
	if n < begin+length {
		if _, err := io.ReadFull(a.from, a.buffer[n:begin+length]); err != nil {
			return answer{}, unexpected(err)
		}
	}
	found.body = a.buffer[begin : begin+length]
	return found, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parseHead reads the status line and the header, each line with its end, and returns the body's length beside them.
func parseHead(head []byte) (found answer, length int, err error) {
	const version = "HTTP/1.1 "
	if len(head) < len(version)+len("201") || string(head[:len(version)]) != version {
		return answer{}, 0, errHead
	}
	found.status, err = strconv.Atoi(string(head[len(version) : len(version)+len("201")]))
	if err != nil {
		return answer{}, 0, errHead
	}
	length = -1
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if bytes.IndexByte(line, '\n') >= 0 { // which some read as the end of the line
			return answer{}, 0, errHead
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		// Most lines are told apart by how long their name is.
		switch {
		case len(name) == len("Location") && bytes.EqualFold(name, []byte("Location")):
			found.location = bytes.TrimSpace(value)
		case len(name) == len("Content-Length") && bytes.EqualFold(name, []byte("Content-Length")):
			n, err := strconv.Atoi(string(bytes.TrimSpace(value)))
			if err != nil || n < 0 || length >= 0 {
				return answer{}, 0, errLength
			}
			length = n
		case len(name) == len("Transfer-Encoding") && bytes.EqualFold(name, []byte("Transfer-Encoding")):
			return answer{}, 0, errLength
		}
	}
	if length < 0 {
		return answer{}, 0, errLength
	}
	return found, length, nil
}

// id returns the number of the fault in the body of a 201; 0 where there is none. It looks for the member and does not
// parse the body, as the load must take little of the processor that the server needs.
func (a *answer) id() int64 {
	_, rest, _ := bytes.Cut(a.body, []byte(`"id":`))
	var id int64
	for i, digit := range rest {
		if digit < '0' || digit > '9' || i == 18 {
			break
		}
		id = 10*id + int64(digit-'0')
	}
	return id
}
