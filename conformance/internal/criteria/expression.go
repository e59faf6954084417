package criteria

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// Expression is one side of a comparison: a runtime expression (OpenAPI 3.0.3, Link Object; Arazzo 1.0) or a literal.
type Expression struct {
	Text    string
	Part    string // of the exchange that holds the value, such as request.body; "" for a literal
	Pointer string // JSON pointer into that part
	Tokens  []string
	Literal strictjson.Value
}

// parseExpression reads an expression or a literal.
func parseExpression(text string) (Expression, error) {
	e := Expression{Text: text}
	switch {
	case text == "$statusCode":
		e.Part = "response.status"
		return e, nil
	case text == "$url" || text == "$method":
		e.Part = "request.path"
		return e, nil
	case strings.HasPrefix(text, "$"):
		return e, e.parse()
	}
	var err error
	e.Literal, err = parseLiteral(text)
	return e, err
}

// parse reads an expression for a part of a message.
func (e *Expression) parse() error {
	source, name, _ := strings.Cut(e.Text, "#")
	if e.Part = source[1:]; e.Part == "request.body" || e.Part == "response.body" {
		if name == "" || strings.HasPrefix(name, "/") {
			e.Pointer, e.Tokens = name, strictjson.SplitPointer(name)
			return nil
		}
	}
	for _, part := range []string{"request.path", "request.query", "request.header", "response.header"} {
		name, isPart := strings.CutPrefix(e.Text, "$"+part+".")
		if !isPart || name == "" {
			continue
		}
		if strings.HasSuffix(part, "header") {
			name = http.CanonicalHeaderKey(name)
		}
		e.Part, e.Tokens, e.Pointer = part, []string{name}, strictjson.Pointer(name)
		return nil
	}
	return fmt.Errorf("%s is not an expression for criteria; use $url, $method, $statusCode, $request.path.NAME, $request.query.NAME, "+
		"$request.header.NAME, $request.body#/POINTER, $response.header.NAME, $response.body#/POINTER", e.Text)
}

// parseLiteral reads Arazzo's literals: true, false, null, a number, or a string in single quotes.
func parseLiteral(text string) (strictjson.Value, error) {
	if text == "true" || text == "false" || text == "null" || strictjson.IsNumber(text) {
		return strictjson.ParseValue([]byte(text))
	}
	if len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		return strictjson.ParseValue(strictjson.AppendString(nil, []byte(strings.ReplaceAll(text[1:len(text)-1], "''", "'"))))
	}
	return strictjson.Value{}, fmt.Errorf("%q is neither a runtime expression nor true, false, null, a number or a 'string'", text)
}

var operators = []string{"==", "!=", "<=", ">=", "<", ">"}

// parseComparison reads "A op B". The operator needs spaces around it, as a JSON pointer may contain its characters.
func parseComparison(condition string) (left Expression, op string, right Expression, err error) {
	fields := splitOutsideQuotes(condition)
	if len(fields) != 3 {
		return left, "", right, fmt.Errorf("%q is not one comparison, such as $response.body#/status == $statusCode", condition)
	}
	if op = fields[1]; !slices.Contains(operators, op) {
		return left, "", right, fmt.Errorf("unknown operator %q; use one of %s", op, strings.Join(operators, " "))
	}
	if left, err = parseExpression(fields[0]); err == nil {
		right, err = parseExpression(fields[2])
	}
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
