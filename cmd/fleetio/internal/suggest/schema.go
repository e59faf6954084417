package suggest

import (
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// edits answer a deviation by its rule. An error says why it cannot be answered: then nothing has changed.
var edits = map[string]func(*draft, *deviation) error{
	"minimum": bound, "maximum": bound, "minLength": bound, "maxLength": bound, "minItems": bound, "maxItems": bound,
	"minProperties": bound, "maxProperties": bound,
	"exclusiveMinimum": exclusive, "exclusiveMaximum": exclusive,
	"pattern": drop, "enum": drop, "multipleOf": drop, "not": drop, "uniqueItems": drop,
	"format": format, "nullable": nullable, "type": widenType, "required": notRequired,
	"readOnly": bothWays, "writeOnly": bothWays, "anyOf": alternative, "oneOf": alternative,
	"additionalProperties": addProperty, "undocumented-property": addProperty, "undocumented-header": addHeader,
	"status": addStatus, "media-type": addMediaType, "body": body, "criterion": dropCriterion, "security": addSecurity,
}

// schemaOf is the place of the schema that a keyword stands in.
func (of *deviation) schemaOf() []string { return of.at[:len(of.at)-1] }

// drop removes a keyword: what it would have to say instead, the report does not know.
func drop(d *draft, of *deviation) error { return d.drop(of.at...) }

func (d *draft) drop(at ...string) error {
	if d.node(at...) == nil {
		return nil
	}
	if err := d.loosen(at...); err != nil {
		return err
	}
	return d.remove(at...)
}

// bound moves a bound to what was seen.
func bound(d *draft, of *deviation) error {
	if err := d.loosen(of.at...); err != nil {
		return err
	}
	seen := of.bound()
	if seen == "" {
		return d.remove(of.at...)
	}
	if err := d.makeRoom(of.at, seen); err != nil {
		return err
	}
	return d.set(of.schemaOf(), object(of.rule, literal(seen)), []string{of.rule})
}

// makeRoom removes a number that an update would replace by one of another kind: readers of overlays are known to keep the
// old one's YAML tag, !!int or !!float.
func (d *draft) makeRoom(at []string, number string) error {
	old := d.node(at...)
	if old == nil || isWhole(old.Value) == isWhole(number) {
		return nil
	}
	return d.cut(at)
}

func isWhole(number string) bool {
	_, err := strconv.ParseInt(number, 10, 64)
	return err == nil
}

// bound is the value that the bound would need, "" where it is unknown.
func (of *deviation) bound() string {
	size := func(n *int) string {
		if n == nil {
			return ""
		}
		return strconv.Itoa(*n)
	}
	switch of.rule {
	case "minimum", "exclusiveMinimum":
		return decimal(of.seen.Minimum.String())
	case "maximum", "exclusiveMaximum":
		return decimal(of.seen.Maximum.String())
	case "minLength", "minItems", "minProperties":
		return size(of.seen.MinSize)
	}
	return size(of.seen.MaxSize)
}

var jsonNumber = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`) // RFC 8259, section 6

// decimal writes a number without an exponent, as not every reader of YAML knows those; "" where that is not exact.
func decimal(number string) string {
	if !jsonNumber.MatchString(number) {
		return ""
	}
	if !strings.ContainsAny(number, "eE") {
		return number
	}
	f, err := strconv.ParseFloat(number, 64)
	const exact = 1 << 53
	if err != nil || f != float64(int64(f)) || f > exact || f < -exact {
		return ""
	}
	return strconv.FormatInt(int64(f), 10)
}

// exclusive lets the bound itself in, and moves it where that is not enough.
func exclusive(d *draft, of *deviation) error {
	if err := d.loosen(of.at...); err != nil {
		return err
	}
	limit := append(slices.Clone(of.schemaOf()), map[string]string{"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}[of.rule])
	keyword, seen := limit[len(limit)-1], of.bound()
	if n := d.node(limit...); n != nil && seen != "" && sameNumber(n.Value, seen) {
		return d.set(of.schemaOf(), object(of.rule, false), []string{of.rule})
	}
	if err := d.loosen(limit...); err != nil {
		return err
	}
	if seen == "" {
		if err := d.remove(of.at...); err != nil {
			return err
		}
		return d.remove(limit...)
	}
	if err := d.makeRoom(limit, seen); err != nil {
		return err
	}
	return d.set(of.schemaOf(), object(keyword, literal(seen), of.rule, false), []string{keyword}, []string{of.rule})
}

func sameNumber(a, b string) bool {
	a, b = decimal(a), decimal(b)
	x, ok := new(big.Rat).SetString(a)
	y, too := new(big.Rat).SetString(b)
	return a != "" && b != "" && ok && too && x.Cmp(y) == 0
}

// format widens the integers as far as there is a wider format, and drops any other.
func format(d *draft, of *deviation) error {
	if n := d.node(of.at...); n != nil && n.Value == "int32" {
		_, err := strconv.ParseInt(of.seen.Minimum.String(), 10, 64)
		_, errMax := strconv.ParseInt(of.seen.Maximum.String(), 10, 64)
		if err == nil && errMax == nil {
			if err := d.loosen(of.at...); err != nil {
				return err
			}
			return d.set(of.schemaOf(), object("format", "int64"), []string{"format"})
		}
	}
	return d.drop(of.at...)
}

func nullable(d *draft, of *deviation) error {
	if err := d.loosen(of.at...); err != nil {
		return err
	}
	return d.set(of.schemaOf(), object("nullable", true), []string{"nullable"})
}
