// Package criteria reads the extension x-criteria of a spec, see api/README.md, and compares the values that it is about.
package criteria

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/assumed"
	"github.com/fleetcontract/fleetio-go/conformance/internal/template"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// Criterion is a claim about a response that a schema cannot express.
type Criterion struct {
	Name   string
	When   []Expression // which must have a value,
	Unless []Expression // and which must have none

	// Either a comparison,
	Left, Right Expression
	Op          string

	// or a pattern for Left.
	Pattern  *template.Template
	Embedded []Expression // in the pattern
}

// Parse reads a criterion.
func Parse(n *yamltree.Node) (*Criterion, error) {
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
	result := &Criterion{Name: fields.Name}
	var err error
	if result.When, err = parseExpressions("when", fields.When); err != nil {
		return nil, err
	}
	if result.Unless, err = parseExpressions("unless", fields.Unless); err != nil {
		return nil, err
	}
	switch fields.Type {
	case "", "simple":
		if fields.Context != "" {
			return nil, errors.New("context goes with type: regex")
		}
		result.Left, result.Op, result.Right, err = parseComparison(fields.Condition)
		if err == nil && result.Left.Part == "" {
			err = errors.New("the left side must be an expression")
		}
	case "regex":
		if result.Left, err = parseExpression(fields.Context); err == nil && result.Left.Part == "" {
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

func parseExpressions(keyword string, texts []string) (list []Expression, err error) {
	for _, text := range texts {
		o, err := parseExpression(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", keyword, err)
		}
		if o.Part == "" {
			return nil, fmt.Errorf("%s: %s is not an expression, so it always has a value", keyword, text)
		}
		list = append(list, o)
	}
	return list, nil
}

// String returns the criterion in one line.
func (c *Criterion) String() string {
	var b strings.Builder
	for i, list := range [][]Expression{c.When, c.Unless} {
		for j, e := range list {
			b.WriteString([]string{[]string{"when ", "unless "}[i], []string{" and ", " or "}[i]}[min(j, 1)] + e.Text)
		}
		if len(list) > 0 {
			b.WriteString(", ")
		}
	}
	b.WriteString(c.Left.Text)
	if c.Pattern == nil {
		return b.String() + " " + c.Op + " " + c.Right.Text
	}
	return b.String() + " matches " + c.Pattern.String()
}

func (c *Criterion) parsePattern(text string) (err error) {
	if c.Pattern, err = template.Parse(text); err != nil {
		return err
	}
	for _, text := range c.Pattern.Expressions {
		o, err := parseExpression(text)
		if err != nil {
			return err
		}
		c.Embedded = append(c.Embedded, o)
	}
	return nil
}
