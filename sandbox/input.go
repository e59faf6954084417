package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// input is the decoded body of a request.
type input struct {
	// values are the properties that a fault can have, as JSON. Strings remain as they were sent, because a [time.Time]
	// does not hold all the digits of a date-time.
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

// refuse adds a message about a value that no fault can have, and removes the value.
func (in *input) refuse(property, message string) {
	in.problem(property, message)
	delete(in.values, property)
}

// readInput decodes a body and checks it against the contract.
func readInput(body []byte) *input {
	in := &input{values: make(map[string]string, len(faultProperties))}
	sent := in.object(body)
	if in.problems["base"] != nil {
		return in
	}
	for i := range fleetioapi.FaultCreateFields {
		f := &fleetioapi.FaultCreateFields[i]
		raw, has := sent[f.Name]
		if has {
			in.values[f.Name] = raw
		}
		switch {
		case f.Required && (!has || raw == "null"):
			in.refuse(f.Name, "can't be blank")
		case !has:
		case raw == "null":
			in.refuse(f.Name, "can't be null")
		case f.Schema.Type == "integer":
			in.integer(f, raw)
		case f.Schema.Type == "string":
			in.string(f, raw)
		case f.Schema.Check([]byte(raw)) != nil:
			in.refuse(f.Name, "is invalid")
		}
	}
	return in
}

// object splits a body into the properties of its JSON object, also the unknown ones, which are ignored (page "Bulk
// API"). It refuses bodies about which JSON parsers disagree.
func (in *input) object(body []byte) map[string]string {
	sent := make(map[string]string, len(fleetioapi.FaultCreateFields))
	trimmed := strings.TrimLeft(string(body), space)
	switch {
	case trimmed == "":
		in.problem("base", "the body is empty")
	case !utf8.Valid(body):
		in.problem("base", "the body is not valid UTF-8")
	case !json.Valid(body):
		in.problem("base", "the body is not valid JSON")
	case trimmed[0] != '{':
		in.problem("base", "the body is not a JSON object")
	case hasLoneSurrogate(trimmed):
		in.problem("base", "the body has an escape of a lone surrogate")
	default:
		for name, value := range properties(trimmed) {
			if _, repeated := sent[name]; repeated && in.problems[name] == nil {
				in.problem(name, "is there more than once")
			}
			sent[name] = value
		}
	}
	return sent
}

const space = " \t\r\n" // of JSON

// properties returns the properties of a valid JSON object, also those with a repeated name, of which encoding/json
// returns only the last.
func properties(object string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		var name string
		depth, start := 0, 0 // start is the index of the current name or value
		for i := 0; i < len(object); i++ {
			switch c := object[i]; {
			case c == '"':
				for i++; object[i] != '"'; i++ {
					if object[i] == '\\' {
						i++
					}
				}
			case c == ':' && depth == 1:
				name, _ = unquote(strings.Trim(object[start:i], space))
				start = i + 1
			case (c == ',' || c == '}') && depth == 1:
				if value := strings.Trim(object[start:i], space); value != "" && !yield(name, value) {
					return
				}
				start = i + 1
			case c == '{' || c == '[':
				if depth++; depth == 1 {
					start = i + 1
				}
			case c == '}' || c == ']':
				depth--
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
func hasLoneSurrogate(valid string) bool {
	return strings.Contains(valid, `\u`) && surrogate.MatchString(harmless.ReplaceAllString(valid, ""))
}

func (in *input) string(f *fleetioapi.Field, raw string) {
	s, ok := unquote(raw)
	if !ok {
		in.refuse(f.Name, "must be a string")
		return
	}
	if f.Required && strings.TrimSpace(s) == "" {
		in.problem(f.Name, "can't be blank")
	}
	in.violations(f, raw)
	if f.Schema.Format == "date-time" && !isDateTime(s) {
		in.refuse(f.Name, "is not a date and time such as 2026-03-14T13:46:27-06:00")
	}
}

var dateTime = regexp.MustCompile(`^[0-9-]{10}T[0-9:]{8}(\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

// isDateTime reports whether s is a date-time (RFC 3339, section 5.6). [time.Parse] alone accepts more, such as an
// offset of a day.
func isDateTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil && dateTime.MatchString(s)
}

func (in *input) integer(f *fleetioapi.Field, raw string) {
	n, err := parseInteger(raw)
	in.values[f.Name] = strconv.FormatInt(n, 10)
	if err == nil || errors.Is(err, errTooBig) || errors.Is(err, errTooSmall) {
		in.violations(f, in.values[f.Name]) // the contract may have a narrower bound than 64 bits
	}
	if err != nil && in.problems[f.Name] == nil {
		in.refuse(f.Name, err.Error())
	}
}

// messages are those of a Rails validation for a violated keyword (page "Response Codes").
var messages = map[string]string{
	"minLength": "is too short (minimum is LIMIT characters)",
	"maxLength": "is too long (maximum is LIMIT characters)",
	"minimum":   "must be greater than or equal to LIMIT",
	"maximum":   "must be less than or equal to LIMIT",
	"enum":      "is not included in the list",
}

func (in *input) violations(f *fleetioapi.Field, raw string) {
	for _, v := range f.Schema.Check([]byte(raw)) {
		if v.Rule == "format" { // has messages of its own
			continue
		}
		message := strings.Replace(cmp.Or(messages[v.Rule], "is invalid"), "LIMIT", v.Limit, 1)
		// A response may have a string of any length, and echoes it if the failure accept is injected.
		if strings.HasSuffix(v.Rule, "Length") {
			in.problem(f.Name, message)
		} else {
			in.refuse(f.Name, message)
		}
	}
}

var (
	errNoNumber  = errors.New("is not a number")
	errNoInteger = errors.New("must be an integer")
	errTooBig    = errors.New("must be less than or equal to 9223372036854775807")
	errTooSmall  = errors.New("must be greater than or equal to -9223372036854775808")
)

// parseInteger parses a JSON value as an integer of 64 bits. As in JSON Schema, 3.0 and 3e2 are integers; these may
// have 15 digits, all of which a float64 can represent. If the value is out of range, it returns the nearest integer.
func parseInteger(raw string) (int64, error) {
	n, err := strconv.ParseInt(raw, 10, 64)
	if err == nil {
		return n, nil
	}
	f, notNumber := strconv.ParseFloat(raw, 64) // infinite and an error, beyond a float64; 0 below
	digits, _, _ := strings.Cut(strings.ToLower(raw), "e")
	switch large := errors.Is(err, strconv.ErrRange) || math.Abs(f) >= 1<<63; {
	case errors.Is(notNumber, strconv.ErrSyntax):
		return 0, errNoNumber
	case large && f > 0:
		return math.MaxInt64, errTooBig
	case large:
		return math.MinInt64, errTooSmall
	case f == 0 && strings.ContainsAny(digits, "123456789"), f != math.Trunc(f) || math.Abs(f) > 1<<53 || len(raw) > len("-.")+15:
		return 0, errNoInteger
	}
	return int64(f), nil
}
