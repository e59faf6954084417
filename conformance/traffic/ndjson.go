package traffic

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// readLines reads a recording of one exchange a line.
func readLines(w *window) error {
	s := &lineSplitter{line: w.blankLines}
	if err := w.split(s); err != nil {
		return err
	}
	err, at := w.err, w.at+int64(len(w.rest()))
	switch {
	case s.tooLarge || errors.Is(err, errTooLarge):
		err, at = errTooLarge, w.at+int64(s.begin)
	case errors.Is(err, io.EOF):
		return nil
	}
	return &Error{File: w.file.name, Entry: w.entry, Offset: at, Err: &lineError{line: s.line + 1, err: err}}
}

// lineSplitter finds the lines that are not blank.
type lineSplitter struct {
	line     int // how many came to their end
	begin    int // of the line that did not, in what is shown
	seen     int // up to where there is no end of it
	tooLarge bool
}

func (s *lineSplitter) split(rest []byte, last bool) (begin, end, line int, found step) {
	for {
		i := bytes.IndexByte(rest[s.seen:], '\n')
		switch {
		case i >= 0:
			end = s.seen + i + 1
		case last:
			end = len(rest)
		default:
			s.seen = len(rest)
			return 0, 0, 0, stepMore
		}
		blank := skipBlanks(rest[:end], s.begin) == end
		switch {
		case blank && i < 0:
			return 0, 0, 0, stepStop
		case end-s.begin > maxValue:
			s.tooLarge = true
			return 0, 0, 0, stepStop
		}
		begin = s.begin
		s.begin, s.seen = end, end
		s.line++
		if !blank {
			s.begin, s.seen = 0, 0
			return begin, end, s.line, stepRecord
		}
	}
}

// lineError is a fault in a line, whose number is from 1.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }

func (e *lineError) Unwrap() error { return e.err }
