package yamltree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

const (
	// maxNodes bounds the nodes of a document with its aliases expanded: a few lines of aliases can stand for millions.
	maxNodes = 4_000_000
	// maxShared is the length in bytes up to which equal texts are stored once.
	maxShared = 32
	slabSize  = 1 << 10 // nodes that are allocated together
)

// parser converts the trees of two parsers into nodes.
type parser struct {
	tree   *Tree
	slab   []Node
	shared map[string]string
	size   int // nodes, with aliases expanded
	err    error

	aliased map[*yaml.Node]*alias

	json   *strictjson.Document
	line   int32 // of the offset in the JSON text
	offset int32
}

// alias is a node with an anchor. node is nil while it is being converted.
type alias struct {
	node *Node
	size int
}

// parse parses a text: as JSON if it is JSON, as YAML may not escape surrogate pairs; else as YAML.
func (t *Tree) parse(text []byte) (*Node, error) {
	p := &parser{tree: t, shared: map[string]string{}, aliased: map[*yaml.Node]*alias{}, line: 1}
	trimmed := bytes.TrimLeft(text, " \t\r\n")
	isJSON := len(trimmed) > 0 && trimmed[0] == '{'
	if doc := (strictjson.Document{}); isJSON && doc.Parse(text) {
		p.json = &doc
		root := p.fromJSON(0)
		return root, p.err
	}
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	err := decoder.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF):
		return nil, &Error{Line: 1, Reason: "the file is empty"}
	case err != nil && isJSON:
		return nil, errorOfBoth(text, err)
	case err != nil:
		invalid := yamlError(err)
		invalid.Reason = "not YAML: " + invalid.Reason
		return nil, invalid
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, &Error{Line: max(second.Line, 1), Reason: "a second document in the file"}
	}
	root := p.fromYAML(doc.Content[0])
	return root, p.err
}

// errorOfBoth returns the error for a document that starts like JSON and is neither JSON nor YAML.
func errorOfBoth(text []byte, err error) error {
	var invalid *strictjson.Error
	d := strictjson.NewDecoder(text)
	if !errors.As(errors.Join(d.Skip(), d.End()), &invalid) {
		return yamlError(err)
	}
	line := 1 + bytes.Count(text[:invalid.Offset], []byte("\n"))
	return &Error{Line: line, Reason: fmt.Sprintf("as JSON: %v; as YAML: %s", invalid, yamlError(err).Reason)}
}

var (
	lineOfYAML = regexp.MustCompile(`\bline (\d+)`)
	anchorName = regexp.MustCompile(`unknown anchor '.*' referenced`)
)

// yamlError returns an error of the YAML parser with its line. An unknown anchor can be a credential with a star in front.
func yamlError(err error) *Error {
	reason := anchorName.ReplaceAllString(strings.TrimPrefix(err.Error(), "yaml: "), "unknown anchor")
	line := 1
	if at := lineOfYAML.FindStringSubmatch(reason); at != nil {
		line, _ = strconv.Atoi(at[1])
	}
	return &Error{Line: line, Reason: reason}
}

func (p *parser) newNode(t strictjson.Type, line int) *Node {
	if len(p.slab) == 0 {
		p.slab = make([]Node, slabSize)
	}
	n := &p.slab[0]
	p.slab = p.slab[1:]
	n.Type, n.Line = t, int32(line) //nolint:gosec // lines of a file
	p.grow(1)
	return n
}

func (p *parser) grow(size int) {
	if p.size += size; p.size > maxNodes && p.err == nil {
		p.err = &Error{Line: 1, Reason: fmt.Sprintf("more than %d values, with aliases expanded", maxNodes)}
	}
}

// share returns a text that is equal, and stored once if it is short.
func (p *parser) share(text string) string {
	if len(text) > maxShared {
		return text
	}
	known, ok := p.shared[text]
	if !ok {
		known = strings.Clone(text)
		p.shared[text] = known
	}
	return known
}

