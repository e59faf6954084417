package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// resolved is what an operand is in one exchange.
type resolved struct {
	value   any
	present bool
	known   bool // false where the exchange cannot tell: nothing was recorded there, or it is not JSON
}

// criterion weighs one criterion. It is silent where it does not apply, and where a finding already says that a value
// is missing or wrong, so that to weigh it would be to say the same twice.
func (k *check) criterion(c *criterion) {
	for _, o := range c.when {
		if r := k.resolve(o); !r.known || !r.present {
			return
		}
	}
	left := k.resolve(c.left)
	if !left.known {
		return
	}
	expected, says := k.weighs(c, left)
	blocking := k.blocking(c)
	switch {
	case says == silent:
	case len(blocking) > 0:
		for _, i := range blocking {
			if says == broken {
				k.findings[i].Seen = k.findings[i].Seen.with(k.contract.claims[k.contract.claimIndex(c.left.part, c.pointer)].ID)
			}
		}
	case says == holding:
		k.keep(c.left.part, c.pointer)
	default:
		var found any = plain("nothing")
		if left.present {
			found = left.value
		}
		k.add(Finding{Rule: ruleCriterion, Part: c.left.part, Pointer: c.left.pointer, Expected: expected}, c.pointer, found, c.name)
	}
}

// weighs compares the left side with the pattern or with the right side.
func (k *check) weighs(c *criterion, left resolved) (expected string, says outcome) {
	if c.pattern != nil {
		pattern, ok := k.fill(c.pattern)
		text, isText := left.value.(string)
		switch {
		case !ok:
			return "", silent
		case isText && pattern.MatchString(text):
			return "", holding
		}
		return "a match of " + pattern.String(), broken
	}
	right := k.resolve(c.right)
	if !right.known {
		return "", silent
	}
	switch holds, ordered := c.compare(left, right); {
	case holds:
		return "", holding
	case !ordered:
		return "", silent
	}
	return k.expected(c, right), broken
}

// expected puts the right side of a comparison into words.
func (k *check) expected(c *criterion, right resolved) string {
	text := "nothing"
	if right.present {
		text = k.describe(right.value)
	}
	if c.op != "==" {
		text = c.op + " " + text
	}
	if c.right.part != "" {
		text += " (" + c.right.text + ")"
	}
	return text
}

// resolve looks an operand up in the exchange.
func (k *check) resolve(o operand) resolved {
	switch o.part {
	case "":
		return resolved{o.literal, true, true}
	case ResponseStatus:
		return resolved{number(strconv.Itoa(k.ex.Status)), true, true}
	case RequestHeader:
		return headerOperand(&k.ex.Request, o)
	case ResponseHeader:
		return headerOperand(&k.ex.Response, o)
	}
	b := k.responseBody
	if o.part == RequestBody {
		b = k.requestBody
	}
	value, present := lookup(b.value, o.tokens)
	return resolved{value, present && b.known, b.known}
}

func headerOperand(m *traffic.Message, o operand) resolved {
	if m.HeaderOmitted {
		return resolved{}
	}
	values := m.Header[splitPointer(o.pointer)[0]]
	text := strings.Join(values, ", ")
	if o.schema == nil {
		return resolved{text, len(values) > 0, true}
	}
	return resolved{headerValue(text, o.schema), len(values) > 0, true}
}

// kindRules say that a value is missing or of the wrong kind.
var kindRules = []string{"required", "nullable", "type", "format", ruleDuplicate}

// blocking lists the findings about the operands: about the value that is judged, those that say that it is missing or
// of the wrong kind; about what it is weighed by, all, as a value that itself breaks the contract is no measure.
func (k *check) blocking(c *criterion) []int {
	measures := []operand{c.right}
	if c.pattern != nil {
		measures = c.pattern.embedded
	}
	var list []int
	for i, f := range k.findings {
		if !f.Fails() || f.Rule == ruleCriterion || f.Rule == ruleUnicode {
			continue
		}
		measured := slices.ContainsFunc(measures, f.covers)
		if measured || f.covers(c.left) && slices.Contains(kindRules, f.Rule) {
			list = append(list, i)
		}
	}
	return list
}

// covers reports whether the finding is about an operand's place, or about what holds it.
func (f *Finding) covers(o operand) bool {
	return f.Part == o.part && (f.Pointer == o.pointer || strings.HasPrefix(o.pointer, f.Pointer+"/"))
}

// fill writes the embedded values into a pattern, quoted.
func (k *check) fill(t *template) (*regexp.Regexp, bool) {
	var b strings.Builder
	for i, text := range t.texts {
		b.WriteString(text)
		if i == len(t.embedded) {
			break
		}
		r := k.resolve(t.embedded[i])
		if !r.known || !r.present {
			return nil, false
		}
		b.WriteString(regexp.QuoteMeta(embed(r.value)))
	}
	pattern, err := regexp.Compile(b.String())
	return pattern, err == nil
}

// embed writes a value as people would: 9.021e4 is 90210.
func embed(value any) string {
	if n, isNumber := value.(number); isNumber {
		if n := exact(n); n.IsInt() {
			return n.Num().String()
		}
	}
	return fmt.Sprint(value)
}

// compare weighs two values. ok is false where they have no order.
func (c *criterion) compare(left, right resolved) (holds, ok bool) {
	if !left.present || !right.present {
		return (c.op == "!=") == (left.present != right.present), true
	}
	order, ok := c.order(left.value, right.value)
	if !ok {
		switch c.op {
		case "==":
			return left.value == nil && right.value == nil, true
		case "!=":
			return left.value != nil || right.value != nil, true
		}
		return false, false
	}
	switch c.op {
	case "==":
		return order == 0, true
	case "!=":
		return order != 0, true
	case "<":
		return order < 0, true
	case "<=":
		return order <= 0, true
	case ">":
		return order > 0, true
	default:
		return order >= 0, true
	}
}

// order compares two values of one kind: instants, numbers, text byte by byte, or truth.
func (c *criterion) order(a, b any) (order int, ok bool) {
	switch a := a.(type) {
	case string:
		b, isText := b.(string)
		if !isText {
			return 0, false
		}
		if c.instants {
			if order, err := compareTimes(a, b); err == nil {
				return order, true
			}
		}
		return strings.Compare(a, b), true
	case number:
		if b, isNumber := b.(number); isNumber {
			return exact(a).Cmp(exact(b)), true
		}
	case bool:
		if b, isBool := b.(bool); isBool && a == b {
			return 0, true
		}
	}
	return 0, false
}
