package conformance

import "github.com/fleetcontract/fleetio-go/conformance/internal/expression"

// operand is one side of a criterion's comparison, or another expression of it.
type operand struct {
	text    string
	part    Part   // that holds the value; "" for a literal
	pointer string // JSON pointer into that part
	tokens  []string
	literal value

	parameter *parameter // nil if it is none
	schema    *schema    // nil if the spec has none
}

func parseOperand(text string) (operand, error) {
	e, err := expression.Parse(text)
	return operand{text: e.Text, part: Part(e.Part), pointer: e.Pointer, tokens: e.Tokens, literal: e.Literal}, err
}

func parseComparison(condition string) (left operand, op string, right operand, err error) {
	a, op, b, err := expression.SplitComparison(condition)
	if err != nil {
		return left, "", right, err
	}
	if left, err = parseOperand(a); err != nil {
		return left, "", right, err
	}
	right, err = parseOperand(b)
	return left, op, right, err
}
