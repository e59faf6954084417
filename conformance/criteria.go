package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/assumed"
	"github.com/fleetcontract/fleetio-go/conformance/internal/template"
	"github.com/fleetcontract/fleetio-go/internal/speclint"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

const criteriaKey = speclint.CriteriaKey

// criterion is a claim about a response that a schema cannot express. api/README.md describes its syntax.
type criterion struct {
	name    string
	pointer string // of its condition, in the spec
	claim   int
	when    []operand // which must have a value,
	unless  []operand // and which must have none

	// Either a comparison,
	left, right operand
	op          string
	instants    bool // both sides are date-times

	// or a pattern for left.
	pattern  *template.Template
	embedded []operand // the expressions in it
}

// readCriteria parses the x-criteria of a response. An expression must point at something in the spec: a criterion that
// does not apply to any exchange would never be refuted.
func (c *Contract) readCriteria(op *operation, r *response) *SpecError {
	at := r.pointer + "/" + criteriaKey
	list := c.source.Node(at)
	if list == nil {
		return nil
	}
	if list.Type != strictjson.Array || len(list.Entries) == 0 {
		return specError(c.source, at, "x-criteria is a list of criteria")
	}
	names := map[string]bool{}
	for i, n := range list.Entries {
		itemAt := at + "/" + strconv.Itoa(i)
		criterion, err := parseCriterion(n.Node, itemAt)
		if err == nil && names[criterion.name] {
			err = fmt.Errorf("duplicate name %q", criterion.name)
		}
		if err == nil {
			err = c.bindCriterion(criterion, op, r)
		}
		if err != nil {
			return specError(c.source, itemAt, err.Error())
		}
		names[criterion.name] = true
		r.criteria = append(r.criteria, criterion)
	}
	return nil
}

func parseCriterion(n *yamltree.Node, at string) (*criterion, error) {
	var fields struct {
		Name        string   `json:"name"`
		Description string   `json:"description"`
		Context     string   `json:"context"`
		Type        string   `json:"type"`
		Condition   string   `json:"condition"`
		When        []string `json:"when"`
		Unless      []string `json:"unless"`
	}
	known := []string{"name", "description", "when", "unless", "context", "type", "condition", assumed.Key}
	for _, e := range n.Entries {
		if !slices.Contains(known, e.Key) {
			return nil, fmt.Errorf("a criterion has no property %q; it has %s", e.Key, strings.Join(known, ", "))
		}
	}
	if err := json.Unmarshal(n.AppendJSON(nil), &fields); err != nil {
		return nil, fmt.Errorf("not a criterion: %w", err)
	}
	if fields.Name == "" || fields.Condition == "" {
		return nil, errors.New("a criterion needs a name and a condition")
	}
	result := &criterion{name: fields.Name, pointer: at + "/condition"}
	var err error
	if result.when, err = parseExpressions("when", fields.When); err != nil {
		return nil, err
	}
	if result.unless, err = parseExpressions("unless", fields.Unless); err != nil {
		return nil, err
	}
	switch fields.Type {
	case "", "simple":
		if fields.Context != "" {
			return nil, errors.New("context goes with type: regex")
		}
		result.left, result.op, result.right, err = parseComparison(fields.Condition)
		if err == nil && result.left.part == "" {
			err = errors.New("the left side must be an expression")
		}
	case "regex":
		if result.left, err = parseOperand(fields.Context); err == nil && result.left.part == "" {
			err = errors.New("type: regex needs a context, which is an expression")
		}
		if err == nil {
			err = result.parsePattern(fields.Condition)
		}
	default:
		err = fmt.Errorf("type is simple or regex, not %q", fields.Type)
	}
	return result, err
}

func parseExpressions(keyword string, texts []string) (list []operand, err error) {
	for _, text := range texts {
		o, err := parseOperand(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", keyword, err)
		}
		if o.part == "" {
			return nil, fmt.Errorf("%s: %s is not an expression, so it always has a value", keyword, text)
		}
		list = append(list, o)
	}
	return list, nil
}

