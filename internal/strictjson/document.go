package strictjson

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Type is the type of a JSON value.
type Type uint8

// The types of JSON values.
const (
	Null Type = iota
	Boolean
	Number
	String
	Array
	Object
)

var typeNames = [...]string{"null", "boolean", "number", "string", "array", "object"}

// String returns the name of the type in JSON Schema.
func (t Type) String() string { return typeNames[t] }

// TypesByName has the types of values by the names of the keyword type in OpenAPI 3.0.
var TypesByName = map[string]Type{"boolean": Boolean, "number": Number, "integer": Number, "string": String, "array": Array, "object": Object}

// Node is a value of a [Document], or the name of a property. The properties of an object follow its node as pairs of a
// name and a value, the items of an array one after the other.
type Node struct {
	Type Type
	// Escaped reports whether a string has escapes, see [Document.Text].
	Escaped bool
	// Repeated reports whether a later property of the object has the same name. Most decoders use the last.
	Repeated bool
	// Start and End are the offsets of its bytes, without the quotes of a string.
	Start, End int32
	// Next is the index of the next node that is not below this one.
	Next int32
	// Count is the number of items, or of properties with different names.
	Count int32
}

// Document is a JSON text as a flat tree of nodes in the order of the text. The zero value is ready for [Document.Parse],
// which reuses its memory. It is not safe for concurrent use.
type Document struct {
	Data  []byte
	Nodes []Node // the first is the root
	// LoneSurrogate is the offset of the first \u escape of a lone surrogate, or -1.
	LoneSurrogate int
	// Duplicates are the indexes of the names that repeat an earlier one of their object, at most [MaxDuplicates].
	Duplicates []int32
	// AllowDuplicates leaves out the search for them, so that Duplicates and Repeated are not set (default false).
	AllowDuplicates bool
	// Repetitive makes Parse reuse the nodes of objects and arrays that the text before had, too, at the same place (default
	// false). In a recording, these are most headers.
	Repetitive bool

	slots  []int32  // a hash table of names
	before struct { // the text before
		text  []byte
		nodes []Node
	}
}

// MaxDuplicates is the maximum length of [Document.Duplicates].
const MaxDuplicates = 100

// maxText is the maximum size of a text, in bytes: the offsets in a Node have 32 bits.
const maxText = 1<<31 - 1

var seed = maphash.MakeSeed()

// Parse parses a text without copying it; the caller must not change it while it uses the document. Parse returns false if
// the text is not one JSON value in UTF-8, see [Diagnose], and the document must not be used then.
func (d *Document) Parse(text []byte) bool {
	end := d.parse(text)
	return end >= 0 && skipBlanks(text, end) == len(text)
}

func skipBlanks(text []byte, i int) int {
	for i < len(text) && text[i] <= ' ' && (text[i] == ' ' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t') {
		i++
	}
	return i
}

