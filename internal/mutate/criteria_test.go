package mutate

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/generate"
)

// criterion is an entry of x-criteria, see api/README.md.
type criterion struct {
	name, at    string
	when        []operand // which must have a value
	unless      []operand // which must have none
	left, right operand
	operator    string // "match" for a pattern
	pattern     string
}

// operand is a side of a comparison: a place in the exchange, or a literal.
type operand struct {
	part    conformance.Part // "" for a literal
	of      string           // $url or $method
	path    []string
	literal any
}

func readCriteria(at string, extension any) ([]criterion, error) {
	var entries []struct {
		Name      string   `json:"name"`
		Condition string   `json:"condition"`
		Type      string   `json:"type"`
		Context   string   `json:"context"`
		When      []string `json:"when"`
		Unless    []string `json:"unless"`
	}
	if err := json.Unmarshal([]byte(generate.Encode(extension)), &entries); err != nil {
		return nil, fmt.Errorf("%s/x-criteria: %w", at, err)
	}
	var list []criterion
	for _, e := range entries {
		c := criterion{name: e.Name, at: at + "/x-criteria" + pointer(e.Name) + "/condition"}
		for _, text := range e.When {
			c.when = append(c.when, parseOperand(text))
		}
		for _, text := range e.Unless {
			c.unless = append(c.unless, parseOperand(text))
		}
		if e.Type == "regex" {
			c.operator, c.left, c.pattern = "match", parseOperand(e.Context), e.Condition
		} else {
			sides := comparison.FindStringSubmatch(e.Condition)
			if sides == nil {
				return nil, errors.New(at + "/x-criteria: no comparison: " + e.Condition)
			}
			c.left, c.operator, c.right = parseOperand(sides[1]), sides[2], parseOperand(sides[3])
		}
		list = append(list, c)
	}
	return list, nil
}

var comparison = regexp.MustCompile(`^(\S+) (==|!=|<=|>=|<|>) (\S+|'.*')$`)

func parseOperand(text string) operand {
	expression, isExpression := strings.CutPrefix(text, "$")
	message, rest, _ := strings.Cut(expression, ".")
	place, name, _ := strings.Cut(rest, ".")
	switch {
	case text == "$statusCode":
		return operand{part: conformance.ResponseStatus}
	case place == "header":
		return operand{part: conformance.Part(message + ".header"), path: []string{http.CanonicalHeaderKey(name)}}
	case place == "path" || place == "query":
		return operand{part: conformance.Part(message + "." + place), path: []string{name}}
	case text == "$url" || text == "$method":
		return operand{part: conformance.RequestPath, of: text}
	case isExpression:
		_, path, _ := strings.Cut(rest, "#")
		return operand{part: conformance.Part(message + ".body"), path: generate.Tokens(path)}
	case strings.HasPrefix(text, "'"):
		return operand{literal: strings.ReplaceAll(strings.Trim(text, "'"), "''", "'")}
	}
	return operand{literal: generate.Decode(text)}
}

// violation is what an exchange in which the criterion does not hold violates.
func (c criterion) violation() Expectation {
	return claim(c.at, "criterion", c.left.part, pointer(c.left.path...))
}

// actual is what an operand is in an exchange. It is not known where the recording does not have it.
type actual struct {
	value          any
	present, known bool
}

func (m *exchangeModel) find(o operand) actual {
	switch o.part {
	case "":
		return actual{o.literal, true, true}
	case conformance.ResponseStatus:
		return actual{json.Number(strconv.Itoa(m.status)), true, true}
	}
	switch o.of {
	case "$url":
		return actual{m.url().String(), true, true}
	case "$method":
		return actual{m.op.method, true, true}
	}
	whole, known := m.value(o.part)
	v, present := generate.Lookup(whole, o.path)
	return actual{v, known && present, known}
}

