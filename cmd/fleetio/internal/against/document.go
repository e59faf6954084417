package against

import (
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// document is the part of another document that is about the operations of a contract.
type document struct {
	contract *conformance.Contract
	tree     *yamltree.Tree          // for the lines; nil if those of the contract are right
	ours     map[string]ourOperation // by the "METHOD path" of the document
	others   int                     // number of its other operations
	mistakes []conformance.Unchecked // in what is compared, which are left out
}

// ourOperation is an operation of the contract.
type ourOperation struct{ id, path string }

// read reads a document (OpenAPI 3.0). Mistakes in what is not about the operations of the contract do not matter.
func read(file string, ours *conformance.Contract) (*document, error) {
	text, open, err := yamltree.ReadFile(file, conformance.MaxSpec)
	if err != nil {
		return nil, err
	}
	tree, err := yamltree.Parse(text, filepath.Base(file), open)
	if err == nil {
		d := &document{tree: tree, ours: map[string]ourOperation{}}
		d.match(ours.Document())
		for range maxRepairs {
			part, ok := d.part()
			if !ok {
				break
			}
			d.contract, err = conformance.Load(part)
			mistakes := conformance.SpecErrors(err)
			for _, mistake := range mistakes {
				mistake.Line = d.tree.Line(mistake.Pointer)
			}
			if err == nil || !d.remove(mistakes) {
				return d, err
			}
		}
		d.tree = nil
		d.contract, err = conformance.LoadFile(file)
		return d, err
	}
	_, err = conformance.LoadFile(file) // which has the line
	return nil, err
}

// maxRepairs is how often mistakes are removed: to remove one may make others.
const maxRepairs = 10

// remove removes what has a mistake from the tree, and notes it. It reports whether there was something to remove.
func (d *document) remove(mistakes []*conformance.SpecError) bool {
	removed := false
	for _, mistake := range mistakes {
		tokens := strictjson.SplitPointer(mistake.Pointer)
		if len(tokens) < 3 { // a part of the document that no comparison goes without
			return false
		}
		parent := d.tree.Node(strictjson.Pointer(tokens[:len(tokens)-1]...))
		if parent == nil || parent.Type != strictjson.Object {
			return false
		}
		left := slices.DeleteFunc(slices.Clone(parent.Entries), func(e yamltree.Entry) bool { return e.Key == tokens[len(tokens)-1] })
		if len(left) < len(parent.Entries) {
			parent.Entries, removed = left, true
			d.mistakes = append(d.mistakes, conformance.Unchecked{Reason: mistake.Reason,
				Spec: conformance.Location{Pointer: mistake.Pointer, Line: mistake.Line}})
		}
	}
	return removed
}

// location returns the place of a claim in the document.
func (d *document) location(c *conformance.Claim) conformance.Location {
	at := c.Spec
	if d.tree != nil {
		at.Line = d.tree.Line(at.Pointer)
	}
	return at
}

// methods of a Path Item Object (OpenAPI 3.0.3).
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// match finds the operations of the contract in the document: by method and path, below the path of the first server or
// without it, whatever the names of path parameters are.
func (d *document) match(ours *openapi.Document) {
	server := d.server().BasePath()
	paths := d.tree.Node("/paths")
	if paths == nil {
		return
	}
	for _, entry := range paths.Entries {
		item := matching(ours, server+entry.Key)
		for _, e := range entry.Entries {
			if !slices.Contains(methods, e.Key) {
				continue
			}
			method := strings.ToUpper(e.Key)
			i := -1
			if item != nil {
				i = slices.IndexFunc(item.Operations, func(o *openapi.Operation) bool { return o.Method == method })
			}
			if i < 0 {
				d.others++
				continue
			}
			d.ours[method+" "+entry.Key] = ourOperation{item.Operations[i].ID, item.Path}
		}
	}
}

// server returns the first server of the document.
func (d *document) server() (s openapi.Server) {
	if at := d.tree.Node("/servers/0/url"); at != nil {
		s.URL = at.Text
	}
	if at := d.tree.Node("/servers/0/variables"); at != nil {
		s.Variables = map[string]openapi.Variable{}
		for _, v := range at.Entries {
			if byDefault, _ := d.tree.Child(v.Node, "default"); byDefault != nil {
				s.Variables[v.Key] = openapi.Variable{Default: byDefault.Text}
			}
		}
	}
	return s
}

// matching returns the path item of the spec for a path, or nil: that with the same segments, or else one of which the
// other is the end.
func matching(ours *openapi.Document, path string) *openapi.PathItem {
	var closest *openapi.PathItem
	segments := segmentsOf(path)
	for _, item := range ours.Paths {
		server := ""
		if len(ours.Servers) > 0 {
			server = ours.Servers[0].BasePath()
		}
		own := segmentsOf(server + item.Path)
		switch n := min(len(own), len(segments)); {
		case slices.Equal(own, segments):
			return item
		case n > 0 && slices.Equal(own[len(own)-n:], segments[len(segments)-n:]):
			prefix := slices.Concat(own[:len(own)-n], segments[:len(segments)-n])
			isName := func(segment string) bool { return segment != "{}" }
			if !slices.Contains(prefix, "{}") && slices.ContainsFunc(own[len(own)-n:], isName) {
				closest = item
			}
		}
	}
	return closest
}

// segmentsOf returns the segments of a path, those with a parameter as {}.
func segmentsOf(path string) []string {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = "{}"
		}
	}
	return segments
}

