package check

import (
	"encoding"
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// checkGo returns the violations by a Go value, of the JSON that encoding/json makes of it, and of what it cannot write or
// silently repairs. In an object of Go fields, a required one with the zero value counts as missing.
func (s *Schema) checkGo(value any) []Violation {
	var e encoder
	violations := s.check(e.value(reflect.ValueOf(value)))
	for _, v := range e.violations {
		if !slices.Contains(violations, Violation{Field: v.Field, Rule: "required"}) {
			violations = append(violations, v)
		}
	}
	return sorted(violations)
}

type (
	// unwritable stands for a Go value that has no JSON. The encoder has reported it.
	unwritable struct{}
	// zeroField is the zero value of a Go field, which may never have been set.
	zeroField struct{ value any }
)

// encoder makes of a Go value what [decode] makes of its JSON.
type encoder struct {
	at         path
	violations []Violation // by values that are unwritable
}

func (e *encoder) refuse(rule, limit string) any {
	e.violations = append(e.violations, e.at.violation(rule, limit))
	return unwritable{}
}

func (e *encoder) value(v reflect.Value) any {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		return nil
	}
	if t, isTime := reflect.TypeAssert[time.Time](v); isTime {
		return e.time(t)
	}
	if v.NumMethod() > 0 { // none of these is without; Interface would copy the value
		switch value := v.Interface().(type) {
		case interface{ content() any }: // Nullable
			return e.value(reflect.ValueOf(value.content()))
		case json.RawMessage:
			return e.raw(value, nil)
		case json.Marshaler, encoding.TextMarshaler:
			if !additional(v).IsValid() {
				return e.raw(json.Marshal(value))
			}
		}
	}
	switch v.Kind() {
	case reflect.String:
		return e.text(v.String())
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return json.Number(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return json.Number(strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32, reflect.Float64:
		if math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0) {
			return e.refuse("type", "number")
		}
		return json.Number(strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits()))
	case reflect.Slice, reflect.Array:
		return e.list(v)
	case reflect.Map:
		if v.IsNil() {
			return nil
		}
		object := map[string]any{}
		e.entries(object, v)
		return object
	case reflect.Struct:
		return e.object(v)
	default:
		return e.refuse("json", "")
	}
}

func (e *encoder) text(text string) any {
	if !utf8.ValidString(text) {
		return e.refuse("unicode", "")
	}
	return text
}

// time refuses a time that was never set, and one that RFC 3339 cannot express: its year does not have four digits, or its
// offset from UTC has seconds, as in some zones of the 19th century, or is a day or more.
func (e *encoder) time(t time.Time) any {
	_, offset := t.Zone()
	if t.IsZero() || t.Year() < 0 || t.Year() > 9999 || offset%60 != 0 || offset <= -24*60*60 || offset >= 24*60*60 {
		return e.refuse("format", "date-time")
	}
	return t.Format(time.RFC3339Nano)
}

func (e *encoder) raw(text []byte, err error) any {
	if err == nil && len(text) == 0 {
		return nil
	}
	if !utf8.Valid(text) {
		return e.refuse("unicode", "")
	}
	value, invalid := decode(text)
	if err != nil || invalid != nil {
		return e.refuse("json", "")
	}
	return value
}

func (e *encoder) list(v reflect.Value) any {
	if v.Kind() == reflect.Slice && v.IsNil() {
		return nil
	}
	if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
		return base64.StdEncoding.EncodeToString(v.Bytes())
	}
	list := make([]any, v.Len())
	for i := range list {
		e.at = append(e.at, strconv.Itoa(i))
		list[i] = e.value(v.Index(i))
		e.at = e.at.parent()
	}
	return list
}

// entries adds the entries of a map to an object.
func (e *encoder) entries(object map[string]any, v reflect.Value) {
	for entry := v.MapRange(); entry.Next(); {
		name := entry.Key().String()
		e.at = append(e.at, strings.ToValidUTF8(name, "\ufffd"))
		if !utf8.ValidString(name) {
			e.refuse("unicode", "")
		}
		object[name] = e.value(entry.Value())
		e.at = e.at.parent()
	}
}

// additional returns the map of the other properties that the generator puts into a struct; the zero Value if there is none.
func additional(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Struct {
		if f, has := v.Type().FieldByName("AdditionalProperties"); has && f.Tag.Get("json") == "-" {
			return v.FieldByIndex(f.Index)
		}
	}
	return reflect.Value{}
}

func (e *encoder) object(v reflect.Value) any {
	object := map[string]any{}
	for i := range v.NumField() {
		field := v.Field(i)
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if name == "" || name == "-" || strings.Contains(options, "omitempty") && isEmpty(field) ||
			strings.Contains(options, "omitzero") && isZero(field) {
			continue
		}
		e.at = append(e.at, name)
		value := e.value(field)
		e.at = e.at.parent()
		_, isTime := reflect.TypeAssert[time.Time](field)
		if isZero(field) && field.Kind() != reflect.Bool && (isTime || field.Kind() != reflect.Struct) {
			value = zeroField{value}
		}
		object[name] = value
	}
	if other := additional(v); other.IsValid() {
		e.entries(object, other)
	}
	return object
}

// isEmpty reports whether the JSON option omitempty leaves a value out.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}

// isZero reports whether the JSON option omitzero leaves a value out.
func isZero(v reflect.Value) bool {
	if z, has := reflect.TypeAssert[interface{ IsZero() bool }](v); has && v.Kind() == reflect.Struct {
		return z.IsZero()
	}
	return v.IsZero()
}
