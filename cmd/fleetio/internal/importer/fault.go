package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	faults "github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// problems are what a row has wrong, a text each, without the values.
type problems []string

// errorOf makes an error of them; nil where there are none.
func (p problems) errorOf(prefix string) error {
	if len(p) == 0 {
		return nil
	}
	return errors.New(prefix + strings.Join(p, "; "))
}

// FaultOfTexts makes a fault of texts by the names of its fields.
func FaultOfTexts(values map[string]string) (faults.FaultCreate, error) {
	fault, found := compose(values)
	return fault, found.errorOf("")
}

// FaultOfObject makes a fault of one JSON object.
func FaultOfObject(text []byte) (faults.FaultCreate, error) {
	fault, found := faultOfObject(text, Mapping{})
	return fault, found.errorOf("")
}

// compose makes a fault of texts by the names of its fields. It finds texts that are not of the field's type; the limits
// of the contract are for faults.Check.
func compose(values map[string]string) (faults.FaultCreate, problems) {
	var fault faults.FaultCreate
	var found problems
	members := map[string]any{}
	for i := range fleetioapi.FaultCreateFields {
		f := &fleetioapi.FaultCreateFields[i]
		text, has := values[f.Name]
		if !has {
			continue
		}
		switch {
		case !utf8.ValidString(text): // which encoding/json would make U+FFFD of
			found = append(found, f.Name+" is not valid UTF-8")
		case f.Type == "integer":
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				found = append(found, f.Name+" is no whole number of 64 bits")
			}
			members[f.Name] = n
		case f.Format == "date-time":
			var at time.Time
			if at.UnmarshalText([]byte(text)) != nil {
				found = append(found, f.Name+" is no time such as 2026-03-14T13:46:27-06:00 (RFC 3339)")
			}
			members[f.Name] = at
		default:
			members[f.Name] = text
		}
	}
	if found != nil {
		return fault, found
	}
	text, err := json.Marshal(members)
	if err == nil {
		err = json.Unmarshal(text, &fault)
	}
	if err != nil {
		return fault, problems{err.Error()}
	}
	return fault, nil
}

// faultOfObject makes a fault of one JSON object. Unlike encoding/json, it takes no member for another one that differs
// in case, no second member of one name, and no text that would not arrive as it stands. A null counts as absent.
func faultOfObject(text []byte, names Mapping) (faults.FaultCreate, problems) {
	var none faults.FaultCreate
	members, err := object(text)
	if err != nil {
		return none, problems{err.Error()}
	}
	values, from := map[string]string{}, map[string]string{}
	var found problems
	for _, m := range members {
		field, err := names.field(m.name)
		switch other, twice := from[field]; {
		case err != nil:
			found = append(found, err.Error())
			continue
		case field == "":
			continue
		case twice:
			found = append(found, fmt.Sprintf("%q and %q are both %s", other, m.name, field))
			continue
		}
		from[field] = m.name
		if string(m.value) == "null" {
			continue
		}
		if values[field], err = textOf(field, m.value); err != nil {
			found = append(found, err.Error())
		}
	}
	if found != nil {
		return none, found
	}
	return compose(values)
}

type member struct {
	name  string
	value json.RawMessage
}

// errNotJSON leaves out what encoding/json says, which depends on the release of Go.
var errNotJSON = errors.New("not valid JSON")

// object takes a JSON object apart.
func object(text []byte) ([]member, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("no JSON object")
	}
	var members []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errNotJSON
		}
		m := member{name: fmt.Sprint(name)}
		if d.Decode(&m.value) != nil {
			return nil, errNotJSON
		}
		members = append(members, m)
	}
	if _, err := d.Token(); err != nil {
		return nil, errNotJSON
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	return members, nil
}

// textOf returns the text of a value that is of the type that the field has in JSON.
func textOf(field string, value json.RawMessage) (string, error) {
	if typeOf(field) == "integer" {
		if c := value[0]; c != '-' && (c < '0' || c > '9') {
			return "", errors.New(field + " is no number")
		}
		return string(value), nil
	}
	if value[0] != '"' {
		return "", errors.New(field + " is no text")
	}
	if hasLoneSurrogate(value) {
		return "", errors.New(field + " has half a character: a lone surrogate")
	}
	var text string
	err := json.Unmarshal(value, &text)
	return text, err
}

func typeOf(field string) string {
	for i := range fleetioapi.FaultCreateFields {
		if fleetioapi.FaultCreateFields[i].Name == field {
			return fleetioapi.FaultCreateFields[i].Type
		}
	}
	return ""
}

// hasLoneSurrogate finds an escape in a valid JSON string that no character has alone (RFC 8259, section 8.2).
func hasLoneSurrogate(text []byte) bool {
	unit := func(at int) uint64 {
		if at+6 > len(text) || text[at] != '\\' || text[at+1] != 'u' {
			return 0
		}
		n, _ := strconv.ParseUint(string(text[at+2:at+6]), 16, 32)
		return n
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		switch n := unit(i); {
		case n>>10 == 0xD800>>10 && unit(i+6)>>10 == 0xDC00>>10:
			i += 11
		case n>>11 == 0xD800>>11:
			return true
		default:
			i++ // what is escaped may be a backslash
		}
	}
	return false
}
