package mutate

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/generate"
)

// contract is a parsed spec whose parts know their place in it.
type contract struct {
	doc        *openapi3.T
	schemas    map[string]*generate.Schema // by their place
	operations []*operation
}

type operation struct {
	id, method   string
	path         string // of the URL, with the base path of the first server and placeholders
	parameters   map[conformance.Part]*parameters
	request      *content // nil where it has no body
	bodyRequired bool
	security     [][]credential // alternatives
	responses    []*response
}

type response struct {
	key      string // as in the spec: 201, 2XX or default
	status   int    // one that it describes; 0 for none
	at       string
	content  *content // nil where it has no body
	headers  *parameters
	criteria []criterion
}

type content struct {
	at    string
	media []*media // by name
}

type media struct {
	name, at string
	schema   *generate.Schema
}

type credential struct {
	at, in, name, scheme string
}

// key is where the exchange model keeps the credential: among the headers, under a name that no header has where it
// belongs into the URL or a cookie.
func (c credential) key() string {
	if c.in != "header" {
		return c.in + " " + c.name
	}
	return http.CanonicalHeaderKey(c.name)
}

// value is a secret, after the word for its scheme where the Authorization header has one.
func (c credential) value() string {
	if c.key() == "Authorization" {
		return cmp.Or(c.scheme, "Token") + " k3y"
	}
	return "k3y-" + c.name
}

func parse(data []byte) (*contract, error) {
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = true
	doc, err := loader.LoadFromData(data)
	if err != nil {
		return nil, fmt.Errorf("the spec cannot be loaded: %w", err)
	}
	if err := doc.Validate(context.Background(), openapi3.DisableExamplesValidation()); err != nil {
		return nil, fmt.Errorf("the spec is not valid: %w", err)
	}
	c := &contract{doc: doc, schemas: map[string]*generate.Schema{}}
	for _, template := range doc.Paths.InMatchingOrder() {
		item := doc.Paths.Value(template)
		operations := item.Operations()
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			at := target(item.Ref, pointer("paths", template)) + pointer(strings.ToLower(method))
			o := &operation{id: operations[method].OperationID, method: method, parameters: map[conformance.Part]*parameters{}}
			for _, part := range parameterParts {
				o.parameters[part] = newParameters()
			}
			c.parameters(o, operations[method].Parameters, at)
			c.parameters(o, item.Parameters, target(item.Ref, pointer("paths", template)))
			if o.id == "" {
				o.id = method + " " + template
			}
			o.path = basePath(doc.Servers, item.Servers, operations[method].Servers) + template
			if err := c.operation(o, operations[method], at); err != nil {
				return nil, err
			}
			c.operations = append(c.operations, o)
		}
	}
	c.inheritance()
	return c, nil
}

var templated = regexp.MustCompile(`\{[^{}/]+\}`)

// operationOf finds the operation of an exchange that was made for one.
func (c *contract) operationOf(ex *traffic.Exchange) *operation {
	i := slices.IndexFunc(c.operations, func(o *operation) bool {
		pattern := "^" + templated.ReplaceAllString(o.path, "[^/]+") + "$"
		return o.method == ex.Method && regexp.MustCompile(pattern).MatchString(ex.URL.EscapedPath())
	})
	return c.operations[i]
}

// basePath is the path of the first server of an operation, of its path or of the spec.
func basePath(servers, ofPath openapi3.Servers, ofOperation *openapi3.Servers) string {
	if len(ofPath) > 0 {
		servers = ofPath
	}
	if ofOperation != nil {
		servers = *ofOperation
	}
	base, err := servers.BasePath()
	if err != nil {
		return ""
	}
	return strings.TrimRight(base, "/")
}

func (c *contract) operation(o *operation, of *openapi3.Operation, at string) error {
	if of.RequestBody != nil {
		o.request = c.content(target(of.RequestBody.Ref, at+"/requestBody"), of.RequestBody.Value.Content)
		o.bodyRequired = of.RequestBody.Value.Required
	}
	requirements, securityAt := c.doc.Security, "/security"
	if of.Security != nil {
		requirements, securityAt = *of.Security, at+"/security"
	}
	for i, requirement := range requirements {
		var all []credential
		for _, name := range generate.SortedKeys(requirement) {
			one := credential{securityAt + pointer(strconv.Itoa(i), name), "header", "Authorization", "Bearer"}
			switch scheme := c.doc.Components.SecuritySchemes[name].Value; scheme.Type {
			case "apiKey":
				one.in, one.name, one.scheme = scheme.In, scheme.Name, ""
			case "http":
				one.scheme = scheme.Scheme
			}
			all = append(all, one)
		}
		o.security = append(o.security, all)
	}
	for _, key := range generate.SortedKeys(of.Responses.Map()) {
		r, err := c.response(key, of.Responses.Value(key), at)
		if err != nil {
			return err
		}
		o.responses = append(o.responses, r)
	}
	for _, r := range o.responses {
		r.status = o.statusOf(r.key)
	}
	return nil
}

