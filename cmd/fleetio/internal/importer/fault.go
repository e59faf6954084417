package importer

import (
	"bytes"
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

// FieldNames lists the fields of a fault.
func FieldNames() string {
	var names []string
	for i := range fleetioapi.FaultCreateFields {
		names = append(names, fleetioapi.FaultCreateFields[i].Name)
	}
	return strings.Join(names, ", ")
}

func fieldOf(name string) *fleetioapi.Field {
	for i := range fleetioapi.FaultCreateFields {
		if f := &fleetioapi.FaultCreateFields[i]; f.Name == name {
			return f
		}
	}
	return nil
}

// FromTexts makes a fault from strings by field name, such as the cells of a row. It fails if one is not of the field's
// type; the limits of the contract are for [fleetio.Check].
func FromTexts(texts map[string]string) (fleetio.FaultCreate, error) {
	values := map[string][]byte{}
	for name, text := range texts {
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case !utf8.ValidString(text): // of which encoding/json would make U+FFFD
			values[name] = []byte(text)
		case err == nil && fieldOf(name).Schema.Type == "integer":
			values[name] = strconv.AppendInt(nil, n, 10)
		default:
			if values[name], err = json.Marshal(text); err != nil {
				return fleetio.FaultCreate{}, err
			}
		}
	}
	return fromValues(values, nil)
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
	for i := range fleetioapi.FaultCreateFields {
		f := &fleetioapi.FaultCreateFields[i]
		value, has := values[f.Name]
		if !has {
			continue
		}
		if !utf8.Valid(value) {
			problems = append(problems, f.Name+" is not valid UTF-8")
		} else if json.Unmarshal(fmt.Appendf(nil, "{%q:%s}", f.Name, value), &fault) != nil {
			problems = append(problems, f.Name+" is not "+typeName(f))
		}
	}
	if len(problems) > 0 {
		return fleetio.FaultCreate{}, errors.New(strings.Join(problems, "; "))
	}
	return fault, nil
}

func typeName(f *fleetioapi.Field) string {
	switch {
	case f.Schema.Type == "integer":
		return "a whole number of 64 bits"
	case f.Schema.Format == "date-time":
		return "a time such as 2026-03-14T13:46:27-06:00 (RFC 3339)"
	default:
		return "a string"
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
