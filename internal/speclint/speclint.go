// Package speclint finds the mistakes in an OpenAPI 3.0 document: what the specification forbids, and what it allows and
// surely means something else. It resolves the references.
package speclint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/spelling"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// Problem is a mistake in a document.
type Problem struct {
	Pointer string // JSON pointer
	Reason  string
	// Err is a defect of another file, which has the place.
	Err *yamltree.Error
}

// Result is what Check found.
type Result struct {
	Errors []Problem
	// Ignored lists what has no effect, or is harmless: the document can be used without it.
	Ignored []Problem
	// Criteria are the pointers of the x-criteria of responses.
	Criteria []string
}

// The extensions that the checker or the project's linter reads.
const (
	AssumedKey  = "x-assumed"
	CriteriaKey = "x-criteria"
	AliasesKey  = "x-path-aliases"
	FixtureKey  = "x-fixture"
)

var knownExtensions = []string{AssumedKey, CriteriaKey, AliasesKey, FixtureKey, "x-lint-ignore"}

// Check checks a document.
func Check(t *yamltree.Tree) Result {
	l := &linter{tree: t, checked: map[string]string{}, extensions: map[string]bool{}, operationIDs: map[string]string{}}
	version := t.Node("/openapi")
	switch {
	case t.Node("/swagger") != nil:
		l.errorf("/swagger", "this is a document of Swagger %s: convert it to OpenAPI 3.0", t.Node("/swagger").Text)
	case version == nil:
		l.errorf("", "this is no OpenAPI document: it has no field openapi, such as openapi: 3.0.3")
	case version.Text != "3.0" && !strings.HasPrefix(version.Text, "3.0."):
		l.errorf("/openapi", "expected OpenAPI 3.0, found OpenAPI %q, whose schemas differ: convert the document to 3.0", version.Text)
	default:
		l.value("", t.Root, "document")
		l.securityRequirements()
		if paths := t.Node("/paths"); len(l.Errors) == 0 && !l.operation && paths != nil {
			l.errorf("/paths", "the spec documents no operation")
		}
	}
	return l.Result
}

type linter struct {
	Result

	tree         *yamltree.Tree
	checked      map[string]string // the kind of each object that was checked, by pointer
	extensions   map[string]bool
	operationIDs map[string]string // the operation of each
	operation    bool              // there is one
	requirements []string          // the pointers of the security requirements' entries
}

func (l *linter) errorf(at, format string, args ...any) {
	l.Errors = append(l.Errors, Problem{Pointer: at, Reason: fmt.Sprintf(format, args...)})
}

func (l *linter) ignoref(at, format string, args ...any) {
	l.Ignored = append(l.Ignored, Problem{Pointer: at, Reason: fmt.Sprintf(format, args...)})
}

// value checks a value of a type, see objects.
func (l *linter) value(at string, n *yamltree.Node, kind string) {
	if kind == "any" {
		return
	}
	if n.Type == strictjson.Null {
		l.errorf(at, "%s has no value", lastToken(at))
		return
	}
	switch kind[0] {
	case '[':
		if n.Type != strictjson.Array {
			l.errorf(at, "expected a list, found %s", describe(n))
			return
		}
		for i, e := range n.Entries {
			l.value(at+"/"+strconv.Itoa(i), e.Node, kind[1:len(kind)-1])
		}
	case '{':
		if n.Type != strictjson.Object {
			l.errorf(at, "expected an object, found %s", describe(n))
			return
		}
		for _, e := range n.Entries {
			l.value(at+token(e.Key), e.Node, kind[1:len(kind)-1])
		}
	case '&':
		if ref := l.reference(n); ref != nil {
			l.follow(at, n, ref, kind[1:])
			return
		}
		l.value(at, n, kind[1:])
	default:
		l.named(at, n, kind)
	}
}

// named checks a scalar, or an object of the grammar.
func (l *linter) named(at string, n *yamltree.Node, kind string) {
	expected := ""
	switch kind {
	case "string": // numbers and booleans are written without quotes by many
		if !n.Scalar() {
			expected = "a string"
		}
	case "boolean":
		if n.Type != strictjson.Boolean {
			expected = "true or false"
		}
	case "number":
		if n.Type != strictjson.Number {
			expected = "a number"
		}
	case "count":
		if n.Type != strictjson.Number || strings.HasPrefix(n.Text, "-") || !strictjson.Exact(n.Text).IsInt() {
			expected = "a whole number of at least 0"
		}
	case "additional":
		if n.Type != strictjson.Boolean {
			l.value(at, n, "&schema")
		}
	default:
		l.object(at, n, kind)
	}
	if expected != "" {
		l.errorf(at, "expected %s, found %s", expected, describe(n))
	}
}