func (c *contract) response(key string, ref *openapi3.ResponseRef, operationAt string) (*response, error) {
	r := &response{key: key, at: target(ref.Ref, operationAt+pointer("responses", key))}
	r.content = c.content(r.at, ref.Value.Content)
	r.headers = newParameters()
	for name, header := range ref.Value.Headers {
		at := target(header.Ref, r.at+pointer("headers", name))
		if http.CanonicalHeaderKey(name) == "Content-Type" {
			continue // its definition counts for nothing (OpenAPI 3.0.3, Response Object)
		}
		method, _ := header.Value.SerializationMethod() // kin-openapi has validated it
		c.parameter(r.headers, &header.Value.Parameter, name, "header", at, method)
	}
	var err error
	r.criteria, err = readCriteria(r.at, ref.Value.Extensions["x-criteria"])
	return r, err
}

func (c *contract) content(at string, of openapi3.Content) *content {
	if len(of) == 0 {
		return nil
	}
	all := &content{at: at + "/content"}
	for _, name := range generate.SortedKeys(of) {
		m := &media{name, all.at + pointer(name), &generate.Schema{}}
		if s := c.schema(of[name].Schema, m.at+"/schema"); s != nil {
			m.schema = s
		}
		all.media = append(all.media, m)
	}
	return all
}

// statusOf finds a status that a response describes: one with a body, without a response of its own, and an error if it
// can be.
func (o *operation) statusOf(key string) int {
	if status, err := strconv.Atoi(key); err == nil {
		return status
	}
	for i := range 400 {
		status := 200 + (i+200)%400
		if r := o.responseTo(status); r != nil && r.key == key && !bodiless(status) {
			return status
		}
	}
	return 0
}

// responseTo finds the response for a status: by its number, its class or default.
func (o *operation) responseTo(status int) *response {
	class := strconv.Itoa(status / 100)
	for _, key := range []string{strconv.Itoa(status), class + "XX", class + "xx", "default"} {
		if i := slices.IndexFunc(o.responses, func(r *response) bool { return r.key == key }); i >= 0 {
			return o.responses[i]
		}
	}
	return nil
}

// bodiless reports whether responses of a status end with the header (RFC 9110, section 6.4.1).
func bodiless(status int) bool { return status/100 == 1 || status == 204 || status == 304 }

// label tells the media types of a body apart in names, where it has several.
func (c *content) label(m *media) string {
	if m == nil || len(c.media) == 1 {
		return ""
	}
	return "/" + strings.ReplaceAll(m.name, "/", "|")
}

// claim is the one that a body of another media type violates.
func (c *content) claim() string {
	if len(c.media) == 1 {
		return c.media[0].at
	}
	return c.at
}

// isText reports whether a body is text whose schema is checked.
func (m *media) isText() bool {
	return !m.isJSON() && strings.HasPrefix(m.name, "text/") && !strings.Contains(m.name, "*") && m.schema.Reads("string")
}

// isJSON reports whether a body is JSON, and not any octets.
func (m *media) isJSON() bool { return isJSON(concrete(m.name)) && m.schema.Format != "binary" }

func isJSON(mediaType string) bool {
	name, _, _ := strings.Cut(strings.ToLower(mediaType), ";")
	name = strings.TrimSpace(name)
	return name == "application/json" || name == "text/json" || strings.HasSuffix(name, "+json")
}

// covers reports whether a media type or range of the spec includes a media type.
func covers(documented, name string) bool {
	documented, _, _ = strings.Cut(documented, ";")
	matches, err := path.Match(documented, name)
	return err == nil && matches
}

// concrete is a media type that a range includes, and no narrower entry.
func concrete(name string) string {
	return strings.ReplaceAll(strings.Replace(name, "*/", "application/", 1), "*", "vnd.some+json")
}
