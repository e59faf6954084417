package conformance

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/internal/styles"
)

// operand is one side of a criterion's comparison: a runtime expression (OpenAPI 3.0.3, Link Object; Arazzo 1.0) or a
// literal.
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
	o := operand{text: text}
	switch {
	case text == "$statusCode":
		o.part = ResponseStatus
		return o, nil
	case text == "$url" || text == "$method":
		o.part = RequestPath
		return o, nil
	case strings.HasPrefix(text, "$"):
		return o, o.parse()
	}
	var err error
	o.literal, err = parseLiteral(text)
	return o, err
}

// parse reads an expression for a part of a message.
func (o *operand) parse() error {
	source, name, _ := strings.Cut(o.text, "#")
	if o.part = Part(source[1:]); o.part == RequestBody || o.part == ResponseBody {
		if name == "" || strings.HasPrefix(name, "/") {
			o.pointer, o.tokens = name, strictjson.SplitPointer(name)
			return nil
		}
	}
	for _, part := range []Part{RequestPath, RequestQuery, RequestHeader, ResponseHeader} {
		name, isPart := strings.CutPrefix(o.text, "$"+string(part)+".")
		if !isPart || name == "" {
			continue
		}
		if part == RequestHeader || part == ResponseHeader {
			name = http.CanonicalHeaderKey(name)
		}
		o.part, o.tokens, o.pointer = part, []string{name}, strictjson.Pointer(name)
		return nil
	}
	return fmt.Errorf("%s is not an expression for criteria; use $url, $method, $statusCode, $request.path.NAME, $request.query.NAME, "+
		"$request.header.NAME, $request.body#/POINTER, $response.header.NAME, $response.body#/POINTER", o.text)
}

// parseLiteral reads Arazzo's literals: true, false, null, a number, or a string in single quotes.
func parseLiteral(text string) (value, error) {
	if text == "true" || text == "false" || text == "null" || strictjson.IsNumber(text) {
		return strictjson.ParseValue([]byte(text))
	}
	if len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		return strictjson.ParseValue(styles.AppendString(nil, strings.ReplaceAll(text[1:len(text)-1], "''", "'")))
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
