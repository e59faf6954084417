package sandbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"iter"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// input is the decoded body of a request.
type input struct {
	// values are the properties of the body, as JSON. They remain as they were sent, because a Go value does not hold all
	// digits of a number or a date-time.
	values map[string]string
	// problems are the messages of the 422, by property; nil for none.
	problems map[string][]string
}

// problem adds a message.
func (in *input) problem(property, message string) {
	if in.problems == nil {
		in.problems = map[string][]string{}
	}
	in.problems[property] = append(in.problems[property], message)
}

// readInput decodes a body and checks it against its schema.
func readInput(schema *fleetioapi.Schema, body []byte) *input {
	in := &input{values: map[string]string{}}
	in.object(body)
	if in.problems["base"] != nil {
		return in
	}
	fields := schema.Fields()
	for _, v := range schema.Check(body) {
		rule := v.Rule
		if rule == "nullable" && slices.ContainsFunc(fields, func(f fleetioapi.Field) bool { return f.Required && f.Name == v.Field }) {
			rule = "required"
		}
		in.problem(cmp.Or(v.Field, "base"), message(rule, v.Limit))
	}
	for _, f := range fields {
		s, isString := unquote(in.values[f.Name])
		switch {
		case isString && f.Required && strings.TrimSpace(s) == "": // as a Rails validation of presence
			in.problem(f.Name, message("required", ""))
		case isString && f.Schema.Typed().Format == "date-time" && in.problems[f.Name] == nil:
			if _, err := time.Parse(time.RFC3339, s); err != nil { // a leap second, which Go clients cannot decode
				in.problem(f.Name, message("format", "date-time"))
			}
		case in.values[f.Name] != "" && f.Schema.Typed().Type == "integer":
			in.values[f.Name] = integer(in.values[f.Name])
		}
	}
	return in
}

// integer rewrites a number such as 3.0 or 3e2, which JSON Schema calls an integer and Go cannot decode into one. It
// returns other values, and those beyond 2^53, unchanged.
func integer(raw string) string {
	if f, err := strconv.ParseFloat(raw, 64); err == nil && strings.ContainsAny(raw, ".eE") && math.Abs(f) < 1<<53 && f == math.Trunc(f) {
		return strconv.FormatInt(int64(f), 10)
	}
	return raw
}

// object splits a body into the properties of its JSON object, also the unknown ones, which are ignored (page "Bulk
// API"). It refuses bodies about which JSON parsers disagree.
func (in *input) object(body []byte) {
	switch text := bytes.TrimLeft(body, " \t\r\n"); {
	case len(text) == 0:
		in.problem("base", "the body is empty")
	case !utf8.Valid(text):
		in.problem("base", "the body is not valid UTF-8")
	case !json.Valid(body):
		in.problem("base", "the body is not valid JSON")
	case hasLoneSurrogate(text):
		in.problem("base", "the body has an escape of a lone surrogate")
	case text[0] == '{':
		for name, value := range properties(text) {
			if _, repeated := in.values[name]; repeated && in.problems[name] == nil {
				in.problem(name, "is there more than once")
			}
			in.values[name] = value
		}
	}
}

// properties returns the properties of a valid JSON object, also those with a repeated name, of which [json.Unmarshal]
// returns only the last.
func properties(object []byte) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		d := json.NewDecoder(bytes.NewReader(object))
		_, _ = d.Token() // no error occurs, as the JSON is valid
		for d.More() {
			name, _ := d.Token()
			var value json.RawMessage
			if _ = d.Decode(&value); !yield(name.(string), string(value)) { //nolint:forcetypeassert // a name is a string
				return
			}
		}
	}
}

// unquote decodes a valid JSON value; false if it is not a string. Strings without an escape, the usual ones, need no
// decoder.
func unquote(raw string) (string, bool) {
	if !strings.HasPrefix(raw, `"`) {
		return "", false
	}
	if !strings.Contains(raw, `\`) {
		return raw[1 : len(raw)-1], true
	}
	var s string
	err := json.Unmarshal([]byte(raw), &s)
	return s, err == nil
}

var (
	// harmless matches the escapes that can be mistaken for a lone surrogate: those of a backslash, and surrogate pairs.
	harmless  = regexp.MustCompile(`(?i)\\\\|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}`)
	surrogate = regexp.MustCompile(`(?i)\\ud[89a-f]`)
)

// hasLoneSurrogate reports whether valid JSON has a \u escape of a lone surrogate (RFC 8259, section 8.2), which
// encoding/json replaces by U+FFFD.
func hasLoneSurrogate(valid []byte) bool {
	return bytes.Contains(valid, []byte(`\u`)) && surrogate.Match(harmless.ReplaceAll(valid, nil))
}

// messages are those of a Rails validation for a violated keyword (page "Response Codes"), some of them by the value of
// the keyword.
var messages = map[string]string{
	"required":             "can't be blank",
	"nullable":             "can't be null",
	"type string":          "must be a string",
	"type integer":         "must be an integer",
	"type number":          "is not a number",
	"type boolean":         "must be true or false",
	"type array":           "must be a list",
	"type object":          "must be an object",
	"format date-time":     "is not a date and time such as 2026-03-14T13:46:27-06:00",
	"format":               "is not a valid LIMIT",
	"minLength":            "is too short (minimum is LIMIT characters)",
	"maxLength":            "is too long (maximum is LIMIT characters)",
	"minItems":             "is too short (minimum is LIMIT items)",
	"maxItems":             "is too long (maximum is LIMIT items)",
	"uniqueItems":          "has equal items",
	"minimum":              "must be greater than or equal to LIMIT",
	"maximum":              "must be less than or equal to LIMIT",
	"exclusiveMinimum":     "must be greater than LIMIT",
	"exclusiveMaximum":     "must be less than LIMIT",
	"multipleOf":           "must be a multiple of LIMIT",
	"enum":                 "is not included in the list",
	"readOnly":             "is read-only",
	"additionalProperties": "is not a known property",
}

// message returns the message for a violated keyword.
func message(rule, limit string) string {
	return strings.Replace(cmp.Or(messages[rule+" "+limit], messages[rule], "is invalid"), "LIMIT", limit, 1)
}