// part returns the part of the document that is about the operations, at the same pointers. It is false if that refers to
// other files or to other operations.
func (d *document) part() ([]byte, bool) {
	c := &copier{}
	root, paths := newObject(), newObject()
	components := map[string]*yamltree.Node{"securitySchemes": newObject()}
	for _, e := range d.tree.Root.Entries {
		switch e.Key {
		case "openapi", "swagger", "info", "servers", "security":
			add(root, e.Key, c.copied(e.Node, false))
		case "paths":
			for _, item := range e.Entries {
				if n := d.operationsOf(item); n != nil {
					add(paths, item.Key, c.copied(n, false))
				}
			}
		}
	}
	if schemes := d.tree.Node("/components/securitySchemes"); schemes != nil {
		components["securitySchemes"] = c.copied(schemes, true)
	}
	seen := map[[2]string]bool{}
	for len(c.references) > 0 {
		tokens := strictjson.SplitPointer(c.references[0])
		c.references = c.references[1:]
		if len(tokens) < 3 || tokens[0] != "components" {
			return nil, false
		}
		name := [2]string(tokens[1:3])
		n := d.tree.Node(strictjson.Pointer("components", name[0], name[1]))
		if n == nil || seen[name] || name[0] == "securitySchemes" {
			continue // the checker reports a reference to nothing
		}
		seen[name] = true
		if components[name[0]] == nil {
			components[name[0]] = newObject()
		}
		add(components[name[0]], name[1], c.copied(n, false))
	}
	add(root, "paths", paths)
	add(root, "components", newObject())
	for _, kind := range slices.Sorted(maps.Keys(components)) {
		add(root.Entries[len(root.Entries)-1].Node, kind, components[kind])
	}
	return root.AppendJSON(nil), !c.leavesFile
}

// operationsOf returns a path item with the operations of the contract only, or nil if it has none.
func (d *document) operationsOf(item yamltree.Entry) *yamltree.Node {
	n, has := newObject(), false
	for _, e := range item.Entries {
		_, isOurs := d.ours[strings.ToUpper(e.Key)+" "+item.Key]
		if isOurs || !slices.Contains(methods, e.Key) {
			add(n, e.Key, e.Node)
		}
		has = has || isOurs
	}
	if !has {
		return nil
	}
	return n
}

// copier copies what claims are made of, and collects the references in it.
type copier struct {
	references []string // pointers
	leavesFile bool
}

// nameMaps are the keywords whose keys are names.
var nameMaps = []string{"callbacks", "content", "encoding", "headers", "mapping", "parameters", "properties", "requestBodies", "responses",
	"schemas", "scopes", "securitySchemes", "variables"}

// unclaimed are the keywords that make no claims, and whose mistakes do not matter.
var unclaimed = []string{"callbacks", "example", "examples", "externalDocs", "links", "tags", "xml"}

// copied returns a copy of a node. names reports that its keys are names.
func (c *copier) copied(n *yamltree.Node, names bool) *yamltree.Node {
	if !names && len(n.Entries) == 2 && hasKey(n, "$ref") && hasKey(n, "nullable") {
		n = nullableReference(n)
	}
	copied := &yamltree.Node{Type: n.Type, Line: n.Line, Text: n.Text}
	for _, e := range n.Entries {
		isKeyword := !names && n.Type == strictjson.Object
		switch {
		case !isKeyword:
			add(copied, e.Key, c.copied(e.Node, false))
		case strings.HasPrefix(e.Key, "x-"), slices.Contains(unclaimed, e.Key):
		case e.Key == "default", e.Key == "enum":
			add(copied, e.Key, e.Node)
		case e.Key == "$ref":
			c.refer(e.Text)
			add(copied, e.Key, e.Node)
		case e.Key == "mapping":
			for _, to := range e.Entries {
				if strings.Contains(to.Text, "/") {
					c.refer(to.Text)
				} else {
					c.refer("#" + strictjson.Pointer("components", "schemas", to.Text))
				}
			}
			add(copied, e.Key, e.Node)
		default:
			add(copied, e.Key, c.copied(e.Node, slices.Contains(nameMaps, e.Key) && e.Type == strictjson.Object))
		}
	}
	return copied
}

func hasKey(n *yamltree.Node, key string) bool {
	return slices.ContainsFunc(n.Entries, func(e yamltree.Entry) bool { return e.Key == key })
}

// nullableReference returns a schema for a reference with nullable beside it, which OpenAPI 3.0 ignores and authors mean.
func nullableReference(n *yamltree.Node) *yamltree.Node {
	schema, reference := newObject(), newObject()
	for _, e := range n.Entries {
		if e.Key == "$ref" {
			add(reference, e.Key, e.Node)
			add(schema, "allOf", &yamltree.Node{Type: strictjson.Array, Entries: []yamltree.Entry{{Node: reference}}})
		} else {
			add(schema, e.Key, e.Node)
		}
	}
	return schema
}

func (c *copier) refer(reference string) {
	pointer, isHere := strings.CutPrefix(reference, "#")
	if unescaped, err := url.PathUnescape(pointer); err == nil {
		pointer = unescaped
	}
	if !isHere || !strings.HasPrefix(pointer, "/") {
		c.leavesFile = true
		return
	}
	c.references = append(c.references, pointer)
}

func newObject() *yamltree.Node { return &yamltree.Node{Type: strictjson.Object} }

func add(to *yamltree.Node, key string, n *yamltree.Node) {
	to.Entries = append(to.Entries, yamltree.Entry{Node: n, Key: key})
}
