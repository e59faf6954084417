package mutate

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// criterion is an entry of x-criteria, see api/README.md.
type criterion struct {
	name, at    string
	when        []operand
	left, right operand
	op          string // "match" for a pattern
	pattern     string
}

// operand is a side of a comparison: a place in the exchange, or a literal.
type operand struct {
	text    string
	part    conformance.Part // "" for a literal
	path    []string
	literal any
}

func readCriteria(at string, extension any) ([]criterion, error) {
	if extension == nil {
		return nil, nil
	}
	var entries []struct {
		Name      string   `json:"name"`
		Condition string   `json:"condition"`
		Type      string   `json:"type"`
		Context   string   `json:"context"`
		When      []string `json:"when"`
	}
	if err := json.Unmarshal([]byte(encode(extension)), &entries); err != nil {
		return nil, fmt.Errorf("%s/x-criteria: %w", at, err)
	}
	var list []criterion
	for _, e := range entries {
		c := criterion{name: e.Name, at: at + "/x-criteria" + pointer(e.Name) + "/condition"}
		for _, text := range e.When {
			c.when = append(c.when, parseOperand(text))
		}
		if e.Type == "regex" {
			c.op, c.left, c.pattern = "match", parseOperand(e.Context), e.Condition
		} else {
			sides := comparison.FindStringSubmatch(e.Condition)
			if sides == nil {
				return nil, errors.New(at + "/x-criteria: no comparison: " + e.Condition)
			}
			c.left, c.op, c.right = parseOperand(sides[1]), sides[2], parseOperand(sides[3])
		}
		list = append(list, c)
	}
	return list, nil
}

var comparison = regexp.MustCompile(`^(\S+) (==|!=|<=|>=|<|>) (\S+|'.*')$`)

func parseOperand(text string) operand {
	o := operand{text: text}
	side, rest, _ := strings.Cut(strings.TrimPrefix(text, "$"), ".")
	place, path, _ := strings.Cut(rest, "#")
	name, isHeader := strings.CutPrefix(place, "header.")
	switch {
	case text == "$statusCode":
		o.part = conformance.ResponseStatus
	case strings.HasPrefix(text, "$") && isHeader:
		o.part, o.path = conformance.Part(side+".header"), []string{http.CanonicalHeaderKey(name)}
	case strings.HasPrefix(text, "$"):
		o.part, o.path = conformance.Part(side+".body"), tokens(path)
	case strings.HasPrefix(text, "'"):
		o.literal = strings.ReplaceAll(strings.Trim(text, "'"), "''", "'")
	default:
		o.literal = decode(text)
	}
	return o
}

// found is what an operand is in an exchange. It is not known where the exchange does not say.
type found struct {
	value          any
	present, known bool
}

// kindRules say that a value is missing or of the wrong kind.
var kindRules = map[string]bool{"required": true, "nullable": true, "type": true, "format": true}

// criteria adds the broken criteria to what else a draft breaks.
func (d *draft) readCriteria(others []broken) []broken {
	if d.to == nil {
		return nil
	}
	var all []broken
	for _, c := range d.to.criteria {
		if holds, silent := d.holds(c, others); !holds && !silent {
			all = append(all, broken{Want{"criterion", c.left.part, pointer(c.left.path...)}, claimID(c.left.part, c.at)})
		}
	}
	return all
}

