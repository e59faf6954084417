package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance/internal/yamltree"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/fleetcontract/fleetio-go/conformance/internal/credentials"
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// Contract is a spec, ready to judge exchanges. It is safe for concurrent use.
type Contract struct {
	// Unchecked lists what the spec claims and Check does not look at, so that nobody takes silence for a pass.
	Unchecked []Unchecked

	source      *yamltree.Tree
	assumptions assumptions
	operations  []*operation
	schemas     map[*openapi3.Schema]*schema
	names       map[string]bool // of every property and header

	title, version string
	hash           string // of the spec's bytes
	claims         []Claim
	claimAt        map[claimKey]int
	checkers       sync.Pool
	redaction      func() *credentials.Rules // once
}

// Unchecked is a claim that Check does not look at.
type Unchecked struct {
	Spec   Location `json:"spec"`
	Reason string   `json:"reason"`
}

// Location is a place in the spec.
type Location struct {
	Pointer string `json:"pointer"` // JSON pointer (RFC 6901)
	Line    int    `json:"line"`    // counted from 1
}

// SpecError says what in a spec cannot be used.
type SpecError struct {
	Line    int    // 0 where unknown
	Pointer string // "" where unknown
	Reason  string
}

// Error returns the reason, after the line and the pointer where they are known.
func (e *SpecError) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", e.Line)
	}
	if e.Pointer != "" {
		fmt.Fprintf(&b, "#%s: ", e.Pointer)
	}
	return b.String() + e.Reason
}

type operation struct {
	id             string // operationId, or method and path
	method         string
	path           pathTemplate
	pointer        string
	request        *content // nil where no body is documented
	required       bool     // the request needs a body
	security       []alternative
	securityClaims [][]int              // as security
	responses      map[string]*response // by status, range ("2XX") or "default"
	byStatus       [1000]*response
}

type response struct {
	pointer            string
	noBody             string // pointer of the claim that there is no body, if there is none
	claim, noBodyClaim int
	body               *content // nil where no body is documented
	headers            []header
	criteria           []*criterion
}

// Load reads an OpenAPI 3.0 spec, YAML or JSON, with this project's extensions x-assumed and x-criteria. References
// stay inside the file. A spec that is not valid, or an extension that means nothing, is an error; a [*SpecError]
// where a line can be named.
func Load(spec []byte) (*Contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(spec)
	if err != nil {
		return nil, loadError(spec, err)
	}
	src, err := yamltree.Parse(spec)
	if err != nil {
		var at *yamltree.Error
		if errors.As(err, &at) {
			return nil, &SpecError{Line: at.Line, Reason: at.Reason}
		}
		return nil, err
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.0.") {
		return nil, &SpecError{Line: src.Line("/openapi"), Pointer: "/openapi",
			Reason: fmt.Sprintf("expected OpenAPI 3.0, found %q", doc.OpenAPI)}
	}
	c := &Contract{source: src, schemas: map[*openapi3.Schema]*schema{}, names: map[string]bool{"Content-Type": true}}
	c.redaction = sync.OnceValue(c.newRedaction)
	// Before the library validates, which names no line.
	if err := c.refuseSiblings(); err != nil {
		return nil, err
	}
	if err := c.readSchemas(doc); err != nil {
		return nil, err
	}
	c.compileSchemas()
	if err := doc.Validate(context.Background(), openapi3.DisableExamplesValidation()); err != nil {
		return nil, fmt.Errorf("the spec is not valid OpenAPI 3.0: %w", err)
	}
	c.title, c.version, c.hash = doc.Info.Title, doc.Info.Version, fmt.Sprintf("%x", sha256.Sum256(spec))
	if c.assumptions, err = readAssumptions(src); err != nil {
		return nil, err
	}
	c.noteFormats()
	for _, path := range doc.Paths.InMatchingOrder() {
		item := doc.Paths.Value(path)
		for _, method := range slices.Sorted(maps.Keys(item.Operations())) {
			if err := c.addOperation(doc, path, item, method); err != nil {
				return nil, err
			}
		}
	}
	if len(c.operations) == 0 {
		return nil, &SpecError{Line: src.Line("/paths"), Pointer: "/paths", Reason: "the spec documents no operation"}
	}
	if err := c.refuseTheUnsaid(); err != nil {
		return nil, err
	}
	c.readClaims()
	c.checkers.New = func() any { return c.newChecker() }
	return c, nil
}

func (c *Contract) specError(pointer, reason string) error {
	return &SpecError{Line: c.source.Line(pointer), Pointer: pointer, Reason: reason}
}

// note adds to Unchecked, once for what several places refer to.
func (c *Contract) note(pointer, reason string) {
	if u := (Unchecked{Spec: c.location(pointer), Reason: reason}); !slices.Contains(c.Unchecked, u) {
		c.Unchecked = append(c.Unchecked, u)
	}
}