// plainEnd returns the first position from i on of a quote, a backslash, a control character or a byte beyond ASCII. It
// tests eight bytes at a time, and sets the highest bit of those bytes.
func plainEnd(data []byte, i int) int {
	for ; i+wordSize <= len(data); i += wordSize {
		w := binary.LittleEndian.Uint64(data[i:])
		quote, backslash := w^('"'*lowBits), w^('\\'*lowBits)
		if found := (w | (w - ' '*lowBits) | (quote - lowBits) | (backslash - lowBits)) & highBits; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(data); i++ {
		if c := data[i]; c == '"' || c == '\\' || c < ' ' || c >= 0x80 {
			break
		}
	}
	return i
}

// Raw returns the bytes of the node at an index: of a string, without quotes and with escapes.
func (d *Document) Raw(at int32) []byte {
	n := &d.Nodes[at]
	return d.Data[n.Start:n.End:n.End]
}

// Text returns the string at an index without escapes: a part of Data, or appended to into if the string has escapes. A
// lone surrogate becomes U+FFFD.
func (d *Document) Text(at int32, into []byte) []byte {
	raw := d.Raw(at)
	if d.Nodes[at].Escaped {
		return appendText(into, raw)
	}
	return raw
}

// Property returns the index of the value of the last property with a name; false without one, or if the node at an index
// is no object.
func (d *Document) Property(at int32, name string) (int32, bool) {
	object := &d.Nodes[at]
	if object.Type != Object {
		return 0, false
	}
	for i := at + 1; i < object.Next; i = d.Nodes[i+1].Next {
		n := &d.Nodes[i]
		switch {
		case n.Repeated:
		case !n.Escaped:
			if int(n.End-n.Start) == len(name) && string(d.Data[n.Start:n.End]) == name {
				return i + 1, true
			}
		case string(d.Text(i, nil)) == name:
			return i + 1, true
		}
	}
	return 0, false
}

// Item returns the index of an item; false without one, or if the node at an index is no array.
func (d *Document) Item(at int32, item int) (int32, bool) {
	array := &d.Nodes[at]
	if array.Type != Array || item < 0 || item >= int(array.Count) {
		return 0, false
	}
	i := at + 1
	for range item {
		i = d.Nodes[i].Next
	}
	return i, true
}

// Path returns the names and positions from the root to the property whose name is at an index.
func (d *Document) Path(name int32) (tokens []string) {
	for at := int32(0); at < name; {
		isObject := d.Nodes[at].Type == Object
		child := at + 1
		for item := 0; ; item++ {
			start, token := child, strconv.Itoa(item)
			if isObject {
				token = string(d.Text(child, nil))
				child++
			}
			if start == name || d.Nodes[child].Next > name {
				tokens = append(tokens, token)
				at = child
				break
			}
			child = d.Nodes[child].Next
		}
	}
	return tokens
}

// Diagnose returns why [Document.Parse] returns false for a text, and whether the reason is invalid UTF-8.
func Diagnose(text []byte) (reason string, notUTF8 bool) {
	if bytes.HasPrefix(text, []byte("\uFEFF")) {
		return "a byte order mark (RFC 8259, section 8.1, forbids it)", false
	}
	if at := InvalidUTF8(text); at >= 0 {
		return fmt.Sprintf("invalid UTF-8 at byte %d", at), true
	}
	decoder := NewDecoder(text)
	err := decoder.Skip()
	var invalid *Error
	switch {
	case err == nil:
		return fmt.Sprintf("data after the value, which ends at byte %d", decoder.Offset()), false
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "JSON that ends too early", false
	case errors.As(err, &invalid) && !errors.Is(err, ErrTooDeep):
		return fmt.Sprintf("invalid JSON at byte %d: %v", invalid.Offset, err), false
	}
	return "JSON " + err.Error(), false
}

// parse parses the value that text starts with and returns the offset after it, or -1 if it is invalid or cut off.
func (d *Document) parse(text []byte) int {
	text = text[:min(len(text), maxText)]
	if d.Repetitive {
		d.Nodes, d.before.nodes = d.before.nodes, d.Nodes
	}
	d.Data, d.Nodes, d.LoneSurrogate, d.Duplicates = text, d.Nodes[:0], -1, d.Duplicates[:0]
	end := d.value(skipBlanks(text, 0), 0)
	if d.Repetitive {
		d.before.text = d.before.text[:0]
		if end >= 0 && d.LoneSurrogate < 0 && len(d.Duplicates) == 0 { // which are not in the nodes
			d.before.text = append(d.before.text, text[:end]...)
		}
	}
	return end
}

// repeated appends the nodes of the object or array at i if the text before had an equal one at the same node. It returns
// the offset after it, or -1.
func (d *Document) repeated(i, depth int) int {
	at := len(d.Nodes)
	if at >= len(d.before.nodes) {
		return -1
	}
	first := &d.before.nodes[at]
	size := int(first.End - first.Start)
	if first.Type < Array || int(first.End) > len(d.before.text) || i+size > len(d.Data) || depth+size > MaxDepth ||
		!bytes.Equal(d.Data[i:i+size], d.before.text[first.Start:first.End]) {
		return -1
	}
	d.Nodes = append(d.Nodes, d.before.nodes[at:first.Next]...)
	moved := int32(i) - first.Start //nolint:gosec // Parse bounds the text
	for n := at; n < len(d.Nodes); n++ {
		d.Nodes[n].Start += moved
		d.Nodes[n].End += moved
	}
	return i + size
}

// value parses the value at i and returns the offset after it, or -1 if it is invalid, as the methods that it calls do.
func (d *Document) value(i, depth int) int {
	if i >= len(d.Data) {
		return -1
	}
	c := d.Data[i]
	if len(d.before.text) > 0 && (c == '{' || c == '[') {
		if end := d.repeated(i, depth); end >= 0 {
			return end
		}
	}
	switch c {
	case '"':
		return d.string(i)
	case '{':
		return d.object(i, depth)
	case '[':
		return d.array(i, depth)
	case 't':
		return d.literal(i, "true", Boolean)
	case 'f':
		return d.literal(i, "false", Boolean)
	case 'n':
		return d.literal(i, "null", Null)
	default:
		if c == '-' || isDigit(c) {
			return d.number(i)
		}
		return -1
	}
}

// add appends a node. To set its fields in place is faster than to append a copy.
func (d *Document) add(t Type, escaped bool, start, end int) {
	if len(d.Nodes) == cap(d.Nodes) {
		d.Nodes = slices.Grow(d.Nodes, 1)
	}
	d.Nodes = d.Nodes[:len(d.Nodes)+1]
	n := &d.Nodes[len(d.Nodes)-1]
	n.Type, n.Escaped, n.Repeated, n.Count = t, escaped, false, 0
	n.Start, n.End, n.Next = int32(start), int32(end), int32(len(d.Nodes)) //nolint:gosec // Parse bounds the text
}

// close completes the object or array whose node is at index at.
func (d *Document) close(at, end, count int) int {
	n := &d.Nodes[at]
	n.End, n.Next, n.Count = int32(end), int32(len(d.Nodes)), int32(count) //nolint:gosec // likewise
	return end
}

func (d *Document) literal(i int, want string, t Type) int {
	end := i + len(want)
	if end > len(d.Data) || string(d.Data[i:end]) != want {
		return -1
	}
	d.add(t, false, i, end)
	return end
}

func (d *Document) number(start int) int {
	n, where := scanNumber(d.Data[start:])
	if where != "" {
		return -1
	}
	d.add(Number, false, start, start+n)
	return start + n
}

func (d *Document) array(i, depth int) int {
	at, count := len(d.Nodes), 0
	d.add(Array, false, i, 0)
	if depth == MaxDepth {
		return -1
	}
	if i = skipBlanks(d.Data, i+1); i < len(d.Data) && d.Data[i] == ']' {
		return d.close(at, i+1, 0)
	}
	for {
		if i = d.value(i, depth+1); i < 0 {
			return -1
		}
		count++
		if i = skipBlanks(d.Data, i); i >= len(d.Data) {
			return -1
		}
		switch d.Data[i] {
		case ',':
			i = skipBlanks(d.Data, i+1)
		case ']':
			return d.close(at, i+1, count)
		default:
			return -1
		}
	}
}

func (d *Document) object(i, depth int) int {
	at, count := len(d.Nodes), 0
	d.add(Object, false, i, 0)
	if depth == MaxDepth {
		return -1
	}
	if i = skipBlanks(d.Data, i+1); i < len(d.Data) && d.Data[i] == '}' {
		return d.close(at, i+1, 0)
	}
	for {
		if i >= len(d.Data) || d.Data[i] != '"' {
			return -1
		}
		if i = d.string(i); i < 0 {
			return -1
		}
		if i = skipBlanks(d.Data, i); i >= len(d.Data) || d.Data[i] != ':' {
			return -1
		}
		if i = d.value(skipBlanks(d.Data, i+1), depth+1); i < 0 {
			return -1
		}
		count++
		if i = skipBlanks(d.Data, i); i >= len(d.Data) {
			return -1
		}
		switch d.Data[i] {
		case ',':
			i = skipBlanks(d.Data, i+1)
		case '}':
			if d.close(at, i+1, count); !d.AllowDuplicates {
				d.findDuplicates(at)
			}
			return i + 1
		default:
			return -1
		}
	}
}

// findDuplicates marks the repeated names of the object at index at.
func (d *Document) findDuplicates(at int) {
	object := &d.Nodes[at]
	const few = 4 // names that are compared faster than hashed
	if object.Count <= few {
		for i := int32(at) + 1; i < object.Next; i = d.Nodes[i+1].Next { //nolint:gosec // Parse bounds the text
			for earlier := int32(at) + 1; earlier < i; earlier = d.Nodes[earlier+1].Next { //nolint:gosec // likewise
				if n := &d.Nodes[earlier]; !n.Repeated && bytes.Equal(d.Text(earlier, nil), d.Text(i, nil)) {
					d.repeat(object, n, i)
				}
			}
		}
		return
	}
	size := 1 << bits.Len(uint(2*object.Count))
	if cap(d.slots) < size {
		d.slots = make([]int32, size)
	}
	slots := d.slots[:size]
	clear(slots)
	for i := int32(at) + 1; i < object.Next; i = d.Nodes[i+1].Next { //nolint:gosec // Parse bounds the text
		name := d.Text(i, nil)
		h := int(maphash.Bytes(seed, name)) & (size - 1) //nolint:gosec // a slot's index
		for ; slots[h] != 0; h = (h + 1) & (size - 1) {
			if !bytes.Equal(d.Text(slots[h], nil), name) {
				continue
			}
			d.repeat(object, &d.Nodes[slots[h]], i)
			break
		}
		slots[h] = i // of equal names the last
	}
}

// repeat marks a name that comes again at an index.
func (d *Document) repeat(object, name *Node, again int32) {
	name.Repeated = true
	object.Count--
	if len(d.Duplicates) < MaxDuplicates {
		d.Duplicates = append(d.Duplicates, again)
	}
}

func (d *Document) string(quote int) int {
	data, i, escaped := d.Data, quote+1, false
	for {
		i = plainEnd(data, i)
		if i >= len(data) {
			return -1
		}
		switch c := data[i]; {
		case c == '"':
			d.add(String, escaped, quote+1, i)
			return i + 1
		case c == '\\':
			escaped = true
			if i+1 < len(data) && escapes[data[i+1]] != 0 { // most are
				i += 2
				continue
			}
			size, lone := escapeSize(data[i:])
			if size == 0 {
				return -1
			}
			if lone && d.LoneSurrogate < 0 {
				d.LoneSurrogate = i
			}
			i += size
		case c < ' ':
			return -1
		default:
			r, size := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && size == 1 {
				return -1
			}
			i += size
		}
	}
}
