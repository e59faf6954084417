package speclint

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/formats"
	"github.com/fleetcontract/fleetio-go/internal/spelling"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

var schemaTypes = []string{"string", "number", "integer", "boolean", "array", "object"}

func (l *linter) schema(at string, n *yamltree.Node) {
	var schemaType string
	var combined bool // others can supply properties
	for _, e := range n.Entries {
		here := at + "/" + e.Key
		switch e.Key {
		case "type":
			if schemaType = e.Text; e.Type == strictjson.Array {
				l.errorf(here, "in OpenAPI 3.0 a type is one name; use nullable: true for null")
			} else if e.Scalar() && !slices.Contains(schemaTypes, e.Text) {
				schemaType = ""
				l.errorf(here, "unknown type %q; use one of %s", e.Text, strings.Join(schemaTypes, ", "))
			}
		case "exclusiveMinimum", "exclusiveMaximum":
			limit := strings.ToLower(e.Key[len("exclusive"):])
			if e.Type == strictjson.Number {
				l.Errors = slices.DeleteFunc(l.Errors, func(p Problem) bool { return p.Pointer == here })
				l.errorf(here, "in OpenAPI 3.0 %s is true or false, beside the limit", e.Key)
			} else if l.child(n, limit) == nil {
				l.errorf(here, "%s has no effect without the limit", e.Key)
			}
		case "allOf", "anyOf", "oneOf":
			combined = true
			fallthrough
		case "enum":
			if e.Type != strictjson.Array || len(e.Entries) == 0 {
				l.errorf(here, "%s must be a list with at least one entry", e.Key)
			}
		case "multipleOf":
			if e.Type == strictjson.Number && strictjson.Exact(e.Text).Sign() <= 0 {
				l.errorf(here, "multipleOf is more than 0")
			}
		case "format":
			l.format(here, e.Text)
		}
	}
	if schemaType == "array" && l.child(n, "items") == nil {
		l.errorf(at, "an array needs items; items: {} stands for any")
	}
	if l.text(n, "readOnly") == "true" && l.text(n, "writeOnly") == "true" {
		l.errorf(at, "a property is readOnly or writeOnly, not both")
	}
	l.limits(at, n)
	l.required(at, n, combined)
	l.values(at, n, schemaType)
}

// limits checks that a value can be within both limits.
func (l *linter) limits(at string, n *yamltree.Node) {
	for _, pair := range [][2]string{{"minimum", "maximum"}, {"minLength", "maxLength"}, {"minItems", "maxItems"}, {"minProperties", "maxProperties"}} {
		low, high := l.child(n, pair[0]), l.child(n, pair[1])
		if low == nil || high == nil || low.Type != strictjson.Number || high.Type != strictjson.Number {
			continue
		}
		order := strictjson.Exact(low.Text).Cmp(strictjson.Exact(high.Text))
		exclusive := pair[0] == "minimum" && (l.text(n, "exclusiveMinimum") == "true" || l.text(n, "exclusiveMaximum") == "true")
		if order > 0 || order == 0 && exclusive {
			l.errorf(at+"/"+pair[0], "%s is %s and %s is %s: no value can satisfy both", pair[0], low.Text, pair[1], high.Text)
		}
	}
}

// required checks the names in required. A name without a property is allowed, and common where the properties are in a
// schema that is combined with this one.
func (l *linter) required(at string, n *yamltree.Node, combined bool) {
	list := l.child(n, "required")
	if list == nil || list.Type != strictjson.Array {
		if list != nil && list.Type == strictjson.Boolean {
			l.errorf(at+"/required", "in OpenAPI 3.0 required is a list of names, in the schema of the object")
		}
		return
	}
	properties, additional := l.child(n, "properties"), l.child(n, "additionalProperties")
	closed := additional != nil && additional.Text == "false"
	names := map[string]bool{}
	for i, e := range list.Entries {
		here := at + "/required/" + strconv.Itoa(i)
		if names[e.Text] {
			l.errorf(here, "required has %q twice", e.Text)
		}
		names[e.Text] = true
		switch {
		case combined || inCombination(at) || properties == nil && !closed || additional != nil && !closed:
		case properties != nil && l.child(properties, e.Text) != nil:
		case closed:
			l.errorf(here, "the property %q is required, and additionalProperties: false excludes it%s", e.Text, l.hint(properties, e.Text))
		default:
			l.ignoref(here, "the value of %q, which is required and not among the properties%s", e.Text, l.hint(properties, e.Text))
		}
	}
}