func (c *Contract) location(pointer string) Location {
	return Location{Pointer: pointer, Line: c.source.Line(pointer)}
}

func (c *Contract) addOperation(doc *openapi3.T, path string, item *openapi3.PathItem, method string) error {
	o := item.Operations()[method]
	op := &operation{
		id:        o.OperationID,
		method:    method,
		pointer:   c.source.Canonical(strictjson.Pointer("paths", path)) + strictjson.Pointer(strings.ToLower(method)),
		responses: map[string]*response{},
	}
	if op.id == "" {
		op.id = method + " " + path
	}
	servers := doc.Servers
	if len(item.Servers) > 0 {
		servers = item.Servers
	}
	if o.Servers != nil {
		servers = *o.Servers
	}
	op.path = newPathTemplate(servers, path)
	const parameters = "parameters of the path, the query, headers and cookies"
	if len(o.Parameters) > 0 {
		c.note(op.pointer+"/parameters", parameters)
	}
	if len(item.Parameters) > 0 {
		c.note(c.source.Canonical(strictjson.Pointer("paths", path))+"/parameters", parameters)
	}
	if o.RequestBody != nil {
		at := c.source.Canonical(op.pointer + "/requestBody")
		op.request = c.newContent(at, o.RequestBody.Value.Content)
		op.required = o.RequestBody.Value.Required
	}
	op.readSecurity(doc, o, c.names)
	for status, ref := range o.Responses.Map() {
		r := &response{pointer: c.source.Canonical(op.pointer + strictjson.Pointer("responses", status))}
		r.body = c.newContent(r.pointer, ref.Value.Content)
		r.noBody = c.source.Below(r.pointer, "content")
		for _, name := range slices.Sorted(maps.Keys(ref.Value.Headers)) {
			if http.CanonicalHeaderKey(name) == "Content-Type" {
				continue // OpenAPI 3.0.3, Response Object: its definition is ignored
			}
			h := ref.Value.Headers[name].Value
			header := header{
				name:     http.CanonicalHeaderKey(name),
				place:    strictjson.Pointer(http.CanonicalHeaderKey(name)),
				pointer:  c.source.Canonical(r.pointer + strictjson.Pointer("headers", name)),
				required: h.Required,
			}
			c.names[header.name] = true
			header.schema = c.schemaOf(h.Schema)
			if header.schema == nil || slices.Contains(headerTypes(header.schema), "object") {
				c.note(header.pointer, "headers that are objects or have content")
				header.schema = nil
			} else if headerTypes(header.schema) == nil {
				c.note(header.pointer+"/schema", "headers without a type")
				header.schema = nil
			}
			r.headers = append(r.headers, header)
		}
		if err := c.readCriteria(op, r); err != nil {
			return err
		}
		op.responses[strings.ToUpper(status)] = r
	}
	op.bindStatuses()
	c.operations = append(c.operations, op)
	return nil
}

// bindStatuses finds what the contract says of each status: exactly, else by its range, else by default.
func (op *operation) bindStatuses() {
	for status := range op.byStatus {
		for _, key := range []string{strconv.Itoa(status), fmt.Sprintf("%dXX", status/100), "DEFAULT"} {
			if r := op.responses[key]; r != nil {
				op.byStatus[status] = r
				break
			}
		}
	}
}

// response returns what the contract says of a status; nil if nothing.
func (op *operation) response(status int) *response {
	if status < 0 || status >= len(op.byStatus) {
		return op.responses["DEFAULT"]
	}
	return op.byStatus[status]
}

// operation finds the operation that a request is for, or nil.
func (c *Contract) operation(method string, u *url.URL) *operation {
	for _, op := range c.operations {
		if op.method == method && op.path.match(u.Path) {
			return op
		}
	}
	return nil
}

// loadError words an error of the library that loads a spec. Of a document that begins as JSON does, the library says how
// it failed as JSON and how as YAML, and the former in words that depend on the release of Go.
func loadError(spec []byte, err error) error {
	_, asYAML, both := strings.Cut(err.Error(), ", yaml error: ")
	if !both {
		return fmt.Errorf("the spec cannot be loaded: %w", err)
	}
	var invalid *strictjson.Error
	d := strictjson.NewDecoder(spec)
	if err := errors.Join(d.Skip(), d.End()); !errors.As(err, &invalid) {
		return errors.New("the spec cannot be loaded: " + asYAML)
	}
	line := 1 + bytes.Count(spec[:invalid.Offset], []byte("\n"))
	return &SpecError{Line: line, Reason: fmt.Sprintf("the spec cannot be loaded: as JSON: %v; as YAML: %s", invalid, asYAML)}
}
