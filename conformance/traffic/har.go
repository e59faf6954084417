package traffic

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// maxValue bounds one entry, and any other string or number, in bytes. An entry is held in memory as a whole, a few
// times over while it is decoded; 64 MiB is far more than any API answers and still fits a small CI machine.
const maxValue = 64 << 20

var errTooLarge = fmt.Errorf("larger than the limit of %d MiB", maxValue>>20)

// ReadHAR yields the exchanges of a HAR 1.2 file in their order, holding one entry in memory at a time. The name is
// used in [Exchange.Source] and in errors; nothing is opened by it. What comes back can be ranged over once, since that
// consumes r.
//
// The last pair has a nil exchange and an [*Error] when the file cannot be read to its end, and it is not yielded
// otherwise. The file is checked past log.entries (HAR 1.2, "Entries") to its end, so a file that is cut off, or that
// has anything after the archive, ends in an error even after its last entry was yielded. A file without log.entries,
// or with two, is in error; one with an empty list is not.
//
// Members that are not needed are skipped, whatever they hold. A null is taken as an absent member, except that a text
// of null beside a size of 0 stands for a body that was not kept. An entry without a response, and one whose status is
// 0 or less, was not answered. An entry of more than 64 MiB is an error. So is one that is not valid UTF-8, which HAR
// requires; a UTF-8 byte order mark is skipped.
func ReadHAR(r io.Reader, name string) iter.Seq2[*Exchange, error] {
	return readAs(r, name, formatHAR)
}

// errStopped unwinds the reader when its consumer has stopped.
var errStopped = errors.New("stopped")

// errSplit unwinds the decoder from the list of entries, when the window has handed out those that it could.
var errSplit = errors.New("split")

// harReader reads an archive with a decoder, except for the entries: these are cut out by a window, which is much
// faster. Where the window meets anything but an entry, the end of the list for one, the decoder goes on: all errors are
// its own.
type harReader struct {
	*window

	resumed bool // the window has done its part
	dec     *strictjson.Decoder
	index   int // of the entry being read, or -1
}

func (h *harReader) read() error {
	h.decode(h.r, h.at)
	err := h.archive()
	if errors.Is(err, errSplit) {
		// The decoder is shown a list that starts with a number in place of the entries that it did not see.
		seen := `{"log":{"entries":[`
		if h.entry > 0 {
			seen += "0"
		}
		h.resumed = true
		h.decode(io.MultiReader(strings.NewReader(seen), h.remaining()), h.at-int64(len(seen)))
		err = h.archive()
	}
	if err != nil {
		return err
	}

	err = h.dec.End()
	var fault *strictjson.Error
	var syntax strictjson.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax) && errors.As(err, &fault):
		return h.fail(fault.Offset, errors.New("data after the end of the archive"))
	default:
		return h.failure(err)
	}
}

// decode starts to decode r, whose first byte is at that offset in the file.
func (h *harReader) decode(r io.Reader, offset int64) {
	h.index = -1
	h.dec = strictjson.NewStreamDecoder(r, offset, maxValue)
}

// archive reads the top-level object.
func (h *harReader) archive() error {
	if err := h.enter('{', "the file"); err != nil {
		return err
	}
	logs, lists := 0, 0
	err := h.members(func(key string, at int64) error {
		if key != "log" {
			return h.failure(h.dec.Skip())
		}
		if logs++; logs > 1 {
			return h.fail(at, errors.New(`a second member "log"`))
		}
		if err := h.enter('{', "log"); err != nil {
			return err
		}
		return h.members(func(key string, at int64) error {
			if key != "entries" {
				return h.failure(h.dec.Skip())
			}
			if lists++; lists > 1 {
				return h.fail(at, errors.New(`a second member "log.entries"`))
			}
			return h.entries()
		})
	})
	if err == nil && lists == 0 {
		return h.fail(h.dec.Offset(), errors.New("no member log.entries, so not a HAR file"))
	}
	return err
}

// entries reads log.entries.
func (h *harReader) entries() error {
	if err := h.enter('[', "log.entries"); err != nil {
		return err
	}
	if !h.resumed {
		h.r, h.at = h.dec.Rest(), h.dec.Offset()
		if err := h.split(&entrySplitter{begin: -1}); err != nil {
			return err
		}
		return errSplit
	}
	if h.entry > 0 {
		if err := h.dec.Skip(); err != nil {
			return h.failure(err)
		}
	}
	for h.dec.More() {
		h.index = h.entry
		raw, at, err := h.dec.Value()
		if err != nil {
			return h.failure(err)
		}
		if err := h.single(raw, at); err != nil {
			return err
		}
	}
	h.index = -1
	_, err := h.dec.Next()
	return h.failure(err)
}

// members calls each with the key of every member of the object that was entered, and its offset. It must consume the value.
func (h *harReader) members(each func(key string, at int64) error) error {
	for h.dec.More() {
		key, err := h.dec.Next()
		if err != nil {
			return h.failure(err)
		}
		if err := each(string(strictjson.Unquote(key.Raw)), key.Offset); err != nil {
			return err
		}
	}
	_, err := h.dec.Next()
	return h.failure(err)
}

// enter consumes the opening bracket of a value that must be of that kind; what names the value in the error.
func (h *harReader) enter(open strictjson.Kind, what string) error {
	token, err := h.dec.Next()
	if err != nil || token.Kind == open {
		return h.failure(err)
	}
	return h.fail(token.Offset, fmt.Errorf("%s: expected %s, got %s", what, jsonTypes[byte(open)], jsonTypes[byte(token.Kind)]))
}

// fail makes an error at a byte of the file.
func (h *harReader) fail(offset int64, err error) error {
	return &Error{File: h.file.name, Entry: h.index, Offset: offset, Err: err}
}

// failure makes an error of one that the decoder returned; nil of none.
func (h *harReader) failure(err error) error {
	var fault *strictjson.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &fault):
		return h.fail(h.dec.Offset(), err)
	case errors.Is(err, strictjson.ErrTooLarge):
		return h.fail(fault.Offset, errTooLarge)
	default:
		return h.fail(fault.Offset, fault.Err)
	}
}

// entrySplitter finds the entries of a list, one or more, up to anything that is none.
type entrySplitter struct {
	behind bool // there was an entry, so that a comma comes first
	passed int  // how many bytes stand before the entry, as far as they were seen
	begin  int  // of the entry whose end is looked for, or -1
	object objectEnd
}

func (s *entrySplitter) split(rest []byte, _ bool) (begin, end, line int, found step) {
	if s.begin < 0 {
		i := skipBlanks(rest, s.passed)
		if s.behind && i < len(rest) {
			if rest[i] != ',' {
				return 0, 0, 0, stepStop
			}
			i, s.behind = skipBlanks(rest, i+1), false
		}
		s.passed = i
		switch {
		case i == len(rest):
			return 0, 0, 0, stepMore
		case rest[i] != '{':
			return 0, 0, 0, stepStop
		}
		s.begin, s.object = i, objectEnd{pos: i}
	}
	end, ended := s.object.find(rest)
	switch {
	case !ended:
		return 0, 0, 0, stepMore
	case end > maxValue:
		return 0, 0, 0, stepStop
	}
	begin, s.begin, s.behind, s.passed = s.begin, -1, true, 0
	return begin, end, 0, stepRecord
}
