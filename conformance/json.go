package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// fault is a defect of the JSON itself, below any schema.
type fault struct {
	rule    string
	pointer string
	found   string
}

// decodeJSON reads one JSON text (RFC 8259) and lists what is wrong with it as such. ok is false where no value came
// of it. Of members with one name the last counts, as in most decoders.
func decodeJSON(data []byte) (value any, faults []fault, ok bool) {
	if value, ok = quickly(data); ok {
		return value, nil, true
	}
	return decodeExactly(data)
}

// decodeExactly is the way of what may have faults.
func decodeExactly(data []byte) (value any, faults []fault, ok bool) {
	if bytes.HasPrefix(data, []byte("\uFEFF")) {
		return nil, []fault{{ruleJSON, "", "a byte order mark (RFC 8259, section 8.1, forbids it)"}}, false
	}
	if at := invalidUTF8(data); at >= 0 {
		return nil, []fault{{ruleUnicode, "", fmt.Sprintf("invalid UTF-8 at byte %d", at)}}, false
	}
	d := decoder{tokens: strictjson.NewDecoder(data)}
	value, err := d.value()
	if err == nil {
		end := d.tokens.Offset()
		if d.tokens.End() != nil {
			return nil, []fault{{ruleJSON, "", fmt.Sprintf("data after the value, which ends at byte %d", end)}}, false
		}
	}
	var invalid *strictjson.Error
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, []fault{{ruleJSON, "", "JSON that ends too early"}}, false
	case errors.Is(err, strictjson.ErrTooDeep):
		return nil, []fault{{ruleJSON, "", "JSON " + err.Error()}}, false
	case errors.As(err, &invalid):
		return nil, []fault{{ruleJSON, "", fmt.Sprintf("invalid JSON at byte %d: %v", invalid.Offset, err)}}, false
	}
	if at := loneSurrogate(data); at >= 0 {
		d.faults = append(d.faults, fault{ruleUnicode, "", fmt.Sprintf("half of a surrogate pair at byte %d", at)})
	}
	return value, d.faults, true
}

type decoder struct {
	tokens *strictjson.Decoder
	path   []string // tokens of the current place
	faults []fault
}

func (d *decoder) value() (any, error) {
	token, err := d.tokens.Next()
	if err != nil {
		return nil, err
	}
	switch token.Kind {
	case '{':
		return d.object()
	case '[':
		return d.array()
	case '"':
		return string(strictjson.Unquote(token.Raw)), nil
	case '0':
		return number(token.Raw), nil
	case 'n':
		return nil, nil //nolint:nilnil // null
	default:
		return token.Kind == 't', nil
	}
}

func (d *decoder) object() (any, error) {
	members := map[string]any{}
	for d.tokens.More() {
		token, err := d.tokens.Next()
		if err != nil {
			return nil, err
		}
		name := string(strictjson.Unquote(token.Raw))
		d.path = append(d.path, inPointer(name))
		if _, twice := members[name]; twice && len(d.faults) < mostOfAKind {
			d.faults = append(d.faults, fault{ruleDuplicate, pointerOf(d.path...), "the member more than once"})
		}
		if members[name], err = d.value(); err != nil {
			return nil, err
		}
		d.path = d.path[:len(d.path)-1]
	}
	_, err := d.tokens.Next()
	return members, err
}

func (d *decoder) array() (any, error) {
	items := []any{}
	for i := 0; d.tokens.More(); i++ {
		d.path = append(d.path, strconv.Itoa(i))
		item, err := d.value()
		if err != nil {
			return nil, err
		}
		d.path = d.path[:len(d.path)-1]
		items = append(items, item)
	}
	_, err := d.tokens.Next()
	return items, err
}

// lookup resolves a JSON pointer's tokens.
func lookup(value any, tokens []string) (any, bool) {
	for _, token := range tokens {
		switch v := value.(type) {
		case map[string]any:
			member, ok := v[token]
			if !ok {
				return nil, false
			}
			value = member
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	at := 0
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

// loneSurrogate returns the offset of the first \u escape that is half a character, or -1. data is valid JSON, so a
// backslash stands only in strings.
func loneSurrogate(data []byte) int {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		first, ok := escapedUnit(data[i:])
		if !ok {
			i++ // what is escaped may be a backslash
			continue
		}
		if utf16.IsSurrogate(first) {
			second, ok := escapedUnit(data[i+6:])
			if !ok || utf16.DecodeRune(first, second) == utf8.RuneError {
				return i
			}
			i += 6
		}
		i += 5
	}
	return -1
}

func escapedUnit(data []byte) (rune, bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	return rune(unit), err == nil
}
