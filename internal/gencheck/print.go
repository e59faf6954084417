package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/gencheck/check"
)

// printer prints schemas as Go code.
type printer struct {
	compiler *compiler
	names    map[*check.Schema]string // of the variables that hold schemas
	prefix   string                   // of identifiers, in another package

	variable string // whose value is printed
	root     *check.Schema
	stack    []*check.Schema
	// links are the statements that close the cycles of schemas, which Go does not allow in the values of variables.
	links []string
	err   error
}

// value prints the value of the variable of a schema.
func (p *printer) value(s *check.Schema) string {
	p.variable, p.root = p.names[s], s
	return p.literal(s, p.variable)
}

// reference prints a schema whose place in the variable is path.
func (p *printer) reference(s *check.Schema, path string) string {
	name := p.names[s]
	switch {
	case name == "" && slices.Contains(p.stack, s):
		if p.err == nil {
			p.err = p.compiler.errorAt(p.compiler.pointers[s], "the schema contains itself: move it to components/schemas, and refer to it")
		}
		return "nil"
	case name == "":
		return p.literal(s, path)
	case p.root != nil && (s == p.root || reachable(s, false)[p.root]):
		p.links = append(p.links, path+" = "+name)
		return "nil"
	default:
		return p.prefix + name
	}
}

func (p *printer) literal(s *check.Schema, path string) string {
	p.stack = append(p.stack, s)
	defer func() { p.stack = p.stack[:len(p.stack)-1] }()
	var b strings.Builder
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			continue
		}
		name := v.Type().Field(i).Name
		fmt.Fprintf(&b, "%s: %s, ", name, p.keyword(v.Field(i).Interface(), path+"."+name))
	}
	return "&" + p.prefix + "Schema{" + strings.TrimSuffix(b.String(), ", ") + "}"
}

func (p *printer) keyword(value any, path string) string {
	var b strings.Builder
	switch value := value.(type) {
	case string:
		return quoteGo(value)
	case *int:
		return fmt.Sprintf("new(%d)", *value)
	case *check.Schema:
		return p.reference(value, path)
	case []string:
		for _, text := range value {
			b.WriteString(quoteGo(text) + ", ")
		}
		return "[]string{" + strings.TrimSuffix(b.String(), ", ") + "}"
	case []check.Field:
		for i, f := range value {
			fmt.Fprintf(&b, "{Name: %s, Required: %t, Description: %s,\nSchema: %s},\n", quoteGo(f.Name), f.Required, quoteGo(f.Description),
				p.reference(f.Schema, fmt.Sprintf("%s[%d].Schema", path, i)))
		}
		return "[]" + p.prefix + "Field{\n" + b.String() + "}"
	case []*check.Schema:
		for i, s := range value {
			b.WriteString(p.reference(s, fmt.Sprintf("%s[%d]", path, i)) + ",\n")
		}
		return "[]*" + p.prefix + "Schema{\n" + b.String() + "}"
	case map[string]*check.Schema:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			fmt.Fprintf(&b, "%q: %s,\n", key, p.reference(value[key], fmt.Sprintf("%s[%q]", path, key)))
		}
		return "map[string]*" + p.prefix + "Schema{\n" + b.String() + "}"
	default:
		return fmt.Sprint(value)
	}
}

// quoteGo prints a string as Go code, in backquotes where that is easier to read.
func quoteGo(text string) string {
	if strings.ContainsAny(text, `"\`) && strconv.CanBackquote(text) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}
