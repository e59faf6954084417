// Package styles reads parameters, headers and forms as JSON. It undoes the styles in which OpenAPI 3.0.3 (Parameter
// Object, Style Values) writes a value as text; most are those of RFC 6570. Texts are unescaped after they are split.
package styles

import (
	"slices"
	"strings"
)

// Types is a set of JSON types.
type Types uint8

// The JSON types, with integers apart.
const (
	Null Types = 1 << iota
	Boolean
	Integer
	Number
	String
	Array
	Object

	scalars = Boolean | Integer | Number | String
)

// Shape has the types of a value, which its text does not tell. A nil Shape is that of a string.
type Shape struct {
	Types      Types
	Binary     bool              // a string stands for octets, each of which is read as one character
	Items      *Shape            // of an array
	Properties map[string]*Shape // of an object
	Open       bool              // an object may have properties of other names,
	Additional *Shape            // of this shape
}

func (s *Shape) has(t Types) bool { return s != nil && s.Types&t != 0 }

// isList reports whether a single text is an array of one item.
func (s *Shape) isList() bool { return s.has(Array) && !s.has(scalars) }

func (s *Shape) items() *Shape {
	if s == nil {
		return nil
	}
	return s.Items
}

func (s *Shape) property(name string) *Shape {
	switch {
	case s == nil:
		return nil
	case s.Properties[name] != nil:
		return s.Properties[name]
	}
	return s.Additional
}

// Field is a parameter, a header or a property of a form.
type Field struct {
	Name    string
	In      string // path, query (a form, too), header or cookie, which decides about escapes
	Style   string // simple, label, matrix, form, spaceDelimited, pipeDelimited or deepObject
	Explode bool
	JSON    bool // the text is JSON and has no style
	Shape   *Shape
	Others  []*Field // in the same query; their names are not those of an open object
}

// AppendText appends the value of a text in a path or header, as JSON. ok is false if the text is not in the style: a label
// or matrix without its prefix.
func (f *Field) AppendText(dst []byte, text string) (_ []byte, ok bool) {
	delimiter := ","
	switch {
	case f.JSON:
		return append(dst, f.Unescape(text)...), true
	case f.Style == "label":
		rest, isLabel := strings.CutPrefix(text, ".")
		if !isLabel {
			return f.appendScalar(dst, f.Shape, text), false
		}
		// OpenAPI 3.0.3 separates all items by dots, 3.0.4 and RFC 6570 separate those that are not exploded by commas.
		if text = rest; f.Explode || !strings.Contains(text, ",") {
			delimiter = "."
		}
	case f.Style == "matrix":
		if rest, isMatrix := strings.CutPrefix(text, ";"); isMatrix {
			if value, present := f.AppendPairs(dst, appendPairs(nil, rest, ";", f.Unescape)); present {
				return value, true
			}
		}
		return f.appendScalar(dst, f.Shape, text), false
	}
	return f.appendDelimited(dst, text, delimiter), true
}

// AppendPairs appends the value of the pairs that are the field's, as JSON, and reports whether there are any. A name that
// is repeated has a list of values, whatever its shape.
func (f *Field) AppendPairs(dst []byte, pairs []Pair) (_ []byte, present bool) {
	var o object
	switch {
	case f.JSON:
	case f.Style == "deepObject":
		o = f.deepObject(pairs)
	case f.isExploded():
		for _, p := range pairs {
			if p.Name != f.Name && f.Owns(p.Name) {
				e := o.add(p.Name)
				e.values = append(e.values, p.Value)
			}
		}
	}
	if len(o.entries) > 0 {
		return f.appendObject(dst, f.Shape, &o), true
	}
	var values []string
	for _, p := range pairs {
		if p.Name == f.Name {
			values = append(values, p.Value)
		}
	}
	switch {
	case len(values) == 0:
		return dst, false
	case f.JSON:
		return append(dst, f.Unescape(values[0])...), true
	case len(values) > 1 || f.Explode:
		return f.append(dst, f.Shape, &entry{values: values}), true
	}
	switch text := values[0]; f.Style {
	case "spaceDelimited":
		return f.appendDelimited(dst, spaces.Replace(text), " "), true
	case "pipeDelimited":
		return f.appendDelimited(dst, pipes.Replace(text), "|"), true
	default:
		return f.appendDelimited(dst, text, ","), true
	}
}

// Owns reports whether the pairs with a name are the field's.
func (f *Field) Owns(name string) bool {
	isOpen := f.isExploded() && f.Shape.Open
	return f.names(name) || isOpen && !slices.ContainsFunc(f.Others, func(other *Field) bool { return other.names(name) })
}

// IsEmpty reports whether the field has one value, which is empty.
func (f *Field) IsEmpty(pairs []Pair) bool {
	count, size := 0, 0
	for _, p := range pairs {
		if p.Name == f.Name {
			count++
			size += len(p.Value)
		}
	}
	return count == 1 && size == 0
}

