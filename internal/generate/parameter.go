package generate

import (
	"net/url"
	"strings"
	"unicode"
)

// Parameter is a parameter or header as it is written.
type Parameter struct {
	Name, In, Style string
	Explode, JSON   bool
	Schema          *Schema
}

// Escape escapes all that means something in a URL or cookie.
func (p *Parameter) Escape(text string) string {
	if p.In == "header" {
		return text
	}
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

// IsNamed reports whether the texts are pairs of a name and a value.
func (p *Parameter) IsNamed() bool { return p.In == "query" || p.In == "cookie" }

// Separator stands between the items of a list or object.
func (p *Parameter) Separator() string {
	switch {
	case p.Style == "spaceDelimited":
		return "%20"
	case p.Style == "pipeDelimited":
		return "|"
	case p.Style == "label" && p.Explode:
		return "."
	}
	return ","
}

// Write writes a value: as pairs in a query or cookie, or else as one text. Not every value can be written.
func (p *Parameter) Write(v any) (texts []string, ok bool) {
	var items []string
	object, isObject := v.(map[string]any)
	list, isList := v.([]any)
	switch {
	case p.JSON:
		return p.Named(p.Escape(Encode(v))), true
	case isObject && p.Style == "deepObject":
		return p.deep(p.Name, object)
	case isObject:
		items, ok = p.writeObject(object)
	case isList:
		items, ok = p.writeList(list)
	default:
		text, _ := scalarText(v)
		if v == nil && p.Schema.Nullable && !p.Schema.Reads("string") {
			text = ""
		}
		isSplit := p.Style == "label" && p.Schema.Reads("array", "object") && strings.Contains(text, ".")
		return p.prefixed(p.Named(p.Escape(text))), p.In != "path" || !isSplit && strings.Trim(text, ".") != ""
	}
	switch {
	case !p.isSpread():
		items = p.Named(strings.Join(items, p.Separator()))
	case p.Style == "matrix":
		items = []string{strings.Join(items, ";")}
	}
	return p.prefixed(items), ok && len(items) > 0 && p.IsWritable(items)
}

func scalarText(v any) (text string, ok bool) {
	switch v := v.(type) {
	case []any, map[string]any:
		return Encode(v), false
	case string:
		return v, true
	}
	return Encode(v), true
}

// Named makes a pair of a text, where the parameter has pairs.
func (p *Parameter) Named(text string) []string {
	if p.IsNamed() || p.Style == "matrix" {
		text = p.Escape(p.Name) + "=" + text
	}
	return []string{text}
}

// IsWritable reports whether a header can have such a text (RFC 9110, section 5.5).
func (p *Parameter) IsWritable(texts []string) bool {
	return p.In != "header" || texts[0] == strings.TrimSpace(texts[0]) && !strings.ContainsFunc(texts[0], unicode.IsControl)
}

// isSpread reports whether each item is a pair of its own.
func (p *Parameter) isSpread() bool { return p.Explode && (p.IsNamed() || p.Style == "matrix") }

func (p *Parameter) writeList(list []any) (items []string, ok bool) {
	ok = len(list) > 0
	for _, item := range list {
		text, isScalar := scalarText(item)
		ok = ok && isScalar && (p.isSpread() || p.isApart(text))
		if text = p.Escape(text); p.isSpread() {
			text = p.Escape(p.Name) + "=" + text
		}
		items = append(items, text)
	}
	return items, ok
}

func (p *Parameter) writeObject(object map[string]any) (items []string, ok bool) {
	ok = len(object) > 0
	for _, name := range SortedKeys(object) {
		text, isScalar := scalarText(object[name])
		if ok = ok && isScalar; p.isSpread() { // other names are not those of the object
			ok = ok && name != "" && p.Schema.Properties[name] != nil
		} else {
			ok = ok && p.isApart(name) && p.isApart(text)
		}
		between := p.Separator()
		if p.Explode {
			between = "="
		}
		items = append(items, p.Escape(name)+between+p.Escape(text))
	}
	return items, ok
}

// isApart reports whether a text has nothing that separates items.
func (p *Parameter) isApart(text string) bool {
	written := p.Escape(text)
	return (p.Separator() == "%20" || !strings.Contains(written, p.Separator())) && (p.In != "header" || !strings.ContainsAny(text, ",="))
}

// deep writes an object as name[property]=value.
func (p *Parameter) deep(name string, v map[string]any) (texts []string, ok bool) {
	ok = len(v) > 0
	for _, key := range SortedKeys(v) {
		below := name + "[" + key + "]"
		ok = ok && !strings.ContainsAny(key, "[]")
		if object, isObject := v[key].(map[string]any); isObject {
			more, isWritten := p.deep(below, object)
			texts, ok = append(texts, more...), ok && isWritten
			continue
		}
		text, isScalar := scalarText(v[key])
		texts, ok = append(texts, p.Escape(below)+"="+p.Escape(text)), ok && isScalar
	}
	return texts, ok
}

func (p *Parameter) prefixed(texts []string) []string {
	if prefix := map[string]string{"label": ".", "matrix": ";"}[p.Style]; prefix != "" {
		return []string{prefix + texts[0]}
	}
	return texts
}