func (k *criterion) parsePattern(text string) (err error) {
	if k.pattern, err = template.Parse(text); err != nil {
		return err
	}
	for _, expression := range k.pattern.Expressions {
		o, err := parseOperand(expression)
		if err != nil {
			return err
		}
		k.embedded = append(k.embedded, o)
	}
	return nil
}

// bindCriterion finds the schema of every expression and checks that the values can be compared.
func (c *Contract) bindCriterion(k *criterion, op *operation, r *response) error {
	for _, list := range [][]operand{k.when, k.unless, k.embedded} {
		for i := range list {
			if err := list[i].bind(op, r); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(k.left.bind(op, r), k.right.bind(op, r)); err != nil || k.pattern != nil {
		return err
	}
	k.instants = isTime(k.left.schema) && isTime(k.right.schema)
	for _, o := range []operand{k.left, k.right} {
		t := o.jsonType()
		if t == "array" || t == "object" {
			return fmt.Errorf("%s is not a scalar; only scalars can be compared", o.text)
		}
		if k.op != "==" && k.op != "!=" && !k.instants && t != "integer" && t != "number" {
			return fmt.Errorf("%s orders numbers and date-times, not %s", k.op, o.text)
		}
	}
	return nil
}

func isTime(s *schema) bool { return s != nil && s.Format == "date-time" }

// jsonType returns the type that the value of an operand has: "number" or "integer", "array", "object", or "" for another or
// an unknown one.
func (o *operand) jsonType() string {
	switch {
	case o.part == ResponseStatus:
		return "integer"
	case o.part == "" && o.literal.Type() == strictjson.Number:
		return "number"
	case o.schema == nil:
		return ""
	}
	for _, part := range append([]*schema{o.schema}, o.schema.allOf...) {
		if part.Type != "" {
			return part.Type
		}
	}
	return ""
}

// bind finds the parameter and the schema of an expression, if it has one.
func (o *operand) bind(op *operation, r *response) error {
	var of *content
	parameters := op.parameters
	switch o.part {
	case RequestBody:
		of = op.request
	case ResponseBody:
		of = r.body
	case "", ResponseStatus:
		return nil
	case ResponseHeader:
		parameters = r.headers
		fallthrough
	default:
		for _, p := range parameters {
			if partNames[p.in] == o.part && p.place == o.pointer {
				o.parameter, o.schema = p, p.schema
				return nil
			}
		}
		inRequest := o.part == RequestHeader && (o.pointer == "/Content-Type" || op.security.HasHeader(o.pointer))
		if inRequest || o.pointer == "" { // $url and $method
			return nil
		}
		return fmt.Errorf("%s: the contract has no such %s", o.text, strings.Replace(string(o.part), ".", " ", 1))
	}
	if of == nil || of.checked() == nil {
		return fmt.Errorf("%s: the %s has no schema that is checked", o.text, o.part)
	}
	at := of.checked()
	for _, token := range o.tokens {
		if at = propertySchema(at, token, nil); at == nil {
			return fmt.Errorf("%s: the schema has no such property", o.text)
		}
	}
	o.schema = at
	return nil
}

// propertySchema returns the schema of a property or an item, also of those in allOf, or nil.
func propertySchema(s *schema, token string, visited []*schema) *schema {
	if slices.Contains(visited, s) {
		return nil // a cycle of allOf
	}
	if i := s.propertyIndex[token]; i > 0 && s.properties[i-1].schema != nil {
		return s.properties[i-1].schema
	}
	for _, part := range s.allOf {
		if p := propertySchema(part, token, append(visited, s)); p != nil {
			return p
		}
	}
	if _, err := strconv.Atoi(token); err == nil && s.items != nil {
		return s.items
	}
	return s.additional
}

// text returns the criterion in one line.
func (k *criterion) text() string {
	var b strings.Builder
	for i, list := range [][]operand{k.when, k.unless} {
		for j, o := range list {
			b.WriteString([]string{[]string{"when ", "unless "}[i], []string{" and ", " or "}[i]}[min(j, 1)] + o.text)
		}
		if len(list) > 0 {
			b.WriteString(", ")
		}
	}
	b.WriteString(k.left.text)
	if k.pattern == nil {
		return b.String() + " " + k.op + " " + k.right.text
	}
	return b.String() + " matches " + k.pattern.String()
}
