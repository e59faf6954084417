package generate

import "slices"

// Site is a place in a value with a schema that describes it alone, not as one of several alternatives.
type Site struct {
	Schema *Schema
	Path   []string
}

// Sites walks a value and its schema together. root is the schema of the value that the schema is combined in.
func Sites(n *Schema, v any, path []string, root *Schema) []Site {
	all := []Site{{n, slices.Clone(path)}}
	switch v := v.(type) {
	case []any:
		if n.Item != nil && len(v) > 0 { // the first stands for the others
			all = append(all, Sites(n.Item, v[0], append(path, "0"), n.Item)...)
		}
	case map[string]any:
		rest := n.Rest // the first stands for the others
		for _, name := range SortedKeys(v) {
			property := n.Properties[name]
			if property == nil {
				property, rest = rest, nil
			}
			if property != nil {
				all = append(all, Sites(property, v[name], append(path, name), property)...)
			}
		}
		if chosen := n.Choice(v, root); chosen != nil && chosen != root {
			all = append(all, Sites(chosen, v, path, chosen)...)
		}
	}
	for _, part := range n.AllOf {
		all = append(all, Sites(part, v, path, root)...)
	}
	return all
}
