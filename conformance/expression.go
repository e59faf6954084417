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
	part    Part   // where the value is found; "" for a literal
	pointer string // JSON pointer into that part
	tokens  []string
	literal value
	schema  *schema // of the place, nil where there is none
}

// statusPart stands for $statusCode: the one expression whose value is not in a header or a body.
const statusPart = ResponseStatus

func parseOperand(text string) (operand, error) {
	o := operand{text: text}
	switch {
	case text == "$statusCode":
		o.part = statusPart
		return o, nil
	case strings.HasPrefix(text, "$request."):
		err := parseMessage(&o, text[len("$request."):], RequestHeader, RequestBody)
		return o, err
	case strings.HasPrefix(text, "$response."):
		err := parseMessage(&o, text[len("$response."):], ResponseHeader, ResponseBody)
		return o, err
	case strings.HasPrefix(text, "$"):
		return o, fmt.Errorf("%s is no expression that a criterion can use: $statusCode, $request.header.NAME, "+
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

// operators, longest first, so that <= is not read as <.
var operators = []string{"==", "!=", "<=", ">=", "<", ">"}

// parseComparison splits "A op B". Operators must stand between spaces, as a JSON pointer may hold any of their bytes.
func parseComparison(condition string) (left operand, op string, right operand, err error) {
	fields := splitOutsideQuotes(condition)
	if len(fields) != 3 {
		return left, "", right, fmt.Errorf("%q is not one comparison, such as $response.body#/status == $statusCode", condition)
	}
	op = fields[1]
	known := false
	for _, o := range operators {
		known = known || o == op
	}
	if !known {
		return left, "", right, fmt.Errorf("%q is no operator; there are %s", op, strings.Join(operators, " "))
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

	// Most patterns are plain text between the values, so that no regular expression has to be made for each exchange.
	literals         []string // nil for others; without the anchors
	fromStart, toEnd bool
}

// findLiterals notes the texts of a pattern that are literal.
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
			return t, fmt.Errorf("%q: a brace is not closed", s)
		}
		o, err := parseOperand("$" + inside)
		if err != nil {
			return t, err
		}
		t.embedded = append(t.embedded, o)
		s = after
	}
}
