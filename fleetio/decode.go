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

// The objects that a response can have as its body.
var (
	faultObject            = newObjectReader[Fault]()
	problemObject          = newObjectReader[Problem]()
	validationErrorsObject = newObjectReader[fleetioapi.ValidationErrors]()
)

// decodeFault decodes the fault of a 201. After an error, which names the property but no value, it returns the
// properties that could be decoded; nil if none could, or if the response is about another fault.
//
// The contract allows vehicle_id to be null. Then only the code identifies the fault.
func (c *call) decodeFault(body []byte) (*Fault, error) {
	fault, err := faultObject.decode(body)
	vehicle, isKnown := fault.VehicleID.Get()
	switch {
	case isKnown && vehicle != c.fault.VehicleID || fault.Code != "" && fault.Code != c.fault.Code:
		return nil, errors.New("the response is about another fault, as vehicle_id or code is not what was sent: " +
			"find the id in Fleetio")
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

// objectReader reads JSON objects as a T. It compares the names of properties exactly, and rejects a repeated one:
// encoding/json ignores case, and uses the last. It ignores properties that T lacks, because the service may add some
// at any time.
type objectReader[T any] struct {
	fields map[string]int // name to index in T
}

func newObjectReader[T any]() objectReader[T] {
	fields, t := map[string]int{}, reflect.TypeFor[T]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields[name] = i
	}
	return objectReader[T]{fields}
}

// decode decodes an object. After an error, which names the first property that is wrong, it returns the others.
func (o objectReader[T]) decode(body []byte) (*T, error) {
	object := new(T)
	if json.Unmarshal(body, object) == nil && o.isExact(body) {
		return object, nil
	}
	return o.decodeProperties(body)
}

// isExact reports whether encoding/json decodes valid JSON exactly: whether it is an object, and each property is one
// of T and occurs once. Responses that conform to the contract then need no slower decoding.
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

// decodeProperties decodes an object one property at a time, up to the end of a truncated body, and skips properties
// that are wrong.
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
		// Without one of these behind it, the value may be the first digits of a truncated number.
		rest := bytes.TrimLeft(body[d.InputOffset():], " \t\r\n")
		if !bytes.HasPrefix(rest, []byte(",")) && !bytes.HasPrefix(rest, []byte("}")) {
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