func (l *linter) hint(properties *yamltree.Node, name string) string {
	if properties == nil {
		return ""
	}
	var names []string
	for _, e := range properties.Entries {
		names = append(names, e.Key)
	}
	if hint := spelling.Closest(name, names); hint != "" {
		return "; did you mean " + strconv.Quote(hint) + "?"
	}
	return ""
}

// inCombination reports whether a schema is an entry of allOf, anyOf or oneOf, or below not.
func inCombination(at string) bool {
	tokens := strings.Split(at, "/")
	return len(tokens) > 2 && slices.Contains([]string{"allOf", "anyOf", "oneOf"}, tokens[len(tokens)-2]) || tokens[len(tokens)-1] == "not"
}

// commonFormats are in use and not checked; some are one letter away from a checked one.
var commonFormats = []string{"url", "int8", "int16", "uint8", "uint16", "uint32", "uint64", "date-time-local", "time", "uuid4",
	"timestamp", "iri", "guid", "ulid", "cuid"}

// format reports a format that is not checked, or misspelt.
func (l *linter) format(at, name string) {
	known := formats.Names()
	bare := func(name string) string {
		return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(name))
	}
	switch hint := spelling.Closest(name, known); {
	case formats.Checked(name):
	case slices.Contains(known, name) || slices.Contains(commonFormats, name) || hint == "":
		l.ignoref(at, "format %s", name)
	case bare(hint) == bare(name):
		l.ignoref(at, "format %s; did you mean %s?", name, hint)
	default:
		l.errorf(at, "unknown format %s; did you mean %s?", name, hint)
	}
}

// values checks the types of the enum's values and of the default.
func (l *linter) values(at string, n *yamltree.Node, schemaType string) {
	nullable := l.text(n, "nullable") == "true"
	if value := l.child(n, "default"); value != nil && !hasType(value, schemaType, nullable) {
		l.ignoref(at+"/default", "the default %s, which is no %s", describe(value), schemaType)
	}
	list := l.child(n, "enum")
	if list == nil {
		return
	}
	for i, e := range list.Entries {
		here := at + "/enum/" + strconv.Itoa(i)
		switch {
		case hasType(e.Node, schemaType, nullable):
		case e.Type == strictjson.Null:
			l.ignoref(here, "null in an enum whose type excludes it: nullable: true would allow it")
		case schemaType == "array":
			l.ignoref(at+"/enum", "an enum of %s beside type: array, which belongs below items", describe(e.Node))
			return
		case isWord(e.Node):
			l.errorf(here, "the value %s of the enum is no %s", describe(e.Node), schemaType)
		case !e.Scalar():
			l.ignoref(at+"/enum", "an enum with %s, which is no %s", describe(e.Node), schemaType)
			return
		default:
			l.ignoref(at+"/enum", "an enum with %s, which is no %s: change the quotes", describe(e.Node), schemaType)
			return
		}
	}
}

// hasType reports whether a value is of a type; "" is any.
func hasType(n *yamltree.Node, schemaType string, nullable bool) bool {
	switch {
	case schemaType == "":
		return true
	case n.Type == strictjson.Null:
		return nullable
	}
	return n.Type == strictjson.TypesByName[schemaType] && (schemaType != "integer" || strictjson.Exact(n.Text).IsInt())
}

// isWord reports whether a value is a string with or without quotes.
func isWord(n *yamltree.Node) bool {
	return n.Type == strictjson.String && !strictjson.IsNumber(n.Text) && n.Text != "true" && n.Text != "false"
}
