package suggest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

const criteriaKey = "x-criteria"

// child returns the position of what a token names in the content of a node, or -1. In the list of required members it is
// the member's name, among criteria the criterion's, in other lists the position.
func child(n *yaml.Node, parent, token string) int {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == token {
				return i + 1
			}
		}
	case yaml.SequenceNode:
		for i, e := range n.Content {
			switch parent {
			case "required":
				if e.Value == token {
					return i
				}
			case criteriaKey:
				if name := member(e, "name"); name != nil && name.Value == token {
					return i
				}
			default:
				if strconv.Itoa(i) == token {
					return i
				}
			}
		}
	}
	return -1
}

// member returns a member of an object, or nil.
func member(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	if i := child(n, "", name); i >= 0 {
		return n.Content[i]
	}
	return nil
}

// find returns the node at a place and whether something on the way is shared with other places by an anchor. The node is
// nil where there is none.
func find(root *yaml.Node, at []string) (n *yaml.Node, shared bool) {
	n = root
	for i := 0; ; i++ {
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		shared = shared || n.Anchor != ""
		if i == len(at) {
			return n, shared
		}
		parent := ""
		if i > 0 {
			parent = at[i-1]
		}
		next := child(n, parent, at[i])
		if next < 0 {
			return nil, shared
		}
		n = n.Content[next]
	}
}

// merge is what an update does (Overlay 1.0.0, section 4.4.3.1): objects merge, lists grow, and all else is replaced.
func merge(into, update *yaml.Node) {
	switch {
	case into.Kind != update.Kind || into.Kind == yaml.ScalarNode:
		*into = *clone(update)
	case into.Kind == yaml.SequenceNode:
		into.Content = append(into.Content, clone(update).Content...)
	default:
		for i := 0; i+1 < len(update.Content); i += 2 {
			if have := member(into, update.Content[i].Value); have != nil {
				merge(have, update.Content[i+1])
			} else {
				into.Content = append(into.Content, clone(update.Content[i]), clone(update.Content[i+1]))
			}
		}
	}
}

// remove takes away what a token names, with its key.
func remove(from *yaml.Node, parent, token string) {
	i := child(from, parent, token)
	switch {
	case i < 0:
	case from.Kind == yaml.MappingNode:
		from.Content = append(from.Content[:i-1], from.Content[i+1:]...)
	default:
		from.Content = append(from.Content[:i], from.Content[i+1:]...)
	}
}

func clone(n *yaml.Node) *yaml.Node {
	copied := *n
	copied.Content = make([]*yaml.Node, len(n.Content))
	for i, c := range n.Content {
		copied.Content[i] = clone(c)
	}
	return &copied
}

// value makes a node of a text, a truth, a literal number or a node.
func value(v any) *yaml.Node {
	switch v := v.(type) {
	case *yaml.Node:
		return v
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.FormatBool(v)}
	case literal:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: string(v)}
	}
	s, _ := v.(string)
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if bare := strings.ToLower(s); s[:min(1, len(s))] != "$" && !strings.Contains(s, " ") && (!plainWord.MatchString(s) || slices.Contains(notText, bare)) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// literal is a number as YAML and JSON write it.
type literal string

// plainWord is what every reader of YAML takes for a text, but for notText.
var (
	plainWord = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_/.+-]*$`)
	notText   = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
)

// object makes a node of keys and values in turn.
func object(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, p := range pairs {
		n.Content = append(n.Content, value(p))
	}
	return n
}

func list() *yaml.Node { return &yaml.Node{Kind: yaml.SequenceNode} }

func splitPointer(pointer string) []string {
	if pointer == "" {
		return nil
	}
	tokens := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, t := range tokens {
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(t, "~1", "/"), "~0", "~")
	}
	return tokens
}

func pointerOf(tokens ...string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString("/" + strings.ReplaceAll(strings.ReplaceAll(t, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

func lastToken(pointer string) string {
	tokens := splitPointer(pointer)
	if len(tokens) == 0 {
		return ""
	}
	return tokens[len(tokens)-1]
}

func isNumber(token string) bool {
	_, err := strconv.Atoi(token)
	return err == nil
}

// shorthand are the names that stand behind a dot. Others are quoted, as not every reader takes count or length, which are
// functions, for a name.
var shorthand = []string{"components", "content", "headers", "items", "paths", "post", "properties", "requestBody", "responses",
	"schema", "schemas"}

// target writes a place as a JSONPath (RFC 9535). Entries of lists that may shrink are chosen by what they hold.
func target(root *yaml.Node, at []string) string {
	b := strings.Builder{}
	b.WriteByte('$')
	n := root
	for i, token := range at {
		parent := ""
		if i > 0 {
			parent = at[i-1]
		}
		switch {
		case n != nil && n.Kind == yaml.SequenceNode && parent == "required":
			b.WriteString("[?@==" + quote(token) + "]")
		case n != nil && n.Kind == yaml.SequenceNode && parent == criteriaKey:
			b.WriteString("[?@.name==" + quote(token) + "]")
		case n != nil && n.Kind == yaml.SequenceNode:
			b.WriteString("[" + token + "]")
		case slices.Contains(shorthand, token):
			b.WriteString("." + token)
		default:
			b.WriteString("[" + quote(token) + "]")
		}
		if n != nil {
			next := child(n, parent, token)
			if next < 0 {
				n = nil
			} else {
				n = n.Content[next]
			}
		}
	}
	return b.String()
}

// quote writes a string literal of RFC 9535, section 2.3.1.1.
func quote(s string) string {
	b := strings.Builder{}
	b.WriteByte('\'')
	for _, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + string(r))
		case r < ' ':
			b.WriteString(`\u00` + strconv.FormatInt(int64(r)+0x100, 16)[1:])
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + "'"
}
