package mutate

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// spec is a parsed spec whose parts know their place.
type spec struct {
	doc        *openapi3.T
	operations []*operation
	nodes      map[string]*node
	lists      map[string][]*node // of allOf, anyOf and oneOf, by their place
	bare       map[string]bool    // the media types without a schema, by their place
}

type operation struct {
	id, method, path, at string
	item                 *openapi3.PathItem
	operation            *openapi3.Operation
	request              *content
	required             bool
	security             [][]credential
	answers              []*answer
}

// answer is a documented response.
type answer struct {
	key      string // as in the spec: 201, 2XX or default
	status   int    // one that it is the answer for
	at       string
	content  *content
	headers  []header
	criteria []criterion
}

type content struct {
	at    string
	media []media // by name
}

type media struct {
	name   string // as in the spec
	at     string
	schema *node
}

type header struct {
	name     string // canonical
	at       string
	required bool
	schema   *node // nil where nothing reads it as one of the types
}

type credential struct {
	at, in, name, scheme string
}

// node is a schema with its pointer.
type node struct {
	*openapi3.Schema

	at                string
	least, most, step *big.Rat
	pattern           *regexp.Regexp
	enum              []any
}

// written reports whether the spec says a keyword, be it with its default.
func (n *node) written(keyword string) bool {
	if n.Origin == nil {
		return false
	}
	_, there := n.Origin.Fields.Lookup(keyword)
	return there
}

func (n *node) types() []string {
	if n.Type == nil {
		return nil
	}
	return n.Type.Slice()
}

func parse(data []byte) (*spec, error) {
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = true
	doc, err := loader.LoadFromData(data)
	if err != nil {
		return nil, fmt.Errorf("the spec cannot be loaded: %w", err)
	}
	if err := doc.Validate(context.Background(), openapi3.DisableExamplesValidation()); err != nil {
		return nil, fmt.Errorf("the spec is not valid: %w", err)
	}
	s := &spec{doc: doc, nodes: map[string]*node{}, lists: map[string][]*node{}, bare: map[string]bool{}}
	for _, path := range doc.Paths.InMatchingOrder() {
		item := doc.Paths.Value(path)
		at := target(item.Ref, pointer("paths", path))
		for _, method := range slices.Sorted(maps.Keys(item.Operations())) {
			o, err := s.operation(at+pointer(strings.ToLower(method)), path, method, item)
			if err != nil {
				return nil, err
			}
			s.operations = append(s.operations, o)
		}
	}
	return s, nil
}

// target is where a reference leads, or at.
func target(ref, at string) string {
	if strings.HasPrefix(ref, "#/") {
		return ref[1:]
	}
	return at
}

func (s *spec) operation(at, path, method string, item *openapi3.PathItem) (*operation, error) {
	of := item.Operations()[method]
	o := &operation{id: of.OperationID, method: method, path: path, at: at, item: item, operation: of}
	if o.id == "" {
		o.id = method + " " + path
	}
	if of.RequestBody != nil {
		o.request = s.content(target(of.RequestBody.Ref, at+"/requestBody"), of.RequestBody.Value.Content)
		o.required = of.RequestBody.Value.Required
	}
	requirements, securityAt := s.doc.Security, "/security"
	if of.Security != nil {
		requirements, securityAt = *of.Security, at+"/security"
	}
	for i, requirement := range requirements {
		var all []credential
		for _, name := range slices.Sorted(maps.Keys(requirement)) {
			c := credential{at: securityAt + pointer(strconv.Itoa(i), name), in: "header", name: "Authorization"}
			switch scheme := s.doc.Components.SecuritySchemes[name].Value; scheme.Type {
			case "apiKey":
				c.in, c.name = scheme.In, scheme.Name
			case "http":
				c.scheme = scheme.Scheme
			default:
				c.scheme = "Bearer"
			}
			all = append(all, c)
		}
		o.security = append(o.security, all)
	}
	for _, key := range slices.Sorted(maps.Keys(of.Responses.Map())) {
		a, err := s.answer(at, key, of.Responses.Value(key))
		if err != nil {
			return nil, err
		}
		o.answers = append(o.answers, a)
	}
	for _, a := range o.answers {
		a.status = o.statusFor(a.key)
	}
	return o, nil
}