// complete reports a key that an object has twice, and indexes the keys of a large object.
func (p *parser) complete(n *Node) {
	var index map[string]int32
	if len(n.Entries) >= manyEntries {
		index = make(map[string]int32, len(n.Entries))
		p.tree.index[n] = index
	}
	for i, e := range n.Entries {
		p.tree.keys[e.Key] = true
		var first int
		if index != nil {
			at, found := index[e.Key]
			index[e.Key] = int32(i)
			if first = int(at); !found {
				first = -1
			}
		} else {
			first = slices.IndexFunc(n.Entries[:i], func(other Entry) bool { return other.Key == e.Key })
		}
		if first >= 0 && p.err == nil {
			p.err = &Error{Line: int(e.Line), Reason: fmt.Sprintf("the key %q is there already, on line %d", e.Key, n.Entries[first].Line)}
		}
	}
}

// lineAt returns the line of an offset in the JSON text. Offsets must not decrease.
func (p *parser) lineAt(offset int32) int32 {
	p.line += int32(bytes.Count(p.json.Data[p.offset:offset], []byte("\n"))) //nolint:gosec // the text has 31 bits
	p.offset = offset
	return p.line
}

func (p *parser) fromJSON(at int32) *Node {
	from := p.json.Nodes[at]
	n := p.newNode(from.Type, int(p.lineAt(from.Start)))
	switch from.Type {
	case strictjson.Array:
		for i := at + 1; i < from.Next && p.err == nil; i = p.json.Nodes[i].Next {
			item := p.fromJSON(i)
			n.Entries = append(n.Entries, Entry{Line: item.Line, Node: item})
		}
	case strictjson.Object:
		n.Entries = make([]Entry, 0, from.Count)
		for i := at + 1; i < from.Next && p.err == nil; i = p.json.Nodes[i+1].Next {
			line := p.lineAt(p.json.Nodes[i].Start)
			n.Entries = append(n.Entries, Entry{Key: p.share(string(p.json.Text(i, nil))), Line: line, Node: p.fromJSON(i + 1)})
		}
		p.complete(n)
	default:
		n.Text = p.share(string(p.json.Text(at, nil)))
	}
	return n
}

func (p *parser) fromYAML(from *yaml.Node) *Node {
	line := from.Line
	if from.Kind == yaml.AliasNode {
		from = from.Alias
	}
	if known := p.aliased[from]; known != nil {
		if known.node == nil {
			if p.err == nil {
				p.err = &Error{Line: line, Reason: fmt.Sprintf("the anchor %q contains itself", from.Anchor)}
			}
			return p.newNode(strictjson.Null, from.Line)
		}
		p.grow(known.size)
		return known.node
	}
	if from.Anchor == "" {
		return p.convert(from)
	}
	a := &alias{}
	p.aliased[from] = a
	before := p.size
	n := p.convert(from)
	a.node, a.size = n, p.size-before
	return n
}

func (p *parser) convert(from *yaml.Node) *Node {
	switch from.Kind {
	case yaml.MappingNode:
		n := p.newNode(strictjson.Object, from.Line)
		n.Entries = make([]Entry, 0, len(from.Content)/2)
		var merged []Entry
		for i := 0; i+1 < len(from.Content) && p.err == nil; i += 2 {
			key, value := from.Content[i], p.fromYAML(from.Content[i+1])
			switch {
			case key.Tag == "!!merge":
				merged = append(merged, p.merge(key.Line, value)...)
			case key.Kind != yaml.ScalarNode || key.Tag == "!!null":
				p.err = &Error{Line: key.Line, Reason: "a key that is no name"}
			default:
				n.Entries = append(n.Entries, Entry{Key: p.share(key.Value), Line: int32(key.Line), Node: value}) //nolint:gosec // a line
			}
		}
		own := map[string]bool{}
		for i := 0; i < len(n.Entries) && len(merged) > 0; i++ {
			own[n.Entries[i].Key] = true
		}
		p.complete(n)
		for _, e := range merged {
			if !own[e.Key] {
				own[e.Key] = true
				n.Entries = append(n.Entries, e)
			}
		}
		if len(merged) > 0 {
			p.grow(len(merged))
			p.complete(n)
		}
		return n
	case yaml.SequenceNode:
		n := p.newNode(strictjson.Array, from.Line)
		n.Entries = make([]Entry, 0, len(from.Content))
		for _, e := range from.Content {
			item := p.fromYAML(e)
			n.Entries = append(n.Entries, Entry{Line: int32(e.Line), Node: item}) //nolint:gosec // a line
		}
		return n
	}
	n := p.newNode(strictjson.String, from.Line)
	n.Text = p.share(from.Value)
	if from.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 &&
		(from.Style&yaml.TaggedStyle == 0 || from.Tag != "!!str" && strings.HasPrefix(from.Tag, "!!")) {
		n.Type, n.Text = p.resolve(n.Text)
	}
	return n
}

