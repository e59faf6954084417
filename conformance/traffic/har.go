package traffic

import (
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strings"
)

const (
	// maxValue bounds one entry, and any other string or number, in bytes. An entry is held in memory as a whole, a few
	// times over while it is decoded; 64 MiB is far more than any API answers and still fits a small CI machine.
	maxValue = 64 << 20

	// maxDepth bounds the nesting of what is skipped; encoding/json has the same bound for what it decodes.
	maxDepth = 10_000
)

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

// harReader reads an archive with a json.Decoder, except for the entries: these are cut out by a window, which is much
// faster. Where the window meets anything but an entry, the end of the list for one, the decoder goes on: all errors are
// its own.
type harReader struct {
	*window

	resumed bool // the window has done its part
	src     *boundedReader
	dec     *json.Decoder
	base    int64 // the offset in the file of what the decoder sees
	index   int   // of the entry being read, or -1
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

	h.more() // moves on to the next byte that is not blank
	at := h.dec.InputOffset()
	_, err = h.dec.Token()
	var syntax *json.SyntaxError
	switch {
	case err == nil, errors.As(err, &syntax):
		return h.fail(h.base+at, errors.New("data after the end of the archive"))
	case errors.Is(err, io.EOF):
		return nil
	default:
		return h.failure(err)
	}
}

// decode starts to decode r, whose first byte is at that offset in the file.
func (h *harReader) decode(r io.Reader, offset int64) {
	h.base, h.index = offset, -1
	h.src = &boundedReader{r: r, limit: maxValue}
	h.dec = json.NewDecoder(h.src)
	h.dec.UseNumber() // a number that is skipped need not fit a float64
}

// archive reads the top-level object.
func (h *harReader) archive() error {
	if err := h.enter('{', "the file"); err != nil {
		return err
	}
	logs, lists := 0, 0
	err := h.members(func(key string) error {
		if key != "log" {
			return h.skip()
		}
		if logs++; logs > 1 {
			return h.fail(h.keyOffset(key), errors.New(`a second member "log"`))
		}
		if err := h.enter('{', "log"); err != nil {
			return err
		}
		return h.members(func(key string) error {
			if key != "entries" {
				return h.skip()
			}
			if lists++; lists > 1 {
				return h.fail(h.keyOffset(key), errors.New(`a second member "log.entries"`))
			}
			return h.entries()
		})
	})
	if err == nil && lists == 0 {
		return h.fail(h.base+h.dec.InputOffset(), errors.New("no member log.entries, so not a HAR file"))
	}
	return err
}

// entries reads log.entries.
func (h *harReader) entries() error {
	if err := h.enter('[', "log.entries"); err != nil {
		return err
	}
	if !h.resumed {
		h.r = io.MultiReader(h.dec.Buffered(), h.r)
		h.at = h.base + h.dec.InputOffset()
		if err := h.split(&entrySplitter{begin: -1}); err != nil {
			return err
		}
		return errSplit
	}
	if h.entry > 0 {
		if err := h.skip(); err != nil {
			return err
		}
	}
	var raw json.RawMessage
	for h.more() {
		h.index = h.entry
		if err := h.dec.Decode(&raw); err != nil {
			return h.failure(err)
		}
		if err := h.single(raw, h.base+h.dec.InputOffset()-int64(len(raw))); err != nil {
			return err
		}
	}
	h.index = -1
	_, err := h.token()
	return err
}

// entrySplitter finds the entries of a list, one or more, up to anything that is none.
type entrySplitter struct {
	behind bool // there was an entry, so that a comma comes first
	begin  int  // of the entry whose end is looked for, or -1
	object objectEnd
}

func (s *entrySplitter) split(rest []byte, _ bool) (begin, end, line int, found step) {
	if s.begin < 0 {
		i := skipBlanks(rest, 0)
		if s.behind && i < len(rest) && rest[i] == ',' {
			i = skipBlanks(rest, i+1)
		} else if s.behind && i < len(rest) {
			return 0, 0, 0, stepStop
		}
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
	begin, s.begin, s.behind = s.begin, -1, true
	return begin, end, 0, stepRecord
}
