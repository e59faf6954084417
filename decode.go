package fleetio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// decodeFault reads the fault that was created. Members that this version does not know are left out, as the service may
// add some at any time. The error names the member that is at fault, but no value.
func decodeFault(body []byte) (*Fault, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("its body is not valid UTF-8")
	}
	fault := new(Fault)
	if json.Unmarshal(body, fault) != nil {
		_, err := members(body)
		return nil, err
	}
	if fault.ID < 1 {
		return nil, errors.New("its member id is missing or no id")
	}
	return fault, nil
}

// salvage returns what can be read of a fault; nil where that is nothing.
func salvage(body []byte) *Fault {
	fault, _ := members(body)
	if fault == (Fault{}) {
		return nil
	}
	return &fault
}

// members reads an object member by member, up to where it is cut off, and leaves out what cannot be read. The error is
// about the first such member.
func members(body []byte) (Fault, error) {
	var fault Fault
	var first error
	d := json.NewDecoder(bytes.NewReader(body))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return fault, errors.New("its body is no JSON object")
	}
	for d.More() {
		var value json.RawMessage
		token, err := d.Token()
		name, isText := token.(string)
		if err != nil || !isText || d.Decode(&value) != nil {
			return fault, errors.Join(first, errors.New("its body is cut off or no JSON"))
		}
		member, err := json.Marshal(map[string]json.RawMessage{name: value})
		if err != nil {
			return fault, errors.Join(first, err)
		}
		read := fault
		if json.Unmarshal(member, &read) == nil {
			fault = read
		} else if first == nil {
			first = fmt.Errorf("its member %s cannot be read", short(name))
		}
	}
	if _, err := d.Token(); err != nil && first == nil {
		return fault, errors.New("its body is cut off or no JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) && first == nil {
		return fault, errors.New("its body has something after the JSON object")
	}
	return fault, first
}