func (d *draft) holds(c criterion, others []broken) (holds, silent bool) {
	for _, o := range c.when {
		if f := d.find(o); !f.known || !f.present {
			return false, true
		}
	}
	left := d.find(c.left)
	if !left.known || blames(others, c.left, true) {
		return false, true
	}
	if c.op == "match" {
		pattern, ok := d.fill(c.pattern, others)
		text, isText := left.value.(string)
		return ok && isText && regexp.MustCompile(pattern).MatchString(text), !ok
	}
	right := d.find(c.right)
	if !right.known || blames(others, c.right, false) {
		return false, true
	}
	if !left.present || !right.present {
		return (c.op == "!=") == (left.present != right.present), false
	}
	order, ordered := compare(left.value, right.value, d.isTime(c.left) && d.isTime(c.right))
	equal := ordered && order == 0 || left.value == nil && right.value == nil
	switch c.op {
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

// against is where the other side of a criterion is, if that is in the same body, and "" for other claims.
func (d *draft) against(claim string) string {
	if d.to == nil {
		return ""
	}
	for _, c := range d.to.criteria {
		if claimID(c.left.part, c.at) == claim && c.right.part == c.left.part && c.left.part == conformance.ResponseBody {
			return pointer(c.right.path...)
		}
	}
	return ""
}

// blames reports whether something else is wrong with a place: with its kind, or at all.
func blames(others []broken, o operand, kind bool) bool {
	at := pointer(o.path...)
	for _, b := range others {
		above := b.Pointer == at || strings.HasPrefix(at, b.Pointer+"/")
		if b.Part == o.part && above && b.claim != "" && (!kind || kindRules[b.Rule]) {
			return true
		}
	}
	return false
}

var embedded = regexp.MustCompile(`\{(\$[^}]*)\}`)

// fill writes the values of embedded expressions into a pattern.
func (d *draft) fill(pattern string, others []broken) (filled string, ok bool) {
	ok = true
	filled = embedded.ReplaceAllStringFunc(pattern, func(expression string) string {
		o := parseOperand(expression[1 : len(expression)-1])
		f := d.find(o)
		if !f.known || !f.present || blames(others, o, false) {
			ok = false
		}
		value := f.value
		if n, isNumber := value.(json.Number); isNumber {
			value = decimal(rat(n))
		}
		return regexp.QuoteMeta(fmt.Sprint(value))
	})
	return filled, ok
}

// find looks an operand up.
func (d *draft) find(o operand) found {
	body := d.request
	switch o.part {
	case "":
		return found{o.literal, true, true}
	case conformance.ResponseStatus:
		return found{json.Number(strconv.Itoa(d.status)), true, true}
	case conformance.RequestHeader:
		text, there := d.request.headers[o.path[0]]
		return found{text, there, true}
	case conformance.ResponseHeader:
		text, there := d.response.headers[o.path[0]]
		for _, h := range d.to.headers {
			if h.name == o.path[0] && h.schema != nil {
				return found{d.spec.readHeader(h.schema, text), there, true}
			}
		}
		return found{text, there, true}
	case conformance.ResponseBody:
		body = d.response
	}
	if !body.has || body.omitted {
		return found{}
	}
	value, there := lookup(body.value, o.path)
	return found{value, there, true}
}

func (d *draft) isTime(o operand) bool {
	n := d.nodeOf(o)
	return n != nil && n.Format == "date-time"
}

// compare orders two values of one kind.
func compare(a, b any, times bool) (order int, ok bool) {
	switch a := a.(type) {
	case json.Number:
		n, isNumber := b.(json.Number)
		if !isNumber {
			return 0, false
		}
		return rat(a).Cmp(rat(n)), true
	case string:
		text, isText := b.(string)
		if !isText {
			return 0, false
		}
		if times && wellFormed("date-time", a) && wellFormed("date-time", text) {
			return instant(a).Cmp(instant(text)), true
		}
		return strings.Compare(a, text), true
	case bool:
		return 0, a == b
	}
	return 0, false
}

// instant is a date-time in seconds, with all the digits of its fraction.
func instant(text string) *big.Rat {
	clock, fraction := text[:19], ""
	zone := text[19:]
	if strings.HasPrefix(zone, ".") {
		end := strings.IndexAny(zone, "Z+-")
		fraction, zone = zone[:end], zone[end:]
	}
	leap := strings.HasSuffix(clock, ":60")
	if leap {
		clock = clock[:17] + "59"
	}
	t, err := time.Parse(time.RFC3339, clock+zone)
	if err != nil {
		return new(big.Rat)
	}
	seconds := t.Unix()
	if leap {
		seconds++
	}
	return new(big.Rat).Add(big.NewRat(seconds, 1), rat(json.Number("0"+fraction)))
}
