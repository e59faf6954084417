package conformance

import (
	"net/http"
	"slices"
	"strings"
)

// compiledResponse is what the [weigher] knows of an answer, and of the request that it answers.
type compiledResponse struct {
	hard     bool   // the weigher leaves all of it to Check
	bears    []word // whatever the answer is
	accepted []word // likewise, if it is 2xx
	request  *compiledContent
	body     *compiledContent // nil where no body is documented: there must be none
	headers  []compiledHeader
	criteria []*compiledCriterion
	captures int // how many values of both bodies the criteria weigh
}

// compiledContent is a body.
type compiledContent struct {
	required bool
	types    []compiledType
}

type compiledType struct {
	name  string // lower case, without parameters
	root  *node
	bears []word // whatever the body is
}

// compiledHeader is a header that the answer may have.
type compiledHeader struct {
	name     string // canonical
	required bool
	whole    bool  // it is read as an integer, else as text
	node     *node // nil where the spec says nothing of the value
}

// compiledCredential is a header that authenticates.
type compiledCredential struct {
	name   string // canonical
	prefix string // as in [credential]
}

// compile prepares the operations for the weigher.
func (c *Contract) compile() {
	for _, op := range c.operations {
		op.compileCredentials()
		for _, status := range sortedKeys(op.responses) {
			r := op.responses[status]
			r.compiled = c.compileResponse(op, r)
		}
	}
}

// compileCredentials covers what nearly every API has: one way to authenticate, by headers.
func (op *operation) compileCredentials() {
	op.credentials = []compiledCredential{}
	for _, a := range op.security {
		for _, k := range a {
			if k.in != "header" || len(op.security) > 1 {
				op.credentials = nil
				return
			}
			op.credentials = append(op.credentials, compiledCredential{http.CanonicalHeaderKey(k.name), k.prefix})
		}
	}
}

func (c *Contract) compileResponse(op *operation, r *response) *compiledResponse {
	result := &compiledResponse{hard: op.credentials == nil}
	result.compileHeaders(c, r)
	request, answer := &wanted{capture: noCapture}, &wanted{capture: noCapture}
	for _, k := range r.criteria {
		compiled, ok := compileCriterion(k, request, answer, &result.captures)
		if !ok {
			result.hard = true
			return result
		}
		compiled.bears = words([]int{c.claimIndex(k.left.part, k.pointer)})
		result.criteria = append(result.criteria, compiled)
	}
	claims := []int{c.claimIndex(ResponseStatus, r.pointer)}
	if r.body == nil {
		claims = append(claims, c.claimIndex(ResponseBody, r.noBody))
	}
	for _, h := range r.headers {
		if h.required {
			claims = append(claims, c.claimIndex(ResponseHeader, h.pointer+"/required"))
		}
	}
	result.bears = words(claims)
	claims = nil
	for _, a := range op.security {
		for _, k := range a {
			claims = append(claims, c.claimIndex(RequestHeader, k.pointer))
		}
	}
	result.accepted = words(claims)
	result.request = c.compileContent(op.request, op.required, RequestHeader, RequestBody, request)
	result.body = c.compileContent(r.body, true, ResponseHeader, ResponseBody, answer)
	return result
}

func (r *compiledResponse) compileHeaders(c *Contract, of *response) {
	nodes := compiler{contract: c, part: ResponseHeader, made: map[nodeKey]*node{}}
	for _, h := range of.headers {
		compiled := compiledHeader{name: h.name, required: h.required}
		if h.schema != nil {
			types := headerTypes(h.schema)
			compiled.whole = slices.Equal(types, []string{"integer"})
			compiled.node = nodes.compile(h.schema, nil, false)
			if !compiled.whole && !slices.Equal(types, []string{"string"}) || compiled.node.combined {
				compiled.node = &node{hard: true}
			}
		}
		r.headers = append(r.headers, compiled)
	}
}

// compileContent leaves out what is not JSON: the weigher does not know those media types, then.
func (c *Contract) compileContent(of *content, required bool, head, part Part, want *wanted) *compiledContent {
	if of == nil {
		return nil
	}
	if len(want.below) == 0 {
		want = nil
	}
	result := &compiledContent{required: required}
	nodes := compiler{contract: c, part: part, made: map[nodeKey]*node{}}
	for _, m := range of.types {
		if !isJSON(m.name) || strings.Contains(m.name, "*") || m.schema == nil && want != nil {
			continue
		}
		result.types = append(result.types, compiledType{name: m.name, root: nodes.compile(m.schema, want, false), bears: words([]int{
			c.claimIndex(part, of.pointer), c.claimIndex(head, of.pointer), c.claimIndex(head, m.pointer), c.claimIndex(part, m.pointer)})})
	}
	return result
}
