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

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/fleetcontract/fleetio-go/conformance/internal/credentials"
	"github.com/fleetcontract/fleetio-go/conformance/internal/pathmatch"
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/internal/yamltree"
)

// Contract is a compiled spec that exchanges are checked against. It is safe for concurrent use.
type Contract struct {
	// Unchecked lists the parts of the spec that Check ignores.
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

// Unchecked is a part of the spec that [Contract.Check] ignores.
type Unchecked struct {
	Spec   Location `json:"spec"`
	Reason string   `json:"reason"`
}

// Location is a place in the spec.
type Location struct {
	Pointer string `json:"pointer"` // JSON pointer (RFC 6901)
	Line    int    `json:"line"`    // from 1
}

// SpecError is a defect of a spec.
type SpecError struct {
	Line    int    // from 1; 0 if unknown
	Pointer string // "" if unknown
	Reason  string
}

// Error returns the line and the pointer, if they are known, and the reason.
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
	path           pathmatch.Template
	pointer        string
	request        *content // nil where no body is documented
	required       bool     // the request needs a body
	security       credentials.Alternatives
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

// Load compiles an OpenAPI 3.0 spec, YAML or JSON, with the extensions x-assumed and x-criteria. References must stay
// inside the file. A spec or an extension that is not valid is an error: a [*SpecError] if its line is known.
func Load(spec []byte) (*Contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(spec)
	if err != nil {
		return nil, loadError(spec, err)
	}
	src, err := yamltree.Parse(spec)
	if err != nil {
		if at, ok := errors.AsType[*yamltree.Error](err); ok {
			return nil, &SpecError{Line: at.Line, Reason: at.Reason}
		}
		return nil, err
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.0.") {
		return nil, &SpecError{Line: src.Line("/openapi"), Pointer: "/openapi",
			Reason: fmt.Sprintf("expected OpenAPI 3.0, found %q", doc.OpenAPI)}
	}
	c := &Contract{source: src, schemas: map[*openapi3.Schema]*schema{}, names: map[string]bool{"Content-Type": true}}
	c.redaction = sync.OnceValue(func() *credentials.Rules { return c.rules() })
	// Before the library validates: its errors have no line.
	if err := c.rejectSiblings(); err != nil {
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
	c.addUncheckedFormats()
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
	if err := c.rejectIgnored(); err != nil {
		return nil, err
	}
	c.readClaims()
	c.checkers.New = func() any { return c.newChecker() }
	return c, nil
}

func (c *Contract) specError(pointer, reason string) error {
	return &SpecError{Line: c.source.Line(pointer), Pointer: pointer, Reason: reason}
}

// addUnchecked adds to Unchecked, once for each place.
func (c *Contract) addUnchecked(pointer, reason string) {
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
	op.path = pathmatch.New(servers, path)
	const parameters = "parameters of the path, the query, headers and cookies"
	if len(o.Parameters) > 0 {
		c.addUnchecked(op.pointer+"/parameters", parameters)
	}
	if len(item.Parameters) > 0 {
		c.addUnchecked(c.source.Canonical(strictjson.Pointer("paths", path))+"/parameters", parameters)
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
				c.addUnchecked(header.pointer, "headers that are objects or have content")
				header.schema = nil
			} else if headerTypes(header.schema) == nil {
				c.addUnchecked(header.pointer+"/schema", "headers without a type")
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

// bindStatuses finds the documented response for each status: by the status itself, its range, or default.
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

// response returns the documented response for a status, or nil.
func (op *operation) response(status int) *response {
	if status < 0 || status >= len(op.byStatus) {
		return op.responses["DEFAULT"]
	}
	return op.byStatus[status]
}

// operation returns the operation for a method and URL, or nil.
func (c *Contract) operation(method string, u *url.URL) *operation {
	for _, op := range c.operations {
		if op.method == method && op.path.Match(u.Path) {
			return op
		}
	}
	return nil
}

// loadError rewrites an error of the library that loads a spec. For a document that starts like JSON, the library reports
// the errors of its JSON and of its YAML parser, and the text of the former depends on the release of Go.
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
