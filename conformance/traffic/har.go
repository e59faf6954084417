package traffic

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"unicode/utf8"
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
	return func(yield func(*Exchange, error) bool) {
		h := &harReader{name: name, entry: -1}
		if err := h.read(r, yield); err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

// errStopped unwinds the reader when its consumer has stopped.
var errStopped = errors.New("stopped")

type harReader struct {
	name  string
	src   *boundedReader
	dec   *json.Decoder
	base  int64 // bytes before those that the decoder sees: the byte order mark
	entry int   // index of the entry being read, or -1
}

func (h *harReader) read(r io.Reader, yield func(*Exchange, error) bool) error {
	buf := bufio.NewReaderSize(r, 64<<10)
	mark, err := buf.Peek(3)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return h.fail(int64(len(mark)), err)
	case len(mark) == 0:
		return h.fail(0, errors.New("the file is empty"))
	case bytes.Equal(mark, []byte("\xef\xbb\xbf")):
		h.base = 3
		_, _ = buf.Discard(3)
	case bytes.HasPrefix(mark, []byte("\xfe\xff")), bytes.HasPrefix(mark, []byte("\xff\xfe")):
		return h.fail(0, errors.New("encoded in UTF-16; a HAR file is UTF-8"))
	}
	h.src = &boundedReader{r: buf, limit: maxValue}
	h.dec = json.NewDecoder(h.src)
	h.dec.UseNumber() // a number that is skipped need not fit a float64

	if err := h.archive(yield); err != nil {
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

// archive reads the top-level object.
func (h *harReader) archive(yield func(*Exchange, error) bool) error {
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
			return h.entries(yield)
		})
	})
	if err == nil && lists == 0 {
		return h.fail(h.base+h.dec.InputOffset(), errors.New("no member log.entries, so not a HAR file"))
	}
	return err
}

// entries reads log.entries.
func (h *harReader) entries(yield func(*Exchange, error) bool) error {
	if err := h.enter('[', "log.entries"); err != nil {
		return err
	}
	var raw json.RawMessage // its memory is used again for each entry
	for i := 0; h.more(); i++ {
		h.entry = i
		if err := h.dec.Decode(&raw); err != nil {
			return h.failure(err)
		}
		start := h.base + h.dec.InputOffset() - int64(len(raw))
		if !utf8.Valid(raw) {
			return h.fail(start+int64(invalidUTF8(raw)), errors.New("not valid UTF-8"))
		}
		e, at, err := parseHAREntry(raw)
		if err != nil {
			return h.fail(start+at, err)
		}
		e.Source = h.name + "#/log/entries/" + strconv.Itoa(i)
		if !yield(e, nil) {
			return errStopped
		}
	}
	h.entry = -1
	_, err := h.token()
	return err
}

// invalidUTF8 returns the index of the first byte of b that is not valid UTF-8.
func invalidUTF8(b []byte) int {
	i := 0
	for i < len(b) {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		i += size
	}
	return i
}

// members calls each with the key of every member of the object that was entered; each must consume the value.
func (h *harReader) members(each func(key string) error) error {
	for h.more() {
		tok, err := h.token()
		if err != nil {
			return err
		}
		key, _ := tok.(string) // the decoder lets nothing else be a key
		if err := each(key); err != nil {
			return err
		}
	}
	_, err := h.token()
	return err
}

// enter consumes the opening delimiter of a value that must be of that kind; what names the value in the error.
func (h *harReader) enter(open json.Delim, what string) error {
	before := h.dec.InputOffset()
	tok, err := h.token()
	if err != nil || tok == open {
		return err
	}
	want := "an object"
	if open == '[' {
		want = "an array"
	}
	got, width := describe(tok)
	return h.fail(h.base+max(before, h.dec.InputOffset()-width), fmt.Errorf("%s: expected %s, got %s", what, want, got))
}

// skip consumes a value token by token, so that the size of an object or array does not matter.
func (h *harReader) skip() error {
	for depth := 0; ; {
		tok, err := h.token()
		if err != nil {
			return err
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return h.fail(h.base+h.dec.InputOffset()-1, errors.New("nested too deeply"))
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// token consumes a token; the file must not end here.
func (h *harReader) token() (json.Token, error) {
	h.allow()
	tok, err := h.dec.Token()
	if err != nil {
		return nil, h.failure(err)
	}
	return tok, nil
}

// more reports whether the object or array that was entered goes on, and gives what follows its allowance of bytes.
func (h *harReader) more() bool {
	h.allow()
	return h.dec.More()
}

func (h *harReader) allow() { h.src.limit = h.dec.InputOffset() + maxValue }

// fail makes an error at a byte of the file.
func (h *harReader) fail(offset int64, err error) error {
	return &Error{File: h.name, Entry: h.entry, Offset: offset, Err: err}
}

// failure makes an error of one that the decoder returned.
func (h *harReader) failure(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return h.fail(h.base+h.syntaxOffset(syntax), err)
	case errors.Is(err, errTooLarge):
		h.dec.More() // moves on to the value that is too large
		return h.fail(h.base+h.dec.InputOffset(), err)
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	return h.fail(h.base+h.src.n, err)
}

// syntaxOffset returns how many bytes the decoder was given before the one that it refused. SyntaxError.Offset does not
// tell: once a Decoder has returned tokens, it leaves out the delimiters among them. So the value is scanned again.
func (h *harReader) syntaxOffset(syntax *json.SyntaxError) int64 {
	h.dec.More() // moves on to the value
	at := h.dec.InputOffset()
	var again *json.SyntaxError
	err := json.NewDecoder(h.dec.Buffered()).Decode(new(json.RawMessage))
	// Without an error, or with another, the value itself is well-formed, but out of place.
	if errors.As(err, &again) && again.Error() == syntax.Error() {
		at += max(0, again.Offset-1)
	}
	return at
}

// keyOffset returns the offset of the key that was just consumed.
func (h *harReader) keyOffset(key string) int64 {
	_, width := describe(key)
	return h.base + h.dec.InputOffset() - width
}

// describe names the kind of a token, and returns its width in the file. The width of a string is that of its text: more
// or less than in the file if that has escapes or invalid UTF-8 in it.
func describe(tok json.Token) (kind string, width int64) {
	switch tok := tok.(type) {
	case json.Delim:
		if tok == '[' {
			return "an array", 1
		}
		return "an object", 1
	case string:
		return "a string", int64(len(tok)) + 2
	case json.Number:
		return "a number", int64(len(tok))
	case bool:
		return "a boolean", int64(len(strconv.FormatBool(tok)))
	default:
		return "null", 4
	}
}