// violatedCriteria are the criteria that do not hold, beside what else the exchange violates.
func (m *exchangeModel) violatedCriteria(others []Expectation) (all []Expectation) {
	if m.to == nil {
		return nil
	}
	for _, c := range m.to.criteria {
		if holds, skipped := m.holds(c, others); !holds && !skipped {
			all = append(all, c.violation())
		}
	}
	return all
}

func (m *exchangeModel) holds(c criterion, others []Expectation) (holds, skipped bool) {
	for _, o := range c.when {
		if !m.find(o).present {
			return false, true
		}
	}
	for _, o := range c.unless {
		if at := m.find(o); at.present || !at.known {
			return false, true
		}
	}
	left := m.find(c.left)
	if !left.known || blamed(others, c.left, true) {
		return false, true
	}
	if c.operator == "match" {
		pattern, ok := m.fill(c.pattern, others)
		text, isText := left.value.(string)
		return ok && isText && regexp.MustCompile(pattern).MatchString(text), !ok
	}
	right := m.find(c.right)
	if !right.known || blamed(others, c.right, false) {
		return false, true
	}
	if !left.present || !right.present {
		return (c.operator == "!=") == (left.present != right.present), false
	}
	order, ordered := compare(left.value, right.value, m.isTime(c.left) && m.isTime(c.right))
	equal := ordered && order == 0 || left.value == nil && right.value == nil
	switch c.operator {
	case "==":
		return equal, false
	case "!=":
		return !equal, false
	case "<":
		return order < 0, !ordered
	case "<=":
		return order <= 0, !ordered
	case ">":
		return order > 0, !ordered
	}
	return order >= 0, !ordered
}

// kindRules say that a value is missing or of the wrong kind.
var kindRules = map[string]bool{"required": true, "nullable": true, "type": true, "format": true}

// blamed reports whether something else is wrong with a place: its kind only, or anything.
func blamed(others []Expectation, o operand, kindOnly bool) bool {
	at := pointer(o.path...)
	for _, e := range others {
		above := e.Pointer == at || strings.HasPrefix(at, e.Pointer+"/")
		if e.Part == o.part && above && e.Claim != "" && (!kindOnly || kindRules[e.Rule]) {
			return true
		}
	}
	return false
}

var embedded = regexp.MustCompile(`\{(\$[^}]*)\}`)

// fill writes the values of embedded expressions into a pattern.
func (m *exchangeModel) fill(pattern string, others []Expectation) (filled string, ok bool) {
	ok = true
	filled = embedded.ReplaceAllStringFunc(pattern, func(expression string) string {
		o := parseOperand(expression[1 : len(expression)-1])
		at := m.find(o)
		if !at.present || blamed(others, o, false) {
			ok = false
		}
		if n, isNumber := at.value.(json.Number); isNumber {
			return regexp.QuoteMeta(generate.Decimal(generate.Rat(n)).String())
		}
		return regexp.QuoteMeta(fmt.Sprint(at.value))
	})
	return filled, ok
}

func (m *exchangeModel) isTime(o operand) bool {
	n := below(m.schemas[o.part], o.path)
	return n != nil && n.Format == "date-time"
}

// compare orders two values of one kind.
func compare(a, b any, times bool) (order int, ok bool) {
	switch a := a.(type) {
	case json.Number:
		n, isNumber := b.(json.Number)
		return generate.Rat(a).Cmp(generate.Rat(n)), isNumber
	case string:
		text, isText := b.(string)
		if times && isText && wellFormed("date-time", a) && wellFormed("date-time", text) {
			return instant(a).Compare(instant(text)), true
		}
		return cmp.Compare(a, text), isText
	case bool:
		return 0, a == b
	}
	return 0, false
}

// instant is a date-time that is well-formed. Go has no leap second: it is the second after.
func instant(text string) time.Time {
	text = strings.ToUpper(text)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, _ = time.Parse(time.RFC3339, strings.Replace(text, ":60", ":59", 1))
		t = t.Add(time.Second)
	}
	return t
}

