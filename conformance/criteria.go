package conformance

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v4"
)

const criteriaKey = "x-criteria"

// criterion is a claim about a response that no schema can state. It is described in api/README.md.
type criterion struct {
	name    string
	pointer string // of its condition, in the spec
	when    []operand

	// One comparison,
	left, right operand
	op          string
	instants    bool // both sides are date-times, and compare as such

	// or a pattern that left must match.
	pattern *template
}

// readCriteria parses the x-criteria beside a response and proves that each expression leads to something the
// contract knows, as a criterion about nothing would never be refuted.
func (c *Contract) readCriteria(op *operation, r *response) error {
	at := r.pointer + "/" + criteriaKey
	list := c.source.node(at)
	if list == nil {
		return nil
	}
	if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return c.specError(at, "x-criteria is a list of criteria")
	}
	names := map[string]bool{}
	for i, n := range list.Content {
		itemAt := at + "/" + strconv.Itoa(i)
		criterion, err := parseCriterion(follow(n), itemAt)
		if err == nil && names[criterion.name] {
			err = fmt.Errorf("the name %q is taken", criterion.name)
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
			return nil, fmt.Errorf("a criterion has no member %q; it has %s", key, strings.Join(known, ", "))
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
			err = errors.New("the left side is what the criterion judges, and must be an expression")
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

// bindCriterion checks every expression against the schemas of the operation, and learns from them what is a time.
func (c *Contract) bindCriterion(k *criterion, op *operation, r *response) error {
	operands := append(slices.Clone(k.when), k.left)
	if k.pattern != nil {
		operands = append(operands, k.pattern.embedded...)
	} else if k.right.part != "" {
		operands = append(operands, k.right)
	}
	for _, o := range operands {
		if _, err := schemaOf(o, op, r); err != nil {
			return err
		}
	}
	if k.pattern != nil {
		return nil
	}
	left, _ := schemaOf(k.left, op, r)
	right, _ := schemaOf(k.right, op, r)
	k.instants = isTime(left) && isTime(right)
	if k.op != "==" && k.op != "!=" && !k.instants && (isText(left) || isText(right)) {
		return fmt.Errorf("%s orders numbers and date-times, not text", k.op)
	}
	return nil
}

func isTime(s *openapi3.Schema) bool { return s != nil && s.Format == "date-time" }
func isText(s *openapi3.Schema) bool { return s != nil && s.Type.Is("string") }

// schemaOf finds the schema of the place that an expression names; nil where the place has none to find.
func schemaOf(o operand, op *operation, r *response) (*openapi3.Schema, error) {
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
	default:
		return nil, nil
	}
	if body == nil || body.json() == nil {
		return nil, fmt.Errorf("%s: the %s has no JSON schema", o.text, o.part)
	}
	schema := body.json()
	for _, token := range o.tokens {
		if schema = property(schema, token); schema == nil {
			return nil, fmt.Errorf("%s: the schema has no such property", o.text)
		}
	}
	return schema, nil
}

// property returns the schema of a member or an item, looking into allOf, or nil.
func property(s *openapi3.Schema, token string) *openapi3.Schema {
	if p := s.Properties[token]; p != nil {
		return p.Value
	}
	for _, part := range s.AllOf {
		if p := property(part.Value, token); p != nil {
			return p
		}
	}
	if _, err := strconv.Atoi(token); err == nil && s.Items != nil {
		return s.Items.Value
	}
	if s.AdditionalProperties.Schema != nil {
		return s.AdditionalProperties.Schema.Value
	}
	return nil
}
