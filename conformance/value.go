package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// value is a JSON value: a node of a document. The zero value is none.
type value struct {
	doc *strictjson.Document
	at  int32
}

// parseValue reads one JSON text of our own making.
func parseValue(text []byte) (value, error) {
	doc := &strictjson.Document{}
	if !doc.Parse(text) {
		return value{}, fmt.Errorf("%q is not JSON", text)
	}
	return value{doc: doc}, nil
}

func (v value) exists() bool              { return v.doc != nil }
func (v value) node() *strictjson.Node    { return &v.doc.Nodes[v.at] }
func (v value) jsonType() strictjson.Type { return v.node().Type }
func (v value) count() int                { return int(v.node().Count) }

// text returns the text of a string, and of what else is scalar as it is written.
func (v value) text() string { return string(v.doc.Text(v.at, nil)) }

// members visits an object's members, the last one of each name.
func (v value) members(visit func(name string, member value)) {
	for i := v.at + 1; i < v.node().Next; i = v.doc.Nodes[i+1].Next {
		if !v.doc.Nodes[i].Repeated {
			visit(string(v.doc.Text(i, nil)), value{v.doc, i + 1})
		}
	}
}

// lookup resolves the tokens of a JSON pointer.
func (v value) lookup(tokens []string) (value, bool) {
	at, found := v.at, false
	for _, token := range tokens {
		if v.doc.Nodes[at].Type == strictjson.Array {
			i, err := strconv.Atoi(token)
			if err != nil {
				return value{}, false
			}
			at, found = v.doc.Item(at, i)
		} else {
			at, found = v.doc.Member(at, token)
		}
		if !found {
			return value{}, false
		}
	}
	return value{v.doc, at}, true
}

// smallInteger returns the value of an integer that is written as one, of few enough digits.
func (v value) smallInteger() (int64, bool) {
	const maxDigits = 18 // 19 may be more than an int64 can hold
	raw := v.doc.Raw(v.at)
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

// maxExponent bounds the digits and the exponent of a number that is compared exactly. What goes beyond is brought to it
// with its sign, its size and whether it is an integer intact: traffic must not make us compute for minutes.
const maxExponent = 1000

// exact reads a JSON number without rounding.
func exact(text string) *big.Rat {
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
		significant = significant[:2*maxExponent] + "1" // beyond so many digits it counts only that there are more
	}
	n, _ := new(big.Rat).SetString(sign + "0" + whole + "." + significant + "e" + strconv.Itoa(point))
	return n
}

// isInteger reports whether a number is one, however it is written: 1.0 and 1e3 are.
func (v value) isInteger() bool {
	_, small := v.smallInteger()
	return small || exact(v.text()).IsInt()
}

// canonical writes a value so that equal values have equal texts: numbers by value, so that 1 is 1.0.
func (v value) canonical() string {
	var b strings.Builder
	v.appendCanonical(&b)
	return b.String()
}

func (v value) appendCanonical(b *strings.Builder) {
	switch v.jsonType() {
	case strictjson.Number:
		b.WriteString(exact(v.text()).RatString())
	case strictjson.String:
		b.WriteString(strconv.Quote(v.text()))
	case strictjson.Array:
		for i := v.at + 1; i < v.node().Next; i = v.doc.Nodes[i].Next {
			b.WriteByte('[')
			value{v.doc, i}.appendCanonical(b)
		}
		b.WriteByte(']')
	case strictjson.Object:
		members := map[string]value{}
		v.members(func(name string, member value) { members[name] = member })
		for _, name := range slices.Sorted(maps.Keys(members)) {
			b.WriteString("{" + strconv.Quote(name))
			members[name].appendCanonical(b)
		}
		b.WriteByte('}')
	default:
		b.WriteString(v.text())
	}
}

// equal compares two values.
func (v value) equal(other value) bool {
	if v.jsonType() != other.jsonType() {
		return false
	}
	if v.jsonType() == strictjson.String && !v.node().Escaped && !other.node().Escaped {
		return string(v.doc.Raw(v.at)) == string(other.doc.Raw(other.at))
	}
	return v.canonical() == other.canonical()
}

// compare orders two numbers.
func (v value) compare(other value) int {
	if a, small := v.smallInteger(); small {
		if b, small := other.smallInteger(); small {
			return int(min(max(a-b, -1), 1)) // neither has more than 18 digits
		}
	}
	return exact(v.text()).Cmp(exact(other.text()))
}

// asJSON writes a value for messages.
func (v value) asJSON() string {
	raw := v.doc.Raw(v.at)
	if v.jsonType() != strictjson.String {
		return string(raw)
	}
	quoted, _ := json.Marshal(v.text()) //nolint:errchkjson // a string always has a JSON form
	return string(quoted)
}
