package conformance

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// operand is one side of a criterion's comparison: a runtime expression (OpenAPI 3.0.3, Link Object; Arazzo 1.0) or a
// literal.
type operand struct {
	text    string
	part    Part   // that holds the value; "" for a literal
	pointer string // JSON pointer into that part
	tokens  []string
	literal value
	schema  *schema // nil if the spec has none
}

func parseOperand(text string) (operand, error) {
	o := operand{text: text}
	switch {
	case text == "$statusCode":
		o.part = ResponseStatus
		return o, nil
	case strings.HasPrefix(text, "$request."):
		err := parseMessage(&o, text[len("$request."):], RequestHeader, RequestBody)
		return o, err
	case strings.HasPrefix(text, "$response."):
		err := parseMessage(&o, text[len("$response."):], ResponseHeader, ResponseBody)
		return o, err
	case strings.HasPrefix(text, "$"):
		return o, fmt.Errorf("%s is not an expression for criteria; use $statusCode, $request.header.NAME, "+
			"$request.body#/POINTER, $response.header.NAME, $response.body#/POINTER", text)
	}
	var err error
	o.literal, err = parseLiteral(text)
	return o, err
}

func parseMessage(o *operand, rest string, header, body Part) error {
	if name, ok := strings.CutPrefix(rest, "header."); ok && name != "" {
		o.tokens = []string{http.CanonicalHeaderKey(name)}
		o.part, o.pointer = header, strictjson.Pointer(o.tokens...)
		return nil
	}
	if rest == "body" || strings.HasPrefix(rest, "body#/") {
		o.part, o.pointer = body, strings.TrimPrefix(strings.TrimPrefix(rest, "body"), "#")
		o.tokens = strictjson.SplitPointer(o.pointer)
		return nil
	}
	return fmt.Errorf("%s: expected header.NAME or body#/POINTER after the first dot", o.text)
}

// parseLiteral reads Arazzo's literals: true, false, null, a number, or a string in single quotes.
func parseLiteral(text string) (value, error) {
	if text == "true" || text == "false" || text == "null" || strictjson.IsNumber(text) {
		return strictjson.ParseValue([]byte(text))
	}
	if len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		return headerValue(&strictjson.Document{}, strings.ReplaceAll(text[1:len(text)-1], "''", "'"), nil), nil
	}
	return value{}, fmt.Errorf("%q is neither a runtime expression nor true, false, null, a number or a 'string'", text)
}

var operators = []string{"==", "!=", "<=", ">=", "<", ">"}

// parseComparison splits "A op B". The operator needs spaces around it, as a JSON pointer may contain its characters.
func parseComparison(condition string) (left operand, op string, right operand, err error) {
	fields := splitOutsideQuotes(condition)
	if len(fields) != 3 {
		return left, "", right, fmt.Errorf("%q is not one comparison, such as $response.body#/status == $statusCode", condition)
	}
	op = fields[1]
	if !slices.Contains(operators, op) {
		return left, "", right, fmt.Errorf("unknown operator %q; use one of %s", op, strings.Join(operators, " "))
	}
	if left, err = parseOperand(fields[0]); err != nil {
		return left, "", right, err
	}
	right, err = parseOperand(fields[2])
	return left, op, right, err
}

func splitOutsideQuotes(s string) []string {
	quoted := false
	return strings.FieldsFunc(s, func(r rune) bool {
		if r == '\'' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
}

// template is a regular expression with runtime expressions in braces: texts[0] embedded[0] texts[1] ...
type template struct {
	texts    []string
	embedded []operand

	// Most patterns have only literal text between the values, so that no exchange needs a regular expression of its own.
	literals         []string // the texts without anchors and escapes; nil if one is not literal
	fromStart, toEnd bool     // the pattern is anchored
}

// findLiterals sets literals, fromStart and toEnd.
func (t *template) findLiterals() {
	literals := slices.Clone(t.texts)
	last := len(literals) - 1
	literals[0], t.fromStart = strings.CutPrefix(literals[0], "^")
	literals[last], t.toEnd = strings.CutSuffix(literals[last], "$")
	for i, text := range literals {
		pattern, err := regexp.Compile(text)
		if err != nil {
			return
		}
		prefix, complete := pattern.LiteralPrefix()
		if !complete {
			return
		}
		literals[i] = prefix
	}
	t.literals = literals
}

func parseTemplate(s string) (template, error) {
	var t template
	for {
		before, rest, found := strings.Cut(s, "{$")
		t.texts = append(t.texts, before)
		if !found {
			t.findLiterals()
			return t, nil
		}
		inside, after, closed := strings.Cut(rest, "}")
		if !closed {
			return t, fmt.Errorf("%q: unclosed brace", s)
		}
		o, err := parseOperand("$" + inside)
		if err != nil {
			return t, err
		}
		t.embedded = append(t.embedded, o)
		s = after
	}
}
