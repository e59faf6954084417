package conformance

import (
	"cmp"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance/internal/assumed"
	"github.com/fleetcontract/fleetio-go/conformance/internal/credentials"
	"github.com/fleetcontract/fleetio-go/conformance/internal/pathmatch"
	"github.com/fleetcontract/fleetio-go/conformance/internal/styles"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// Contract is a compiled spec that exchanges are checked against. It is safe for concurrent use.
type Contract struct {
	// Unchecked lists the parts of the spec that Check ignores.
	Unchecked []Unchecked

	document    *openapi.Document
	source      *yamltree.Tree
	assumptions assumed.Assumptions
	operations  []*operation
	schemas     []*schema                         // by ID
	shapes      styles.Shapes                     // of those that texts have
	names       map[string]bool                   // of every property, parameter and header
	schemes     map[string]credentials.Credential // by the name of the security scheme
	given       []*url.URL                        // servers of the user, see [Servers]
	hosts       pathmatch.Hosts

	info      SpecInfo
	claims    []Claim
	claimAt   map[claimKey]int
	claimRefs []claimRef
	checkers  sync.Pool
	redaction func() *credentials.Rules // once
}

// Spec returns what reports say of the spec.
func (c *Contract) Spec() SpecInfo { return c.info }

// Document returns the parsed spec, for the packages of this module.
func (c *Contract) Document() *openapi.Document { return c.document }

// Source returns the bytes of the spec, which the caller must not change, without the files that it refers to.
func (c *Contract) Source() []byte { return c.source.Text("") }

// Files returns the sorted names of the files that the spec refers to, relative to its folder.
func (c *Contract) Files() []string { return c.source.Files() }

// Unchecked is a part of the spec that [Contract.Check] ignores: it is not supported, or the spec has a mistake that is
// harmless otherwise.
type Unchecked struct {
	Spec   Location `json:"spec"`
	Reason string   `json:"reason"`
}

// Location is a place in the spec.
type Location struct {
	// File is relative to the folder of the spec, with slashes; "" for the spec itself.
	File string `json:"file,omitempty"`
	// Pointer is a JSON pointer (RFC 6901). In a File, its first token is the name of the file.
	Pointer string `json:"pointer"`
	Line    int    `json:"line"` // from 1
}

// In returns the file that the place is in, if the spec is the file with a path, or with a URL.
func (l Location) In(spec string) string {
	if l.File == "" {
		return spec
	}
	slashed := filepath.ToSlash(spec)
	return slashed[:strings.LastIndexByte(slashed, '/')+1] + l.File
}

func (l Location) compare(other Location) int {
	return cmp.Or(strings.Compare(l.File, other.File), l.Line-other.Line, strings.Compare(l.Pointer, other.Pointer))
}

type operation struct {
	id             string // operationId, or method and path
	method         string
	path           *pathmatch.Template
	pointer        string
	parameters     []*parameter
	query          []*styles.Field // of the parameters
	request        *content        // nil where no body is documented
	required       bool            // the request needs a body
	security       credentials.Alternatives
	securityClaims [][]int              // as security
	responses      map[string]*response // by status, range ("2XX") or "DEFAULT"
	statuses       map[int]*response    // by status, or by the first digit for a range
}

type response struct {
	pointer  string
	claim    int
	body     *content // nil where no body is documented
	headers  []*parameter
	criteria []*criterion
}

// sourceOf returns the source of the claim at pointer, and the reason if it is assumed.
func (c *Contract) sourceOf(pointer string) (Source, string) {
	if reason, ok := c.assumptions.Reason(pointer); ok {
		return Assumed, reason
	}
	return Documented, ""
}

// addUnchecked adds to Unchecked, once for each place.
func (c *Contract) addUnchecked(pointer, reason string) {
	if u := (Unchecked{Spec: c.location(pointer), Reason: reason}); !slices.Contains(c.Unchecked, u) {
		c.Unchecked = append(c.Unchecked, u)
	}
}

func (c *Contract) location(pointer string) Location {
	return Location{File: c.source.File(pointer), Pointer: pointer, Line: c.source.Line(pointer)}
}

func (c *Contract) addOperation(doc *openapi.Document, item *openapi.PathItem, o *openapi.Operation) *SpecError {
	op := &operation{id: o.ID, method: o.Method, pointer: o.Pointer, responses: map[string]*response{}}
	servers := doc.Servers
	for _, own := range [][]openapi.Server{item.Servers, o.Servers} {
		if len(own) > 0 {
			servers = own
		}
	}
	paths, problem := pathmatch.WithAliases(c.source, item.Path)
	if problem != nil {
		return specError(c.source, problem.Pointer, problem.Reason)
	}
	at := pathmatch.NewServers(servers, c.given)
	c.hosts.Add(at)
	op.path = pathmatch.New(at, paths...)
	c.readParameters(op, o.Parameters)
	c.readParameters(op, item.Parameters)
	if o.RequestBody != nil {
		op.request = c.newContent(o.RequestBody.Pointer, o.RequestBody.Content)
		op.required = o.RequestBody.Required
	}
	op.security = credentials.Required(c.schemes, doc.Security, "/security")
	if o.Security != nil {
		op.security = credentials.Required(c.schemes, o.Security, op.pointer+"/security")
	}
	for _, status := range sortedKeys(o.Responses) {
		from := o.Responses[status]
		r := &response{pointer: from.Pointer}
		r.body = c.newContent(r.pointer, from.Content)
		for _, name := range sortedKeys(from.Headers) {
			if http.CanonicalHeaderKey(name) == "Content-Type" {
				continue // OpenAPI 3.0.3, Response Object: its definition is ignored
			}
			r.headers = append(r.headers, c.newParameter(inResponseHeader, from.Headers[name], http.CanonicalHeaderKey(name)))
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

// bindStatuses indexes the documented responses.
func (op *operation) bindStatuses() {
	op.statuses = make(map[int]*response, len(op.responses))
	for key, r := range op.responses {
		if status, err := strconv.Atoi(strings.TrimSuffix(key, "XX")); err == nil {
			op.statuses[status] = r
		}
	}
}

// response returns the documented response for a status, or nil: by the status itself, its range, or default.
func (op *operation) response(status int) *response {
	if r := op.statuses[status]; r != nil && status > 9 {
		return r
	}
	return cmp.Or(op.statuses[status/100], op.responses["DEFAULT"])
}

// target is what a request is for.
type target struct {
	op       *operation
	segments []string // the values of the path's parameters
	err      error    // [ErrOtherHost] or [ErrNoOperation] if it is for no operation
}

// target returns the target of a request with a method, or any if it is "", and a URL.
func (c *Contract) target(method string, u *url.URL) target {
	at := pathmatch.PlaceOf(u)
	if !c.hosts.Has(at) {
		return target{err: ErrOtherHost}
	}
	for _, op := range c.operations {
		if op.method != method && method != "" {
			continue
		}
		if segments, ok := op.path.Match(at); ok {
			return target{op, segments, nil}
		}
	}
	return target{err: ErrNoOperation}
}
