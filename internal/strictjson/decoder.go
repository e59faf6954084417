// Package strictjson reads JSON texts (RFC 8259) token by token, from bytes or from a stream in bounded memory.
//
// It exists because a report says what is wrong with a body, and at which byte. The messages and offsets of encoding/json
// differ between releases of Go; those of this package do not. It takes nothing that the grammar does not have, compares
// names by their bytes, and leaves numbers as they are written. It does not look for lone surrogates or repeated names, and
// for invalid UTF-8 only when asked: its callers do, where these matter.
package strictjson

import (
	"errors"
	"fmt"
	"io"
)

// MaxDepth is how many objects and arrays may be nested. The bound is that of encoding/json.
const MaxDepth = 10_000

// ErrTooLarge is the cause of an [Error] for a value that is larger than the decoder may hold.
var ErrTooLarge = errors.New("larger than the limit")

// ErrUTF8 is the cause of an [Error] for a string that is not valid UTF-8.
var ErrUTF8 = errors.New("not valid UTF-8")

// ErrTooDeep is the cause of an [Error] for a value that is nested more than [MaxDepth] deep.
var ErrTooDeep = fmt.Errorf("nested more than %d deep", MaxDepth)

// Error says what is wrong with a JSON text, and where.
type Error struct {
	// Offset counts the bytes before the first one that is wrong: all of them for a text that is cut off, those before the
	// value for [ErrTooLarge].
	Offset int64
	// Err is a [SyntaxError], [io.ErrUnexpectedEOF], [ErrTooLarge], [ErrTooDeep], [ErrUTF8], or the error of the reader.
	Err error
}

// Error returns the description without the offset.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// SyntaxError is the cause of an [Error] for a byte that the grammar does not allow.
type SyntaxError string

// Error returns the description.
func (e SyntaxError) Error() string { return string(e) }

// Kind is the first byte of a token, with '0' for every number.
type Kind byte

// Token is a bracket, a string, a number or a literal. The name of a member is a string.
type Token struct {
	Kind   Kind
	Raw    []byte // as it is written; valid until the next call of the decoder
	Offset int64  // of its first byte
}

// Decoder reads one JSON text. It is not safe for concurrent use.
type Decoder struct {
	// RequireUTF8 makes strings that are not valid UTF-8 an error (default false).
	RequireUTF8 bool

	r     io.Reader // nil when buf has everything
	err   error     // that r returned
	limit int       // of bytes that buf holds of one value

	buf  []byte
	pos  int   // of the first byte that was not consumed
	keep int   // of the first byte that has to stay in buf; -1 for none
	base int64 // the offset of buf[0]

	open     []byte // the brackets that are not closed
	inObject bool   // the last of them is a brace
	state    state
}

// state is what the decoder expects next.
type state byte

const (
	beforeValue state = iota // at the start, after a colon, and after the comma of an array
	beforeName               // after the comma of an object
	afterOpen                // a value or name, or the closing bracket
	afterName                // a colon
	afterValue               // a comma, the closing bracket, or the end of the text
)

// NewDecoder returns a decoder of a text in memory, which it neither changes nor copies.
func NewDecoder(text []byte) *Decoder { return &Decoder{buf: text, keep: -1} }

// NewStreamDecoder returns a decoder that reads from r, and fails with [ErrTooLarge] where it would have to hold more than
// limit bytes of one value. The first byte of r is at that offset of the text.
func NewStreamDecoder(r io.Reader, offset int64, limit int) *Decoder {
	return &Decoder{r: r, base: offset, limit: limit, keep: -1}
}

// Offset returns how many bytes of the text were consumed.
func (d *Decoder) Offset() int64 { return d.base + int64(d.pos) }

// More reports whether the object or array that is open has another member or item, or at the top whether more text
// follows. It does not look whether that is well-formed.
func (d *Decoder) More() bool {
	c, err := d.peek()
	return err == nil && c != '}' && c != ']'
}

// Peek returns the kind of the next token, which it does not consume. [Decoder.Offset] is then the offset of that token.
func (d *Decoder) Peek() (Kind, error) {
	c, err := d.separate()
	if isDigit(c) || c == '-' {
		c = '0'
	}
	return Kind(c), err
}

