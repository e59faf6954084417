package conformance

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/internal/yamltree"
)

const criteriaKey = "x-criteria"

// criterion is a claim about a response that a schema cannot express. api/README.md describes its syntax.
type criterion struct {
	name    string
	pointer string // of its condition, in the spec
	claim   int
	when    []operand

	// Either a comparison,
	left, right operand
	op          string
	instants    bool // both sides are date-times

	// or a pattern for left.
	pattern *template
}

// readCriteria parses the x-criteria of a response. An expression must point at something in the spec: a criterion that
// does not apply to any exchange would never be refuted.
func (c *Contract) readCriteria(op *operation, r *response) error {
	at := r.pointer + "/" + criteriaKey
	list := c.source.Node(at)
	if list == nil {
		return nil
	}
	if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return c.specError(at, "x-criteria is a list of criteria")
	}
	names := map[string]bool{}
	for i, n := range list.Content {
		itemAt := at + "/" + strconv.Itoa(i)
		criterion, err := parseCriterion(yamltree.Follow(n), itemAt)
		if err == nil && names[criterion.name] {
			err = fmt.Errorf("duplicate name %q", criterion.name)
		}
		if err == nil {
			err = c.bindCriterion(criterion, op, r)
		}
		if err != nil {
			return c.specError(itemAt, err.Error())
		}
		names[criterion.name] = true
		r.criteria = append(r.criteria, criterion)
	}
	return nil
}

func parseCriterion(n *yaml.Node, at string) (*criterion, error) {
	var fields struct {
		Name, Description, Context, Type, Condition string
		When                                        []string
	}
	known := []string{"name", "description", "when", "context", "type", "condition", assumedKey}
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		if key := n.Content[i].Value; !slices.Contains(known, key) {
			return nil, fmt.Errorf("a criterion has no property %q; it has %s", key, strings.Join(known, ", "))
		}
	}
	if err := n.Decode(&fields); err != nil {
		return nil, fmt.Errorf("not a criterion: %w", err)
	}
	if fields.Name == "" || fields.Condition == "" {
		return nil, errors.New("a criterion needs a name and a condition")
	}
	result := &criterion{name: fields.Name, pointer: at + "/condition"}
	for _, text := range fields.When {
		o, err := parseOperand(text)
		if err != nil {
			return nil, fmt.Errorf("when: %w", err)
		}
		if o.part == "" {
			return nil, fmt.Errorf("when: %s is not an expression, so it always has a value", text)
		}
		result.when = append(result.when, o)
	}
	var err error
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
			var t template
			t, err = parseTemplate(fields.Condition)
			result.pattern = &t
		}
		if err == nil {
			_, err = regexp.Compile(strings.Join(result.pattern.texts, "0"))
		}
	default:
		err = fmt.Errorf("type is simple or regex, not %q", fields.Type)
	}
	return result, err
}

// bindCriterion finds the schema of every expression and checks that the values can be compared.
func (c *Contract) bindCriterion(k *criterion, op *operation, r *response) error {
	embedded := []operand{}
	if k.pattern != nil {
		embedded = k.pattern.embedded
	}
	for _, o := range slices.Concat(k.when, embedded) {
		if _, err := schemaOf(o, op, r); err != nil {
			return err
		}
	}
	var err error
	if k.left.schema, err = schemaOf(k.left, op, r); err != nil {
		return err
	}
	if k.pattern != nil {
		return nil
	}
	if k.right.schema, err = schemaOf(k.right, op, r); err != nil {
		return err
	}
	k.instants = isTime(k.left.schema) && isTime(k.right.schema)
	for _, o := range []operand{k.left, k.right} {
		types := o.types()
		if slices.Contains(types, "array") || slices.Contains(types, "object") {
			return fmt.Errorf("%s is not a scalar; only scalars can be compared", o.text)
		}
		if k.op != "==" && k.op != "!=" && !k.instants && !slices.Contains(types, "integer") && !slices.Contains(types, "number") {
			return fmt.Errorf("%s orders numbers and date-times, not %s", k.op, o.text)
		}
	}
	return nil
}

func isTime(s *schema) bool { return s != nil && s.Format == "date-time" }

// types returns the JSON types that an operand's value may have; nil if unknown.
func (o operand) types() []string {
	switch {
	case o.part == ResponseStatus:
		return []string{"integer"}
	case o.part == RequestHeader:
		return []string{"string"}
	case o.part != "":
		if o.schema == nil {
			return nil
		}
		return headerTypes(o.schema)
	}
	switch o.literal.Type() {
	case strictjson.Number:
		return []string{"number"}
	case strictjson.String:
		return []string{"string"}
	}
	return []string{"null or boolean"}
}

// schemaOf returns the schema of an expression, or nil.
func schemaOf(o operand, op *operation, r *response) (*schema, error) {
	var body *content
	switch o.part {
	case RequestBody:
		body = op.request
	case ResponseBody:
		body = r.body
	case ResponseHeader:
		for _, h := range r.headers {
			if h.place == o.pointer {
				return h.schema, nil
			}
		}
		return nil, fmt.Errorf("%s: the response has no such header", o.text)
	case RequestHeader:
		if o.pointer == "/Content-Type" || op.security.HasHeader(o.pointer) {
			return nil, nil
		}
		return nil, fmt.Errorf("%s: the contract has no such request header", o.text)
	default:
		return nil, nil
	}
	if body == nil || body.json() == nil {
		return nil, fmt.Errorf("%s: the %s has no JSON schema", o.text, o.part)
	}
	at := body.json()
	for _, token := range o.tokens {
		if at = propertySchema(at, token, nil); at == nil {
			return nil, fmt.Errorf("%s: the schema has no such property", o.text)
		}
	}
	return at, nil
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
	for i, o := range k.when {
		b.WriteString([]string{"when ", " and "}[min(i, 1)] + o.text)
	}
	if len(k.when) > 0 {
		b.WriteString(", ")
	}
	b.WriteString(k.left.text)
	if k.pattern == nil {
		return b.String() + " " + k.op + " " + k.right.text
	}
	b.WriteString(" matches ")
	for i, text := range k.pattern.texts {
		b.WriteString(text)
		if i < len(k.pattern.embedded) {
			b.WriteString("{" + k.pattern.embedded[i].text + "}")
		}
	}
	return b.String()
}