func (s *spec) answer(operationAt, key string, ref *openapi3.ResponseRef) (*answer, error) {
	a := &answer{key: key, at: target(ref.Ref, operationAt+pointer("responses", key))}
	a.content = s.content(a.at, ref.Value.Content)
	for _, name := range slices.Sorted(maps.Keys(ref.Value.Headers)) {
		of := ref.Value.Headers[name]
		h := header{name: http.CanonicalHeaderKey(name), at: target(of.Ref, a.at+pointer("headers", name)), required: of.Value.Required}
		if h.name == "Content-Type" {
			continue // its definition counts for nothing (OpenAPI 3.0.3, Response Object)
		}
		if of.Value.Schema != nil {
			h.schema = s.node(of.Value.Schema, h.at+"/schema")
			if types := h.schema.types(); len(types) == 0 || slices.Contains(types, "object") {
				h.schema = nil
			}
		}
		a.headers = append(a.headers, h)
	}
	var err error
	a.criteria, err = readCriteria(a.at, ref.Value.Extensions["x-criteria"])
	return a, err
}

// statusFor finds a status that a response is for: with a body, and with no response of its own.
func (o *operation) statusFor(key string) int {
	if status, err := strconv.Atoi(key); err == nil {
		return status
	}
	candidates := []int{400, 404, 409, 418, 500, 503, 302, 200}
	if len(key) == 3 {
		for i := range 100 {
			candidates = append(candidates, int(key[0]-'0')*100+i)
		}
		candidates = candidates[8:]
	}
	for _, status := range candidates {
		if of := o.answerTo(status); of != nil && of.key == key && !bodiless(status) {
			return status
		}
	}
	return 0
}

// answerTo finds the response for a status: by its number, its range or default.
func (o *operation) answerTo(status int) *answer {
	for _, key := range []string{strconv.Itoa(status), strconv.Itoa(status/100) + "XX", strconv.Itoa(status/100) + "xx", "default"} {
		if i := slices.IndexFunc(o.answers, func(a *answer) bool { return a.key == key }); i >= 0 {
			return o.answers[i]
		}
	}
	return nil
}

func (s *spec) content(at string, of openapi3.Content) *content {
	if len(of) == 0 {
		return nil
	}
	c := &content{at: at + "/content"}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		m := media{name: name, at: c.at + pointer(name)}
		if of[name].Schema != nil {
			m.schema = s.node(of[name].Schema, m.at+"/schema")
		} else {
			s.bare[m.at] = true
		}
		c.media = append(c.media, m)
	}
	return c
}

// node follows references to the place where a schema stands.
func (s *spec) node(ref *openapi3.SchemaRef, at string) *node {
	for ref.Ref != "" {
		at = target(ref.Ref, at)
		name, isComponent := strings.CutPrefix(at, "/components/schemas/")
		next := s.doc.Components.Schemas[unescape(name)]
		if !isComponent || next == nil || next.Ref == "" {
			break
		}
		ref = next
	}
	if s.nodes[at] == nil {
		n := &node{Schema: ref.Value, at: at, least: limit(ref.Value.Min), most: limit(ref.Value.Max), step: limit(ref.Value.MultipleOf)}
		if n.Pattern != "" {
			n.pattern = regexp.MustCompile(n.Pattern) // kin-openapi has compiled it before
		}
		for _, value := range n.Enum {
			n.enum = append(n.enum, plainValue(value))
		}
		s.nodes[at] = n
	}
	return s.nodes[at]
}

func (s *spec) list(refs openapi3.SchemaRefs, at string) []*node {
	if len(refs) == 0 {
		return nil
	}
	all, known := s.lists[at]
	if !known {
		for i, ref := range refs {
			all = append(all, s.node(ref, at+pointer(strconv.Itoa(i))))
		}
		s.lists[at] = all
	}
	return all
}

func (s *spec) property(n *node, name string) *node {
	if ref := n.Properties[name]; ref != nil {
		return s.node(ref, n.at+pointer("properties", name))
	}
	return nil
}

// rest is the schema of the members without a name of their own, or nil.
func (s *spec) rest(n *node) *node {
	if n.AdditionalProperties.Schema != nil {
		return s.node(n.AdditionalProperties.Schema, n.at+"/additionalProperties")
	}
	return nil
}

func (n *node) closed() bool {
	has := n.AdditionalProperties.Has
	return has != nil && !*has
}

func (n *node) open() bool {
	return n.AdditionalProperties.Has != nil && *n.AdditionalProperties.Has || n.AdditionalProperties.Schema != nil
}