func (l *linter) object(at string, n *yamltree.Node, kind string) {
	if before, known := l.checked[at]; known {
		if before != kind {
			l.errorf(at, "expected %s, but another place refers to it as %s", title(kind), title(before))
		}
		return
	}
	l.checked[at] = kind
	if n.Type != strictjson.Object {
		l.errorf(at, "expected %s, found %s", title(kind), describe(n))
		return
	}
	grammar := objects[kind]
	for _, name := range grammar.required {
		if l.child(n, name) == nil {
			l.errorf(at, "%s needs the field %s", title(kind), name)
		}
	}
	for _, e := range n.Entries {
		fieldType := grammar.fields[e.Key]
		switch {
		case strings.HasPrefix(e.Key, "x-") && kind != "requirement":
			l.extension(at+token(e.Key), e.Key, kind)
		case fieldType == "":
			if fieldType = grammar.fields["*"]; fieldType == "" {
				l.errorf(at+token(e.Key), "%s", unknownField(e.Key, kind, grammar.names))
				continue
			}
			l.value(at+token(e.Key), e.Node, fieldType)
		case e.Scalar() && scalarOK(e.Node, fieldType): // most fields, without their pointer
		default:
			l.value(at+"/"+e.Key, e.Node, fieldType)
		}
	}
	if check := checks[kind]; check != nil {
		check(l, at, n)
	}
}

// scalarOK reports whether a scalar has one of the most frequent types.
func scalarOK(n *yamltree.Node, kind string) bool {
	return kind == "any" || kind == "string" && n.Type != strictjson.Null || kind == "boolean" && n.Type == strictjson.Boolean
}

func unknownField(key, kind string, names []string) string {
	text := key + " is not a field of " + title(kind)
	if kind == "schema" {
		text = key + " is not a schema keyword of OpenAPI 3.0"
	}
	if hint := spelling.Closest(key, names); hint != "" {
		text += "; did you mean " + hint + "?"
	}
	return text
}

func (l *linter) extension(at, key, kind string) {
	switch {
	case key == CriteriaKey && kind != "response":
		l.errorf(at, "x-criteria belongs beside the content of a response")
	case key == CriteriaKey:
		l.Criteria = append(l.Criteria, at)
	case slices.Contains(knownExtensions, key):
	case spelling.Closest(key, []string{AssumedKey, CriteriaKey}) != "":
		l.errorf(at, "unknown extension %s; did you mean %s?", key, spelling.Closest(key, []string{AssumedKey, CriteriaKey}))
	case !l.extensions[key]:
		l.extensions[key] = true
		l.ignoref(at, "the extension %s", key)
	}
}

// reference returns the node of $ref, or nil if n is no reference.
func (l *linter) reference(n *yamltree.Node) *yamltree.Node {
	if n.Type != strictjson.Object {
		return nil
	}
	if ref := l.child(n, "$ref"); ref != nil && ref.Type == strictjson.String {
		return ref
	}
	return nil
}

// follow checks a reference and what it leads to.
func (l *linter) follow(at string, n, ref *yamltree.Node, kind string) {
	if _, known := l.checked[at]; known {
		return
	}
	l.checked[at] = kind
	for _, e := range n.Entries {
		// OpenAPI 3.0.3, Reference Object: they are ignored. A description says nothing that could be checked.
		if e.Key != "$ref" && e.Key != "description" && e.Key != "summary" && !strings.HasPrefix(e.Key, "x-") {
			l.ignoref(at+token(e.Key), "%s beside a $ref is ignored: put both into an allOf", e.Key)
		}
	}
	target := at
	for range yamltree.MaxChain {
		from := target
		var err error
		target, err = l.tree.Resolve(from, ref)
		if err != nil {
			p := Problem{Pointer: from + "/$ref", Reason: err.Error()}
			p.Err, _ = err.(*yamltree.Error)
			l.Errors = append(l.Errors, p)
			return
		}
		if target == at {
			break
		}
		to := l.tree.Node(target)
		if ref = l.reference(to); ref == nil {
			l.value(target, to, kind)
			return
		}
	}
	l.errorf(at+"/$ref", "the reference refers to itself")
}

func (l *linter) child(n *yamltree.Node, key string) *yamltree.Node {
	below, _ := l.tree.Child(n, key)
	return below
}

// text returns the text of a scalar field, or "".
func (l *linter) text(n *yamltree.Node, key string) string {
	if below := l.child(n, key); below != nil && below.Scalar() {
		return below.Text
	}
	return ""
}

func token(key string) string { return strictjson.Pointer(key) }

func lastToken(at string) string {
	tokens := strictjson.SplitPointer(at)
	if len(tokens) == 0 {
		return "the document"
	}
	return tokens[len(tokens)-1]
}

func describe(n *yamltree.Node) string {
	switch n.Type {
	case strictjson.Null:
		return "no value"
	case strictjson.Object:
		return "an object"
	case strictjson.Array:
		return "a list"
	case strictjson.String:
		return strconv.Quote(n.Text)
	}
	return n.Text
}