// isExploded reports whether the properties of an object have names of their own.
func (f *Field) isExploded() bool {
	return f.Explode && !f.JSON && f.Style != "deepObject" && f.Shape.has(Object)
}

// names reports whether a name is that of the field, or of one of its properties.
func (f *Field) names(name string) bool {
	rest, isPrefix := strings.CutPrefix(name, f.Name)
	return isPrefix && (rest == "" || f.Style == "deepObject" && rest[0] == '[') || f.isExploded() && f.Shape.Properties[name] != nil
}

// Delimiters with and without escapes.
var (
	spaces = strings.NewReplacer("%20", " ", "+", " ")
	pipes  = strings.NewReplacer("%7C", "|", "%7c", "|")
)

// appendDelimited appends the value of a text in one piece.
func (f *Field) appendDelimited(dst []byte, text, delimiter string) []byte {
	if !f.Shape.has(Array | Object) {
		return f.appendScalar(dst, f.Shape, text)
	}
	items := strings.Split(text, delimiter)
	if f.In == "header" && !f.Shape.has(Object) { // RFC 9110, section 5.6.1.2: a recipient ignores empty elements
		items = slices.DeleteFunc(items, func(item string) bool { return strings.Trim(item, " \t") == "" })
	}
	if f.Shape.has(Object) {
		if o := f.object(items); o != nil {
			return f.appendObject(dst, f.Shape, o)
		}
	}
	if f.Shape.isList() || f.Shape.has(Array) && len(items) > 1 {
		return f.appendArray(dst, f.Shape.items(), items)
	}
	return f.appendScalar(dst, f.Shape, text)
}

// object reads items as properties: name=value if exploded, or else names and values in turn. It returns nil if they are
// neither.
func (f *Field) object(items []string) *object {
	o := &object{}
	if !f.Explode && len(items)%2 != 0 {
		return nil
	}
	for i := 0; i < len(items); i++ {
		name, value, ok := strings.Cut(items[i], "=")
		if !f.Explode {
			name, value, ok = items[i], items[i+1], true
			i++
		}
		if !ok {
			return nil
		}
		e := o.add(f.Unescape(name))
		e.values = append(e.values, value)
	}
	return o
}

// maxDepth is the maximum number of brackets after the name of a deepObject. Pairs with more are not read.
const maxDepth = 100

// deepObject reads name[property]=value, with any number of brackets: OpenAPI defines one, and servers read more.
func (f *Field) deepObject(pairs []Pair) (o object) {
	for _, p := range pairs {
		path, isPrefix := strings.CutPrefix(p.Name, f.Name+"[")
		path, isClosed := strings.CutSuffix(path, "]")
		names := strings.Split(path, "][")
		if !isPrefix || !isClosed || len(names) > maxDepth {
			continue
		}
		last := o.add(names[0])
		for _, name := range names[1:] {
			if last.below == nil {
				last.below = &object{}
			}
			last = last.below.add(name)
		}
		last.values = append(last.values, p.Value)
	}
	return o
}

// object is the properties of an object in their order, each once.
type object struct {
	entries []*entry
	byName  map[string]*entry
}

// entry is a property: texts, or with brackets below its name an object or array.
type entry struct {
	name   string
	values []string
	below  *object
}

// add returns the property with a name.
func (o *object) add(name string) *entry {
	if e := o.byName[name]; e != nil {
		return e
	}
	if o.byName == nil {
		o.byName = map[string]*entry{}
	}
	e := &entry{name: name}
	o.byName[name] = e
	o.entries = append(o.entries, e)
	return e
}

func (f *Field) append(dst []byte, s *Shape, e *entry) []byte {
	switch {
	case e.below != nil && s.has(Array) && !s.has(Object): // name[]=value, name[0]=value
		dst = append(dst, '[')
		for _, item := range e.below.entries {
			if item.below != nil {
				dst = f.append(appendComma(dst), s.items(), item)
			}
			for _, value := range item.values {
				dst = f.appendScalar(appendComma(dst), s.items(), value)
			}
		}
		return append(dst, ']')
	case e.below != nil:
		return f.appendObject(dst, s, e.below)
	case len(e.values) > 1 || s.isList():
		return f.appendArray(dst, s.items(), e.values)
	}
	return f.appendScalar(dst, s, e.values[0])
}

func (f *Field) appendObject(dst []byte, s *Shape, o *object) []byte {
	dst = append(dst, '{')
	for _, e := range o.entries {
		dst = f.append(appendName(dst, e.name), s.property(e.name), e)
	}
	return append(dst, '}')
}

func (f *Field) appendArray(dst []byte, items *Shape, values []string) []byte {
	dst = append(dst, '[')
	for _, value := range values {
		dst = f.appendScalar(appendComma(dst), items, value)
	}
	return append(dst, ']')
}

func (f *Field) appendScalar(dst []byte, s *Shape, text string) []byte {
	return appendScalar(dst, s, f.Unescape(text))
}
