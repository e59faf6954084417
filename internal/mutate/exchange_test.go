package mutate

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/generate"
)

// combination says which of the documented bodies an exchange has.
type combination struct {
	op                *operation
	to                *response // nil for a status that is not documented
	request, response *media    // nil where there is no body
}

// combinations are as many of a response's as it takes to use each media type of both bodies.
func combinations(o *operation, r *response) []combination {
	requests, responses := []*media{nil}, []*media{nil}
	if o.request != nil {
		requests = o.request.media
	}
	if r.content != nil && !bodiless(r.status) {
		responses = r.content.media
	}
	var all []combination
	for i := range max(len(requests), len(responses)) {
		all = append(all, combination{o, r, requests[i%len(requests)], responses[i%len(responses)]})
	}
	return all
}

// combinations are those of all responses that describe a status.
func (c *contract) combinations() (all []combination) {
	for _, o := range c.operations {
		for _, r := range o.responses {
			if r.status != 0 {
				all = append(all, combinations(o, r)...)
			}
		}
	}
	return all
}

// exchangeModel is an exchange before it is written. Models are copied, never changed.
type exchangeModel struct {
	combination

	status  int
	schemas map[conformance.Part]*generate.Schema // of what the spec describes
	// values are the parameters, and the headers of both messages, as objects by name, and the bodies that are JSON or text.
	// Headers without a schema and credentials are texts.
	values     map[conformance.Part]any
	unrecorded bool // the recording lacks the request's body
}

// otherBody is a body that is not JSON.
const otherBody = "neither JSON nor empty"

// conforming generates an exchange that conforms, with every property where it is to be full; nil where none was found.
func conforming(rng *rand.Rand, of combination, full bool) *exchangeModel {
	for range 50 {
		request, response := map[string]any{}, map[string]any{}
		m := &exchangeModel{combination: of, status: of.to.status,
			values:  map[conformance.Part]any{conformance.RequestHeader: request, conformance.ResponseHeader: response},
			schemas: map[conformance.Part]*generate.Schema{}}
		if !m.generateBody(rng, conformance.RequestBody, of.request, request, full) ||
			!m.generateBody(rng, conformance.ResponseBody, of.response, response, full) {
			return nil
		}
		if len(of.op.security) > 0 {
			for _, c := range generate.Pick(rng, of.op.security) {
				request[c.key()] = c.value()
			}
		}
		if m.generateParameters(rng, full) {
			if m = m.repaired(rng); m != nil {
				return m
			}
		}
	}
	return nil
}

// generateParameters adds parameters and headers. It fails by chance, as not every value can be written.
func (m *exchangeModel) generateParameters(rng *rand.Rand, full bool) bool {
	for _, part := range textParts {
		of, values := m.parametersOf(part), map[string]any{}
		if headers, has := m.values[part].(map[string]any); has {
			values = headers
		}
		m.values[part], m.schemas[part] = values, of.object
		for _, name := range generate.SortedKeys(of.byName) {
			_, required := of.object.Required[name]
			if !required && part != conformance.RequestPath && !full && rng.IntN(3) == 0 {
				continue
			}
			v, found := m.parameterValue(newGenerator(rng, part, full), of.byName[name])
			if !found {
				return false
			}
			values[name] = v
		}
		whole, ok := m.rewritten(part, values)
		if m.values[part] = whole; !ok || len(check(of.object, whole, part)) > 0 {
			return false
		}
	}
	return true
}

// parameterValue generates a value that can be written, and that its text is read as.
func (m *exchangeModel) parameterValue(g generate.Generator, p *parameter) (any, bool) {
	for range 50 {
		if v, ok := g.Value(p.Schema); ok {
			whole, isWritten := m.rewritten(g.Part, map[string]any{p.Name: v})
			if v, _ = generate.Lookup(whole, []string{p.Name}); isWritten && len(check(p.Schema, v, g.Part)) == 0 {
				return v, true
			}
		}
	}
	return nil, false
}

func (m *exchangeModel) generateBody(
	rng *rand.Rand, part conformance.Part, of *media, headers map[string]any, full bool,
) bool {
	if of == nil {
		return true
	}
	headers["Content-Type"] = concrete(of.name)
	if !of.isJSON() && !of.isText() {
		return true
	}
	v, ok := newGenerator(rng, part, full || of.isText()).Value(of.schema) // an empty text is no body
	m.values[part], m.schemas[part] = v, of.schema
	return ok
}

func (m *exchangeModel) accepted() bool { return m.status/100 == 2 }

// textParts are the parts with parameters or headers, and valueParts all that have a schema.
var (
	textParts = []conformance.Part{conformance.RequestPath, conformance.RequestQuery, conformance.RequestHeader,
		conformance.RequestCookie, conformance.ResponseHeader}
	valueParts = append([]conformance.Part{conformance.ResponseBody, conformance.RequestBody}, textParts...)
)