// merge returns the entries that a merge key adds to an object. YAML 1.2 has none, but many documents do.
func (p *parser) merge(line int, value *Node) (list []Entry) {
	sources := []Entry{{Node: value}}
	if value.Type == strictjson.Array {
		sources = value.Entries
	}
	for _, source := range sources {
		if source.Type != strictjson.Object && p.err == nil {
			p.err = &Error{Line: line, Reason: "a merge key without an object"}
		}
		list = append(list, source.Entries...)
	}
	return list
}

var (
	integer    = regexp.MustCompile(`^[-+]?[0-9]+$`)
	otherBase  = regexp.MustCompile(`^0(?:o[0-7]+|x[0-9A-Fa-f]+)$`)
	fractional = regexp.MustCompile(`^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$`)
)

// resolve returns the type of a plain scalar and its JSON text by the core schema of YAML 1.2, section 10.3.2: dates are
// strings, 010 is ten. Infinity and NaN, which JSON has not, are strings.
func (p *parser) resolve(text string) (strictjson.Type, string) {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return strictjson.Null, "null"
	case "true", "True", "TRUE":
		return strictjson.Boolean, "true"
	case "false", "False", "FALSE":
		return strictjson.Boolean, "false"
	}
	if text[0] > '9' { // most scalars are words
		return strictjson.String, text
	}
	switch {
	case strictjson.IsNumber(text):
		return strictjson.Number, text
	case integer.MatchString(text), fractional.MatchString(text):
		return strictjson.Number, p.share(asJSON(text))
	case otherBase.MatchString(text):
		if v, err := strconv.ParseUint(text, 0, 64); err == nil {
			return strictjson.Number, p.share(strconv.FormatUint(v, 10))
		}
	}
	return strictjson.String, text
}

// asJSON returns a decimal number of YAML as one of JSON, which has no plus sign, no leading zeros, and digits around the
// decimal point.
func asJSON(text string) string {
	text, sign := strings.TrimPrefix(text, "+"), ""
	if text[0] == '-' {
		sign, text = "-", text[1:]
	}
	end := strings.IndexAny(text, "eE")
	if end < 0 {
		end = len(text)
	}
	whole, fraction, _ := strings.Cut(text[:end], ".")
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + whole + fraction + text[end:]
}

// AppendJSON appends the JSON text of a node.
func (n *Node) AppendJSON(into []byte) []byte {
	switch n.Type {
	case strictjson.String:
		return strictjson.AppendString(into, []byte(n.Text))
	case strictjson.Array, strictjson.Object:
		open, end := byte('['), byte(']')
		if n.Type == strictjson.Object {
			open, end = '{', '}'
		}
		into = append(into, open)
		for i, e := range n.Entries {
			if i > 0 {
				into = append(into, ',')
			}
			if n.Type == strictjson.Object {
				into = append(strictjson.AppendString(into, []byte(e.Key)), ':')
			}
			into = e.AppendJSON(into)
		}
		return append(into, end)
	}
	return append(into, n.Text...)
}
