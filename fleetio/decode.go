package fleetio

import (
	"bytes"
	"cmp"
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
	faultObject            = newObjectReader[faultProperties]()
	pageObject             = newObjectReader[faultPage]()
	problemObject          = newObjectReader[Problem]()
	validationErrorsObject = newObjectReader[fleetioapi.ValidationErrors]()
)

// decodeFault decodes a fault. After an error, which names the property but no value, it returns the properties that
// could be decoded.
func decodeFault(body []byte) (*Fault, error) {
	properties, extra, err := faultObject.decode(body)
	fault := (*Fault)(properties)
	fault.Extra = extra
	switch {
	case !utf8.Valid(body):
		err = errors.New("its body is not valid UTF-8")
	case err == nil:
		err = fault.identify()
	}
	return fault, err
}

// identify fails if a fault lacks what each one has.
func (f *Fault) identify() error {
	switch {
	case f.ID < 1:
		return errors.New("its property id is missing or no id")
	case f.VehicleID.IsZero():
		return errors.New("its property vehicle_id is missing")
	case f.Code == "":
		return errors.New("its property code is missing")
	default:
		return nil
	}
}

// objectReader reads JSON objects as a T. It compares the names of properties exactly, and rejects a repeated one:
// encoding/json ignores case, and uses the last. It returns the properties that T lacks, because the service may add some
// at any time.
type objectReader[T any] struct {
	fields map[string]int // name to index in T
	size   int            // number of fields of T
}

func newObjectReader[T any]() objectReader[T] {
	fields, t := map[string]int{}, reflect.TypeFor[T]()
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "-" {
			fields[name] = i
		}
	}
	return objectReader[T]{fields, t.NumField()}
}

// decode decodes an object. After an error, which names the first property that is wrong, it returns the others.
func (o objectReader[T]) decode(body []byte) (*T, map[string]json.RawMessage, error) {
	object := new(T)
	if json.Unmarshal(body, object) == nil && o.isExact(body) {
		return object, nil, nil
	}
	return o.decodeProperties(body)
}

// isExact reports whether encoding/json decodes valid JSON exactly: whether it is an object, and each property is one
// of T and occurs once. Responses that conform to the contract then need no slower decoding.
func (o objectReader[T]) isExact(body []byte) bool {
	visited := make([]bool, o.size)
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
func (o objectReader[T]) decodeProperties(body []byte) (object *T, extra map[string]json.RawMessage, err error) {
	object = new(T)
	d := json.NewDecoder(bytes.NewReader(body))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return object, nil, errors.New("its body is no JSON object")
	}
	errCut := errors.New("its body is cut off or no JSON")
	visited := make([]bool, o.size)
	for d.More() {
		var value json.RawMessage
		token, failed := d.Token()
		name, isString := token.(string)
		if failed != nil || !isString || d.Decode(&value) != nil {
			return object, extra, errors.Join(err, errCut)
		}
		// Without one of these behind it, the value may be the first digits of a truncated number.
		rest := bytes.TrimLeft(body[d.InputOffset():], " \t\r\n")
		if !bytes.HasPrefix(rest, []byte(",")) && !bytes.HasPrefix(rest, []byte("}")) {
			return object, extra, errors.Join(err, errCut)
		}
		i, isKnown := o.fields[name]
		if !isKnown {
			if extra == nil {
				extra = map[string]json.RawMessage{}
			}
			extra[name] = value
			continue
		}
		field := reflect.ValueOf(object).Elem().Field(i)
		failed = nil
		switch {
		case visited[i]:
			failed = fmt.Errorf("its property %s is repeated", name)
		case json.Unmarshal(value, field.Addr().Interface()) != nil:
			failed = fmt.Errorf("its property %s cannot be read", name)
		}
		visited[i] = true
		if failed != nil {
			field.SetZero()
			err = cmp.Or(err, failed)
		}
	}
	if _, failed := d.Token(); failed != nil && err == nil {
		return object, extra, errCut
	}
	if _, failed := d.Token(); !errors.Is(failed, io.EOF) && err == nil {
		err = errors.New("its body has something after the JSON object")
	}
	return object, extra, err
}