// Next consumes the next token. The error is an [*Error], or [io.EOF] behind the text.
func (d *Decoder) Next() (Token, error) {
	c, err := d.separate()
	if err != nil {
		return Token{}, err
	}
	return d.token(c)
}

// Parse consumes the next value, which is no name, and parses it. The document is valid until the next call of the decoder.
// Parse returns the offset of the value.
func (d *Decoder) Parse(doc *Document) (offset int64, err error) {
	if _, err := d.separate(); err != nil {
		return d.Offset(), err
	}
	// Of small values, most are whole in the buffer.
	if end := doc.parse(d.buf[d.pos:]); d.state != afterValue && end > 0 && end <= d.limit && d.pos+end < len(d.buf) {
		offset = d.Offset()
		d.pos += end
		d.state = afterValue
		return offset, nil
	}
	raw, offset, err := d.Value()
	if err == nil && !doc.Parse(raw) { // which is all that Value lets pass without RequireUTF8
		err = &Error{offset + int64(InvalidUTF8(raw)), ErrUTF8}
	}
	return offset, err
}

// Value consumes the next value, and returns it as it is written, and its offset. The bytes are valid until the next call.
// A value that is too large is not consumed: [Decoder.SkipLarge] does so.
func (d *Decoder) Value() (raw []byte, offset int64, err error) {
	c, err := d.separate()
	if err != nil {
		return nil, 0, err
	}
	d.keep = d.pos
	defer func() { d.keep = -1 }()
	offset = d.Offset()
	depth, inObject, state := len(d.open), d.inObject, d.state
	if err := d.skip(c); err != nil {
		if errors.Is(err, ErrTooLarge) {
			d.pos, d.open, d.inObject, d.state = d.keep, d.open[:depth], inObject, state
		}
		return nil, 0, err
	}
	return d.buf[d.keep:d.pos:d.pos], offset, nil
}

// Buffered returns what was read of the text and not consumed. The bytes are valid until the next call.
func (d *Decoder) Buffered() []byte { return d.buf[d.pos:] }

// SkipLarge consumes the next value, an object or array of any size. It looks at brackets and strings only: the value may
// be malformed otherwise.
func (d *Decoder) SkipLarge() error {
	c, err := d.separate()
	if err != nil {
		return err
	}
	if c != '{' && c != '[' {
		return &Error{d.Offset(), ErrTooLarge}
	}
	for depth, inString, escaped := 0, false, false; ; d.pos++ {
		if d.pos == len(d.buf) {
			if err := d.fill(); err != nil {
				return d.failure(err)
			}
		}
		c := d.buf[d.pos]
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped, inString = c == '\\', c != '"'
		case c == '"':
			inString = true
		case c == '{', c == '[':
			depth++
		case c == '}', c == ']':
			if depth--; depth == 0 {
				d.pos++
				d.state = afterValue
				return nil
			}
		}
	}
}

// Skip consumes the next value without holding more of it than a token.
func (d *Decoder) Skip() error {
	c, err := d.separate()
	if err != nil {
		return err
	}
	return d.skip(c)
}

