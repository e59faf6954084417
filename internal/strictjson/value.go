package strictjson

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Value is a JSON value: a node of a document. The zero Value stands for a missing value.
type Value struct {
	Doc *Document
	At  int32 // index of its node
}

// ParseValue parses one JSON text. The error contains the text: do not use it for traffic.
func ParseValue(text []byte) (Value, error) {
	doc := &Document{}
	if !doc.Parse(text) {
		return Value{}, fmt.Errorf("%q is not JSON", text)
	}
	return Value{Doc: doc}, nil
}

// Exists reports whether there is a value.
func (v Value) Exists() bool { return v.Doc != nil }

// Node returns the value's node.
func (v Value) Node() *Node { return &v.Doc.Nodes[v.At] }

// Type returns the type of the value.
func (v Value) Type() Type { return v.Node().Type }

// Len returns the number of items of an array, or of properties with different names of an object.
func (v Value) Len() int { return int(v.Node().Count) }

// Text returns a string without quotes and escapes, and other values as written in JSON.
func (v Value) Text() string { return string(v.Doc.Text(v.At, nil)) }

// Lookup returns the value at the tokens of a JSON pointer.
func (v Value) Lookup(tokens []string) (Value, bool) {
	at := v.At
	for _, token := range tokens {
		var found bool
		if v.Doc.Nodes[at].Type == Array {
			i, err := strconv.Atoi(token)
			if err != nil {
				return Value{}, false
			}
			at, found = v.Doc.Item(at, i)
		} else {
			at, found = v.Doc.Property(at, token)
		}
		if !found {
			return Value{}, false
		}
	}
	return Value{v.Doc, at}, true
}

// SmallInteger returns the value of an integer of at most 18 digits, without fraction and exponent.
func (v Value) SmallInteger() (int64, bool) {
	const maxDigits = 18 // 19 may be more than an int64 can hold
	raw := v.Doc.Raw(v.At)
	negative := raw[0] == '-'
	if negative {
		raw = raw[1:]
	}
	if len(raw) > maxDigits {
		return 0, false
	}
	n := int64(0)
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

// maxExponent bounds the exponent, and half the digits, of a number that is compared exactly. A number beyond is replaced
// by one at the bound with the same sign that is an integer if the number is: hostile traffic must not cost minutes.
const maxExponent = 1000

// Exact parses a JSON number without rounding, within maxExponent.
func Exact(text string) *big.Rat {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return new(big.Rat).SetInt64(i)
	}
	text = strings.ToLower(text)
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	digits, exponent, _ := strings.Cut(text, "e")
	whole, fraction, _ := strings.Cut(digits, ".")
	scale, err := strconv.Atoi(exponent)
	if exponent != "" && err != nil {
		scale = math.MaxInt32
		if strings.HasPrefix(exponent, "-") {
			scale = -scale
		}
	}
	scale = min(max(scale, -math.MaxInt32), math.MaxInt32) // what is added to it must not overflow
	// The number is 0.SIGNIFICANT times ten to the power of point, and an integer where no digit is behind the point.
	all := strings.TrimLeft(whole+fraction, "0")
	point := len(whole) + scale - (len(whole+fraction) - len(all))
	significant := strings.TrimRight(all, "0")
	whole = ""
	switch {
	case significant == "":
		return new(big.Rat)
	case point > maxExponent && len(significant) > point:
		whole, significant, point = strings.Repeat("9", maxExponent), "5", 0
	case point > maxExponent:
		significant, point = "1", maxExponent
	case point < -maxExponent:
		significant, point = "1", -maxExponent
	case len(significant) > 2*maxExponent:
		significant = significant[:2*maxExponent] + "1" // one digit stands for all others
	}
	n, _ := new(big.Rat).SetString(sign + "0" + whole + "." + significant + "e" + strconv.Itoa(point))
	return n
}

// IsInteger reports whether a number is an integer, as 1.0 and 1e3 are.
func (v Value) IsInteger() bool {
	_, small := v.SmallInteger()
	return small || Exact(v.Text()).IsInt()
}

// Canonical returns a text that is the same for equal values, such as 1 and 1.0.
func (v Value) Canonical() string {
	var b strings.Builder
	v.appendCanonical(&b)
	return b.String()
}

// Equal reports whether two values are equal; numbers are compared by value.
func (v Value) Equal(other Value) bool {
	if v.Type() != other.Type() {
		return false
	}
	if v.Type() == String && !v.Node().Escaped && !other.Node().Escaped {
		return string(v.Doc.Raw(v.At)) == string(other.Doc.Raw(other.At))
	}
	return v.Canonical() == other.Canonical()
}

// Compare compares two numbers, as [cmp.Compare] does.
func (v Value) Compare(other Value) int {
	if a, small := v.SmallInteger(); small {
		if b, small := other.SmallInteger(); small {
			return int(min(max(a-b, -1), 1)) // neither has more than 18 digits
		}
	}
	return Exact(v.Text()).Cmp(Exact(other.Text()))
}

// SplitPointer returns the unescaped tokens of a JSON pointer (RFC 6901).
func SplitPointer(pointer string) []string {
	if pointer == "" {
		return nil
	}
	tokens := strings.Split(pointer[1:], "/")
	for i, t := range tokens {
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(t, "~1", "/"), "~0", "~")
	}
	return tokens
}

// ShortName returns a property's name for a pointer: for a very long one its length and hash, as each pointer below it repeats the
// name.
func ShortName(name string) string {
	const maxName = 1 << 10
	if len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("(a name of %d bytes, SHA-256 %x…)", len(name), sum[:8])
}

// Pointer returns the JSON pointer of unescaped tokens.
func Pointer(tokens ...string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(t, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

// properties calls visit for the last property of each name of an object.
func (v Value) properties(visit func(name string, value Value)) {
	for i := v.At + 1; i < v.Node().Next; i = v.Doc.Nodes[i+1].Next {
		if !v.Doc.Nodes[i].Repeated {
			visit(string(v.Doc.Text(i, nil)), Value{v.Doc, i + 1})
		}
	}
}

func (v Value) appendCanonical(b *strings.Builder) {
	switch v.Type() {
	case Number:
		b.WriteString(Exact(v.Text()).RatString())
	case String:
		b.WriteString(strconv.Quote(v.Text()))
	case Array:
		for i := v.At + 1; i < v.Node().Next; i = v.Doc.Nodes[i].Next {
			b.WriteByte('[')
			Value{v.Doc, i}.appendCanonical(b)
		}
		b.WriteByte(']')
	case Object:
		properties := map[string]Value{}
		v.properties(func(name string, value Value) { properties[name] = value })
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			b.WriteString("{" + strconv.Quote(name))
			properties[name].appendCanonical(b)
		}
		b.WriteByte('}')
	default:
		b.WriteString(v.Text())
	}
}
