package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/criteria"
	"github.com/fleetcontract/fleetio-go/internal/speclint"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

const criteriaKey = speclint.CriteriaKey

// criterion is an entry of x-criteria, with the schemas that it is about.
type criterion struct {
	*criteria.Criterion

	pointer      string // of its condition, in the spec
	claim        int
	when, unless []operand
	left, right  operand
	instants     bool // both sides are date-times
	embedded     []operand
}

// operand is an expression of a criterion.
type operand struct {
	criteria.Expression

	parameter *parameter // nil if it is none
	schema    *schema    // nil if the spec has none
}

func (o *operand) part() Part { return Part(o.Part) }

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
		parsed, err := criteria.Parse(n.Node)
		if err == nil && names[parsed.Name] {
			err = fmt.Errorf("duplicate name %q", parsed.Name)
		}
		var bound *criterion
		if err == nil {
			bound, err = c.bindCriterion(parsed, itemAt+"/condition", op, r)
		}
		if err != nil {
			return specError(c.source, itemAt, err.Error())
		}
		names[bound.Name] = true
		r.criteria = append(r.criteria, bound)
	}
	return nil
}

// bindCriterion finds the schema of every expression and checks that the values can be compared.
func (c *Contract) bindCriterion(from *criteria.Criterion, pointer string, op *operation, r *response) (*criterion, error) {
	k := &criterion{Criterion: from, pointer: pointer, left: operand{Expression: from.Left}, right: operand{Expression: from.Right}}
	for _, list := range []struct {
		to   *[]operand
		from []criteria.Expression
	}{{&k.when, from.When}, {&k.unless, from.Unless}, {&k.embedded, from.Embedded}} {
		for _, e := range list.from {
			o := operand{Expression: e}
			if err := o.bind(op, r); err != nil {
				return nil, err
			}
			*list.to = append(*list.to, o)
		}
	}
	if err := errors.Join(k.left.bind(op, r), k.right.bind(op, r)); err != nil || k.Pattern != nil {
		return k, err
	}
	k.instants = isTime(k.left.schema) && isTime(k.right.schema)
	for _, o := range []operand{k.left, k.right} {
		t := o.jsonType()
		if t == "array" || t == "object" {
			return nil, fmt.Errorf("%s is not a scalar; only scalars can be compared", o.Text)
		}
		if k.Op != "==" && k.Op != "!=" && !k.instants && t != "integer" && t != "number" {
			return nil, fmt.Errorf("%s orders numbers and date-times, not %s", k.Op, o.Text)
		}
	}
	return k, nil
}

func isTime(s *schema) bool { return s != nil && s.Format == "date-time" }

// jsonType returns the type that the value of an operand has: "number" or "integer", "array", "object", or "" for another or
// an unknown one.
func (o *operand) jsonType() string {
	switch {
	case o.part() == ResponseStatus:
		return "integer"
	case o.Part == "" && o.Literal.Type() == strictjson.Number:
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
	switch o.part() {
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
			if partNames[p.in] == o.part() && p.place == o.Pointer {
				o.parameter, o.schema = p, p.schema
				return nil
			}
		}
		inRequest := o.part() == RequestHeader && (o.Pointer == "/Content-Type" || op.security.HasHeader(o.Pointer))
		if inRequest || o.Pointer == "" { // $url and $method
			return nil
		}
		return fmt.Errorf("%s: the contract has no such %s", o.Text, strings.Replace(o.Part, ".", " ", 1))
	}
	if of == nil || of.checked() == nil {
		return fmt.Errorf("%s: the %s has no schema that is checked", o.Text, o.Part)
	}
	at := of.checked()
	for _, token := range o.Tokens {
		if at = propertySchema(at, token, nil); at == nil {
			return fmt.Errorf("%s: the schema has no such property", o.Text)
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