// End returns an error unless nothing but blanks follows.
func (d *Decoder) End() error {
	_, err := d.separate()
	if err == nil {
		return d.unexpected(d.pos, "after top-level value")
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// skip consumes the value that starts with c.
func (d *Decoder) skip(c byte) error {
	if c == '}' || c == ']' {
		return d.unexpected(d.pos, "looking for beginning of value")
	}
	for depth := len(d.open); ; {
		if _, err := d.Next(); err != nil {
			return err
		}
		if len(d.open) == depth {
			return nil
		}
	}
}

// separate consumes what stands before the next token, which starts with the byte that it returns.
func (d *Decoder) separate() (byte, error) {
	c, err := d.peek()
	if err != nil {
		if errors.Is(err, io.EOF) && d.state == afterValue && len(d.open) == 0 {
			return 0, io.EOF
		}
		return 0, d.failure(err)
	}
	switch {
	case d.state == afterName && c == ':':
		d.state = beforeValue
	case d.state == afterName:
		return 0, d.unexpected(d.pos, "after object key")
	case d.state == afterValue && len(d.open) == 0:
		return 0, d.unexpected(d.pos, "after top-level value")
	case d.state == afterValue && c == ',' && d.inObject:
		d.state = beforeName
	case d.state == afterValue && c == ',':
		d.state = beforeValue
	default:
		return c, nil
	}
	d.pos++
	if c, err = d.peek(); err != nil {
		return 0, d.failure(err)
	}
	return c, nil
}

// token consumes the token that starts with c, the next byte.
func (d *Decoder) token(c byte) (_ Token, err error) {
	kind := Kind(c)
	isName := d.inObject && (d.state == afterOpen || d.state == beforeName)
	n := 1
	switch {
	case c == '"' && d.state != afterValue:
		if n, err = d.text(); err != nil {
			return Token{}, err
		}
		d.state = afterValue
		if isName {
			d.state = afterName
		}
	case (c == '}' || c == ']') && (d.state == afterOpen || d.state == afterValue) && d.open[len(d.open)-1] == c-2:
		d.close()
	case d.state == afterValue && d.inObject:
		return Token{}, d.unexpected(d.pos, "after object key:value pair")
	case d.state == afterValue:
		return Token{}, d.unexpected(d.pos, "after array element")
	case isName:
		return Token{}, d.unexpected(d.pos, "looking for beginning of object key string")
	case c == '{' || c == '[':
		if len(d.open) == MaxDepth {
			return Token{}, &Error{d.Offset(), ErrTooDeep}
		}
		d.open = append(d.open, c)
		d.inObject = c == '{'
		d.state = afterOpen
	default:
		if n, err = d.scalar(c); err != nil {
			return Token{}, err
		}
		if c == '-' || isDigit(c) {
			kind = '0'
		}
		d.state = afterValue
	}
	t := Token{kind, d.buf[d.pos : d.pos+n : d.pos+n], d.Offset()}
	d.pos += n
	return t, nil
}

// close ends the object or array that is open.
func (d *Decoder) close() {
	d.open = d.open[:len(d.open)-1]
	d.inObject = len(d.open) > 0 && d.open[len(d.open)-1] == '{'
	d.state = afterValue
}

// peek returns the next byte that is no blank, without consuming it.
func (d *Decoder) peek() (byte, error) {
	for {
		if d.pos = skipBlanks(d.buf, d.pos); d.pos < len(d.buf) {
			return d.buf[d.pos], nil
		}
		if err := d.fill(); err != nil {
			return 0, err
		}
	}
}

// byteAt returns the byte that is n behind the next one, and false at the end of the text.
func (d *Decoder) byteAt(n int) (byte, bool, error) {
	for d.pos+n >= len(d.buf) {
		if err := d.fill(); errors.Is(err, io.EOF) {
			return 0, false, nil
		} else if err != nil {
			return 0, false, d.failure(err)
		}
	}
	return d.buf[d.pos+n], true, nil
}

// minRead is how much room fill has for a read.
const minRead = 256 << 10

// fill reads once. It drops what was consumed and needs not be kept.
func (d *Decoder) fill() error {
	if d.r == nil {
		return io.EOF
	}
	if d.err != nil {
		return d.err
	}
	from := d.pos
	if d.keep >= 0 {
		from = d.keep
	}
	held := len(d.buf) - from
	if held > d.limit {
		return ErrTooLarge
	}
	if from > 0 {
		copy(d.buf, d.buf[from:])
		d.buf = d.buf[:held]
		d.base += int64(from)
		d.pos -= from
		if d.keep >= 0 {
			d.keep = 0
		}
	}
	if cap(d.buf)-held < minRead {
		grown := make([]byte, held, 2*held+minRead)
		copy(grown, d.buf)
		d.buf = grown
	}
	for range 100 {
		n, err := d.r.Read(d.buf[held:cap(d.buf)])
		d.buf, d.err = d.buf[:held+n], err
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	d.err = io.ErrNoProgress
	return d.err
}

// failure is the error where the text does not go on.
func (d *Decoder) failure(err error) error {
	switch {
	case errors.Is(err, ErrTooLarge):
		start := d.pos
		if d.keep >= 0 {
			start = d.keep
		}
		return &Error{d.base + int64(start), err}
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	return &Error{d.base + int64(len(d.buf)), err}
}

// unexpected is the error about a byte that must not stand where it stands.
func (d *Decoder) unexpected(at int, where string) error {
	return &Error{d.base + int64(at), SyntaxError("invalid character " + quoted(d.buf[at]) + " " + where)}
}
