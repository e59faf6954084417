package importer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// Fields returns the properties of a fault that a caller can send, sorted by name.
func Fields() []fleetioapi.Field {
	return slices.DeleteFunc(slices.Clone(fleetioapi.FaultCreateFields), func(f fleetioapi.Field) bool { return f.Schema.ReadOnly })
}

// FieldNames lists the fields of a fault.
func FieldNames() string {
	var names []string
	for _, f := range Fields() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

func fieldOf(name string) *fleetioapi.Field {
	for _, f := range Fields() {
		if f.Name == name {
			return &f
		}
	}
	return nil
}

// FromTexts makes a fault from strings by field name, such as the cells of a row. A list has a string for each item, or one
// string with all of them: a JSON array, or items with commas between them. Objects and other fields without a type in the
// contract are JSON, and null is the word null. It fails if a string is not of the field's type; the limits of the
// contract are for [fleetio.Check].
func FromTexts(texts map[string][]string) (fleetio.FaultCreate, error) {
	values := map[string][]byte{}
	for name, list := range texts {
		values[name] = toJSON(fieldOf(name).Schema, list)
	}
	return fromValues(values, nil)
}

// toJSON returns the strings of a field as JSON. What is not of the type becomes a string, which fromValues rejects.
func toJSON(s *fleetioapi.Schema, texts []string) []byte {
	s = s.Typed()
	text := strings.Join(texts, "")
	switch {
	case !utf8.ValidString(text): // of which encoding/json would make U+FFFD
		return []byte(text)
	case text == "null" && s.Nullable:
		return []byte(text)
	case s.Type == "integer":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return strconv.AppendInt(nil, n, 10)
		}
	case s.Type == "array" && (len(texts) > 1 || !strings.HasPrefix(strings.TrimSpace(text), "[") || !json.Valid([]byte(text))):
		if len(texts) == 1 {
			texts = strings.Split(text, ",")
		}
		items := make([][]byte, len(texts))
		for i, item := range texts {
			items[i] = toJSON(cmp.Or(s.Items, &fleetioapi.Schema{}), []string{item})
		}
		return slices.Concat([]byte("["), bytes.Join(items, []byte(",")), []byte("]"))
	case s.Type != "string" && json.Valid([]byte(text)):
		return []byte(text)
	}
	quoted, _ := json.Marshal(text) //nolint:errchkjson // a string always has a JSON form
	return quoted
}

// FromJSON makes a fault from a JSON object. Unlike encoding/json, it matches the case of names, and rejects repeated
// names and strings that encoding/json would change. A null counts as absent.
func (m Mapping) FromJSON(text []byte) (fleetio.FaultCreate, error) {
	var none fleetio.FaultCreate
	notJSON := errors.New("not valid JSON") // without what encoding/json says, which depends on the release of Go
	if !utf8.Valid(text) {
		return none, errors.New("not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return none, errors.New("not a JSON object")
	}
	values, propertyOf := map[string][]byte{}, map[string]string{}
	var problems []string
	for d.More() {
		var value json.RawMessage
		token, err := d.Token()
		if err != nil || d.Decode(&value) != nil {
			return none, notJSON
		}
		property, _ := token.(string)
		field, err := m.field(property)
		switch other, duplicate := propertyOf[field]; {
		case err != nil:
			problems = append(problems, err.Error())
		case field == "":
		case duplicate:
			problems = append(problems, fmt.Sprintf("%q and %q are both %s", other, property, field))
		case hasLoneSurrogate(value):
			problems = append(problems, field+" has a lone surrogate, which is half a character")
		default:
			values[field], propertyOf[field] = value, property
		}
	}
	if _, err := d.Token(); err != nil {
		return none, notJSON
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return none, errors.New("text after the JSON object")
	}
	return fromValues(values, problems)
}

// fromValues makes a fault from the JSON values of its fields. No error contains a value.
func fromValues(values map[string][]byte, problems []string) (fleetio.FaultCreate, error) {
	var fault fleetio.FaultCreate
	for _, f := range Fields() {
		if value, has := values[f.Name]; has {
			problems = append(problems, setField(&fault, &f, value)...)
		}
	}
	if len(problems) > 0 {
		return fleetio.FaultCreate{}, errors.New(strings.Join(problems, "; "))
	}
	return fault, nil
}

// setField sets a field, and returns why it cannot.
func setField(fault *fleetio.FaultCreate, f *fleetioapi.Field, value []byte) (problems []string) {
	if !utf8.Valid(value) {
		return []string{f.Name + " is not valid UTF-8"}
	}
	object := fmt.Appendf(nil, "{%q:%s}", f.Name, value)
	strict := json.NewDecoder(bytes.NewReader(object))
	strict.DisallowUnknownFields() // of objects in it, which encoding/json would lose
	if json.Unmarshal(object, fault) == nil {
		if strict.Decode(fault) != nil {
			return []string{f.Name + " has a property that the API does not have"}
		}
		return nil
	}
	for _, v := range f.Schema.Check(value) {
		if v.Field != "" { // within a list or an object
			v.Field = f.Name + "/" + v.Field
			problems = append(problems, v.String())
		}
	}
	if problems == nil {
		problems = []string{f.Name + " is not " + typeName(f.Schema.Typed())}
	}
	return problems
}

func typeName(s *fleetioapi.Schema) string {
	switch {
	case s.Type == "integer":
		return "a whole number of " + cmp.Or(strings.TrimPrefix(s.Format, "int"), "64") + " bits"
	case s.Type == "boolean":
		return "true or false"
	case s.Type == "array":
		return "a list"
	case s.Type == "object":
		return "a JSON object"
	case s.Format == "date-time":
		return "a time such as 2026-03-14T13:46:27-06:00 (RFC 3339)"
	default:
		return "a " + cmp.Or(s.Type, "JSON value")
	}
}

// surrogates matches an escaped backslash, an escaped surrogate pair and, as its group, an escaped lone surrogate (RFC
// 8259, section 8.2).
var surrogates = regexp.MustCompile(`\\\\|(?i:\\ud[89ab]..\\ud[c-f]..)|(?i:(\\ud[89a-f]..))`)

// hasLoneSurrogate reports whether a valid JSON value has an escape of a lone surrogate, which encoding/json replaces
// by U+FFFD.
func hasLoneSurrogate(value []byte) bool {
	return slices.ContainsFunc(surrogates.FindAllSubmatch(value, -1), func(match [][]byte) bool { return match[1] != nil })
}
