package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
)

// operationAt returns the operation of the contract with a method and a pattern. It must have one.
func operationAt(method, pattern string) *fleetioserver.Operation {
	i := slices.IndexFunc(fleetioserver.Operations, func(o fleetioserver.Operation) bool { return o.Method == method && o.Pattern == pattern })
	return &fleetioserver.Operations[i]
}

// documents reports whether an operation has a response with a status in the contract.
func documents(o *fleetioserver.Operation, status int) bool {
	return slices.Contains(o.Statuses, strconv.Itoa(status))
}

// permissionFor returns the permission that an operation needs, which depends on whether its method is safe (RFC 9110,
// section 9.2.1).
func permissionFor(o *fleetioserver.Operation) Permission {
	if o.Method == http.MethodGet || o.Method == http.MethodHead {
		return ReadFaults
	}
	return CreateFaults
}

// object writes the objects of a schema.
type object []property

type property struct {
	fleetioapi.Field

	key   string // with the colon
	empty string // the JSON without a value; "" for no property
}

// examples are values of which one is valid for most schemas.
var examples = []string{
	"0", "1", "false", `""`, "[]", "{}", `"1970-01-01T00:00:00Z"`, `"1970-01-01"`, `"00000000-0000-0000-0000-000000000000"`,
	`"nobody@example.com"`, `"https://example.com/"`,
}

// objectOf returns the object of a schema. A property without a value is null or, if it cannot be null, its default, or
// absent, or, if it must be there, some valid value.
func objectOf(s *fleetioapi.Schema) (list object) {
	for _, f := range s.Fields() {
		if f.Schema.WriteOnly {
			continue
		}
		typed := f.Schema.Typed()
		candidates := []string{"null", typed.Default}
		if f.Required {
			candidates = slices.Concat(candidates, examples, typed.Enum, []string{typed.Minimum, f.Schema.Example})
		}
		i := slices.IndexFunc(candidates, func(c string) bool { return c != "" && f.Schema.Check([]byte(c)) == nil })
		p := property{Field: f, key: quote(f.Name) + ":"}
		if i >= 0 {
			p.empty = candidates[i]
		}
		list = append(list, p)
	}
	return list
}

// itemsOf returns the schema of the items of a list; nil if the schema is not that of a list.
func itemsOf(s *fleetioapi.Schema) *fleetioapi.Schema {
	if s = s.Typed(); s.Type != "array" {
		return nil
	}
	return cmp.Or(s.Items, &fleetioapi.Schema{})
}

// property returns the property of a name; the zero value if there is none.
func (o object) property(name string) property {
	for _, p := range o {
		if p.Name == name {
			return p
		}
	}
	return property{}
}

// write returns the object with these values of its properties, as JSON. It ignores other values.
func (o object) write(values map[string]string) []byte {
	body := append(make([]byte, 0, 640), '{')
	for i := range o {
		value, has := values[o[i].Name]
		if !has {
			value = o[i].empty
		}
		if value == "" {
			continue
		}
		if len(body) > 1 {
			body = append(body, ',')
		}
		body = append(append(body, o[i].key...), value...)
	}
	return append(body, '}')
}

// quote returns a string as JSON.
func quote(s string) string { return string(encode(s)) }
