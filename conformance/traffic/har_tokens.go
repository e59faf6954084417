package traffic

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

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
	return &Error{File: h.file.name, Entry: h.index, Offset: offset, Err: err}
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
