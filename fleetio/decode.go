package fleetio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// What the client reads of a response.
var (
	faultObject            = newObjectReader[Fault]()
	problemObject          = newObjectReader[Problem]()
	validationErrorsObject = newObjectReader[fleetioapi.ValidationErrors]()
)

// decodeFault reads the fault that was created. The error names the property that is at fault, but no value. The fault is
// then what could be read of it, nil where that is nothing, or where it is the fault of another call.
//
// The contract lets vehicle_id be null. Then the code alone tells whose response it is.
func (c *call) decodeFault(body []byte) (*Fault, error) {
	fault, err := faultObject.decode(body)
	vehicle, isKnown := fault.VehicleID.Get()
	switch {
	case isKnown && vehicle != c.fault.VehicleID || fault.Code != "" && fault.Code != c.fault.Code:
		return nil, errors.New("the response is about another fault, as vehicle_id or code is not what was sent: find the id in Fleetio")
	case !utf8.Valid(body):
		err = errors.New("its body is not valid UTF-8")
	case err != nil:
	case fault.ID < 1:
		err = errors.New("its property id is missing or no id")
	case fault.VehicleID.IsZero():
		err = errors.New("its property vehicle_id is missing")
	case fault.Code == "":
		err = errors.New("its property code is missing")
	}
	if *fault == (Fault{}) {
		fault = nil
	}
	return fault, err
}

// objectReader reads JSON objects as a T. It compares the names of properties exactly, and believes none that repeats a
// name: encoding/json ignores case, and takes the last. A property that T does not have is ignored, as the service may add
// some at any time.
type objectReader[T any] struct {
	fields map[string]int // the index in T by name
}

func newObjectReader[T any]() objectReader[T] {
	fields, t := map[string]int{}, reflect.TypeFor[T]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields[name] = i
	}
	return objectReader[T]{fields}
}

// decode returns the object, or as much of it as can be read and an error that names the first property that cannot.
func (o objectReader[T]) decode(body []byte) (*T, error) {
	object := new(T)
	if json.Unmarshal(body, object) == nil && o.isExact(body) {
		return object, nil
	}
	return o.decodeProperties(body)
}

// isExact reports whether valid JSON is an object of which encoding/json makes what is meant: each property is one of T,
// and there once. It saves a response as the contract has it the slower way.
func (o objectReader[T]) isExact(body []byte) bool {
	visited := make([]bool, len(o.fields))
	depth, isName := 0, false
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '{', '[':
			depth++
			isName = true
		case '}', ']':
			depth--
		case ',':
			isName = true
		case ':':
			isName = false
		case '"':
			start := i + 1
			for i = start; body[i] != '"'; i++ {
				if body[i] == '\\' {
					i++
				}
			}
			if depth != 1 || !isName {
				continue
			}
			field, isKnown := o.fields[string(body[start:i])]
			if !isKnown || visited[field] {
				return false
			}
			visited[field] = true
		}
	}
	return slices.Contains(visited, true)
}

// decodeProperties reads an object one property at a time, up to where it is cut off, and leaves out what cannot be read.
func (o objectReader[T]) decodeProperties(body []byte) (*T, error) {
	object := new(T)
	d := json.NewDecoder(bytes.NewReader(body))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return object, errors.New("its body is no JSON object")
	}
	var first error
	visited := make([]bool, len(o.fields))
	for d.More() {
		var value json.RawMessage
		token, err := d.Token()
		name, isString := token.(string)
		if err != nil || !isString || d.Decode(&value) != nil {
			return object, errors.Join(first, errors.New("its body is cut off or no JSON"))
		}
		// What ends in another way may be the first digits of a number.
		if end := bytes.TrimLeft(body[d.InputOffset():], " \t\r\n"); !bytes.HasPrefix(end, []byte(",")) && !bytes.HasPrefix(end, []byte("}")) {
			return object, errors.Join(first, errors.New("its body is cut off or no JSON"))
		}
		i, isKnown := o.fields[name]
		if !isKnown {
			continue
		}
		field := reflect.ValueOf(object).Elem().Field(i)
		switch {
		case visited[i]:
			err = fmt.Errorf("its property %s is repeated", name)
		case json.Unmarshal(value, field.Addr().Interface()) != nil:
			err = fmt.Errorf("its property %s cannot be read", name)
		}
		visited[i] = true
		if err != nil {
			field.SetZero()
			if first == nil {
				first = err
			}
		}
	}
	if _, err := d.Token(); err != nil && first == nil {
		return object, errors.New("its body is cut off or no JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) && first == nil {
		return object, errors.New("its body has something after the JSON object")
	}
	return object, first
}