// value is that of a part.
func (m *exchangeModel) value(part conformance.Part) (v any, known bool) {
	if part == conformance.RequestBody && m.unrecorded {
		return nil, false
	}
	v, known = m.values[part]
	return v, known
}

// violations are what the exchange violates. A request that is rejected violates nothing.
func (m *exchangeModel) violations() (all []Expectation) {
	for _, part := range valueParts {
		v, known := m.value(part)
		if n := m.schemas[part]; n != nil && known && (!generate.OfRequest(part) || m.accepted()) {
			all = append(all, check(n, v, part)...)
		}
	}
	return append(all, m.violatedCriteria(all)...)
}

// with returns the exchange with another value at a place.
func (m *exchangeModel) with(part conformance.Part, path []string, v any) *exchangeModel {
	whole, known := m.value(part)
	if !known {
		return m
	}
	whole, ok := m.rewritten(part, generate.Replaced(whole, path, v))
	text, isString := whole.(string)
	if of := map[conformance.Part]*media{conformance.RequestBody: m.request, conformance.ResponseBody: m.response}[part]; of != nil && of.isText() {
		ok = isString && text != ""
	}
	if !ok {
		return m
	}
	return m.withPart(part, whole)
}

// without returns the exchange without a property or header.
func (m *exchangeModel) without(part conformance.Part, path []string) *exchangeModel {
	return m.withPart(part, generate.Without(m.values[part], path))
}

func (m *exchangeModel) withPart(part conformance.Part, v any) *exchangeModel {
	c := *m
	c.values = maps.Clone(m.values)
	c.values[part] = v
	return &c
}

// quiet are the exchanges in which as little as possible depends on what is changed: as it is, and without what the
// criteria compare with, which is the request's body in the recording and the parameters that may be absent.
func (m *exchangeModel) quiet() []*exchangeModel {
	quiet := m
	if _, has := m.values[conformance.RequestBody]; has {
		c := *m
		c.unrecorded = true
		quiet = &c
	}
	for _, c := range m.to.criteria {
		for _, o := range c.when {
			if m.mayLack(o) {
				quiet = quiet.without(o.part, o.path)
			}
		}
	}
	if quiet == m {
		return []*exchangeModel{m}
	}
	return []*exchangeModel{m, quiet}
}

// mayLack reports whether an operand is a parameter that may be absent.
func (m *exchangeModel) mayLack(o operand) bool {
	of := m.op.parameters[o.part]
	return of != nil && o.part != conformance.RequestPath && of.byName[o.path[0]] != nil && of.object.Required[o.path[0]] == ""
}

var wholeNumber = regexp.MustCompile(`^-?[0-9]+$`)

// repaired returns the exchange with changes until it violates nothing, as a generated response repeats the request by
// chance only. It is nil where no change helps.
func (m *exchangeModel) repaired(rng *rand.Rand) *exchangeModel {
	for range 40 {
		all := m.violations()
		if len(all) == 0 {
			return m
		}
		i := slices.IndexFunc(m.to.criteria, func(c criterion) bool { return slices.Contains(all, c.violation()) })
		if i < 0 {
			return nil
		}
		best, fewest := m, len(all)
		for _, repair := range m.repairs(rng, m.to.criteria[i]) {
			if n := len(repair.violations()); n < fewest {
				best, fewest = repair, n
			}
		}
		if best == m {
			return nil
		}
		m = best
	}
	return nil
}

// exchange writes the model down in the simplest way.
func (m *exchangeModel) exchange() *traffic.Exchange {
	ex := &traffic.Exchange{Method: m.op.method, Status: m.status,
		URL:      m.url(),
		Request:  m.message(conformance.RequestHeader, conformance.RequestBody, m.request),
		Response: m.message(conformance.ResponseHeader, conformance.ResponseBody, m.response)}
	if m.unrecorded {
		ex.Request.Body, ex.Request.BodyOmitted = nil, true
	}
	cookies := m.pairs(conformance.RequestCookie)
	for name, value := range m.values[conformance.RequestHeader].(map[string]any) {
		if name, isCookie := strings.CutPrefix(name, "cookie "); isCookie {
			cookies = append(cookies, "theme=dark", name+"="+generate.AsText(value))
		}
	}
	if len(cookies) > 0 {
		ex.Request.Header.Set("Cookie", strings.Join(cookies, "; "))
	}
	return ex
}

func (m *exchangeModel) message(head, body conformance.Part, of *media) traffic.Message {
	written := traffic.Message{Header: http.Header{}}
	for name, value := range m.values[head].(map[string]any) {
		if p := m.parametersOf(head).byName[name]; p != nil {
			texts, _ := p.Write(value)
			written.Header.Set(name, texts[0])
		} else if !strings.Contains(name, " ") {
			written.Header.Set(name, generate.AsText(value))
		}
	}
	if v, has := m.values[body]; has && of.isText() {
		written.Body = []byte(generate.AsText(v))
	} else if has {
		written.Body = []byte(generate.Encode(v))
	} else if of != nil {
		written.Body = []byte(otherBody)
	}
	return written
}
