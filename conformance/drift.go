package conformance

import (
	"slices"

	"github.com/fleetcontract/fleetio-go/internal/spelling"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// drift reports the undocumented properties of a value, and of the values below it, where schemas are combined: all schemas
// that apply to a value document its properties together. Where one schema stands alone, [validator.property] does it.
func (v *validator) drift(schemas []*schema, at int32) {
	v.root = schemas[0]
	var all []*schema
	for _, s := range schemas {
		all = v.applying(all, s, at)
	}
	n := &v.doc.Nodes[at]
	switch n.Type {
	case strictjson.Array:
		var items []*schema
		for _, s := range all {
			if s.items != nil {
				items = append(items, s.items)
			}
		}
		for i, item := at+1, 0; i < n.Next && len(items) > 0; i, item = v.doc.Nodes[i].Next, item+1 {
			v.driftBelow(items, step{item: item}, i)
		}
	case strictjson.Object:
		lists := slices.ContainsFunc(all, func(s *schema) bool { return len(s.properties) > 0 })
		open := slices.ContainsFunc(all, func(s *schema) bool { return s.HasAdditionalProperties })
		for _, name := range v.sortedProperties(at) {
			below, documented := describing(all, string(v.doc.Text(name, nil)))
			if len(below) > 0 {
				v.driftBelow(below, step{name: name}, name+1)
			} else if lists && !open && !documented {
				v.undocumented(all, name)
			}
		}
	case strictjson.Null, strictjson.Boolean, strictjson.Number, strictjson.String:
	}
}

func (v *validator) driftBelow(schemas []*schema, below step, at int32) {
	v.path = append(v.path, below)
	v.drift(schemas, at)
	v.path = v.path[:len(v.path)-1]
}

// applying adds a schema to a list, and those combined in it that apply to the value: of anyOf and oneOf the ones that the
// value matches, or all if it matches none, as that is a finding of its own.
func (v *validator) applying(list []*schema, s *schema, at int32) []*schema {
	if slices.Contains(list, s) {
		return list
	}
	list = append(list, s)
	for _, part := range s.allOf {
		list = v.applying(list, part, at)
	}
	if chosen := v.selected(s, at); chosen != nil {
		return v.applying(list, chosen, at)
	}
	for _, alternatives := range [][]*schema{s.anyOf, s.oneOf} {
		n, open := v.count(alternatives, at)
		for _, part := range alternatives {
			if n+open == 0 || v.try(part, at) != mismatches {
				list = v.applying(list, part, at)
			}
		}
	}
	return list
}

// describing returns the schemas of a property, and whether one of the schemas of its object has its name.
func describing(object []*schema, name string) (schemas []*schema, documented bool) {
	for _, s := range object {
		i := s.propertyIndex[name]
		documented = documented || i > 0
		switch {
		case i > 0 && s.properties[i-1].schema != nil:
			schemas = append(schemas, s.properties[i-1].schema)
		case i == 0 && s.additional != nil:
			schemas = append(schemas, s.additional)
		}
	}
	return schemas, documented
}

// undocumented adds the drift that no schema of an object has the property whose name is at a node. A server ignores what it
// does not know in a request, so that the name may be a misspelt one, whose value is lost.
func (v *validator) undocumented(schemas []*schema, name int32) {
	text := string(v.doc.Text(name, nil))
	var names []string
	for _, s := range schemas {
		for _, p := range s.properties {
			names = append(names, p.name)
		}
	}
	expected := "a documented property"
	if closest := spelling.Nearest(text, names); closest != "" {
		expected += " (the nearest is " + closest + ")"
	}
	v.add(violation{keyword: ruleUndocumentedProperty, spec: v.contract.source.Below(schemas[0].place, "properties"), source: Drift,
		expected: expected, value: value{Doc: v.doc, At: name + 1}}, text)
}