// repairs are exchanges in which a criterion may hold.
func (m *exchangeModel) repairs(rng *rand.Rand, c criterion) (all []*exchangeModel) {
	set := func(o operand, v any) { all = append(all, m.with(o.part, o.path, v)) }
	if c.operator == "match" {
		if pattern, ok := m.fill(c.pattern, nil); ok {
			set(c.left, generate.Matching(rng, pattern, 4))
			set(c.left, "/"+generate.Matching(rng, pattern, 4))
		}
		return all
	}
	set(c.left, m.find(c.right).value)
	set(c.right, m.find(c.left).value)
	for range 4 {
		for _, o := range []operand{c.left, c.right} {
			if v, ok := m.generate(rng, o); ok {
				set(o, v)
			}
		}
	}
	for _, o := range c.when {
		all = append(all, m.without(o.part, o.path))
	}
	return all
}

// generate generates another value for an operand.
func (m *exchangeModel) generate(rng *rand.Rand, o operand) (any, bool) {
	g := newGenerator(rng, o.part, false)
	if n := below(m.schemas[o.part], o.path); n != nil {
		return g.Value(n)
	}
	return nil, false
}

// applicable returns the exchange without the values by which a criterion does not apply; nil where it violates anything.
func (m *exchangeModel) applicable(rng *rand.Rand, c criterion) *exchangeModel {
	for _, o := range c.unless {
		m = m.without(o.part, o.path)
	}
	return m.repaired(rng)
}

// criteria adds exchanges in which one criterion does not hold.
func (c *collector) criteria(conforming *exchangeModel) {
	for _, one := range conforming.to.criteria {
		base := conforming.applicable(c.rng, one)
		if base == nil {
			continue
		}
		propose := func(o operand, name string, v any) {
			c.add(base.with(o.part, o.path, v), one.named(base, name))
		}
		base.unequal(c.rng, one, func(name string, v any) { propose(one.left, name, v) })
		c.add(base.without(one.left.part, one.left.path), one.named(base, "missing"))
		for i := range 3 {
			if v, ok := base.generate(c.rng, one.right); ok && one.operator != "match" {
				propose(one.right, "other-right-side-"+strconv.Itoa(i), v)
			}
		}
	}
}

// named names the mutants of the criterion, and no others.
func (c criterion) named(base *exchangeModel, name string) func(Expectation) string {
	return func(e Expectation) string {
		if e != c.violation() {
			return ""
		}
		return strconv.Itoa(base.status) + "/criterion/" + c.name + "/" + name
	}
}

// unequal proposes values for the left side of a criterion that are near the right one.
func (m *exchangeModel) unequal(rng *rand.Rand, c criterion, add generate.Proposal) {
	switch v := m.find(c.left).value.(type) {
	case string:
		add("other-case", generate.SwapCase(v))
		add("space-after", v+" ")
		add("longer", v+"0")
		add("longer-before", "0"+v)
		add("shorter", v[:max(0, len(v)-1)])
		add("slash-after", v+"/")
		add("line-after", v+"\n")
		add("empty", "")
		if whole, isUTC := strings.CutSuffix(v, "Z"); isUTC && m.isTime(c.left) && len(whole) == len("2006-01-02T15:04:05") {
			add("fraction-after", whole+".000000001Z")
			add("other-offset", whole+"+00:01")
		}
		add("another", "2001-01-01T00:00:00Z")
		add("late", "9999-12-31T23:59:59.9999999999Z")
	case json.Number:
		add("one-more", generate.Decimal(generate.Plus(generate.Rat(v), 1)))
		add("one-less", generate.Decimal(generate.Plus(generate.Rat(v), -1)))
	case bool:
		add("opposite", !v)
	}
	add("null", nil)
	add("the-right-side", m.find(c.right).value)
	for i := range 5 {
		if v, ok := m.generate(rng, c.left); ok {
			add("generated-"+strconv.Itoa(i), v)
		}
	}
}
