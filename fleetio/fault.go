package fleetio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// faultProperties is a Fault that encoding/json encodes by its fields.
type faultProperties Fault

// String returns the fault as JSON.
func (f Fault) String() string { return asText(f.encode()) }

// MarshalJSON implements [json.Marshaler]. It encodes the properties in Extra after the others, unless they have the name of
// another one.
func (f Fault) MarshalJSON() ([]byte, error) { return f.encode() }

func (f *Fault) encode() ([]byte, error) {
	text, err := encode((*faultProperties)(f))
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(f.Extra)) {
		if _, isKnown := faultObject.fields[name]; isKnown {
			continue
		}
		property, err := encode(map[string]json.RawMessage{name: f.Extra[name]})
		if err != nil {
			return nil, fmt.Errorf("fleetio: the property %q in Extra is no JSON", name)
		}
		text = append(append(text[:len(text)-1], ','), property[1:]...)
	}
	return text, nil
}

// UnmarshalJSON implements [json.Unmarshaler]. It compares the names of properties exactly, and rejects repeated ones.
func (f *Fault) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	properties, extra, err := faultObject.decode(text)
	if err != nil {
		return fmt.Errorf("fleetio: the fault cannot be read: %w", err)
	}
	*f = Fault(*properties)
	f.Extra = extra
	return nil
}

// String returns the fault as JSON.
func (f FaultCreate) String() string { return asText(encode(fleetioapi.FaultCreate(f))) }

// encode returns JSON whose strings are not escaped for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// asText returns JSON, or why there is none.
func asText(text []byte, err error) string {
	if err != nil {
		return "no JSON: " + err.Error()
	}
	return string(text)
}
