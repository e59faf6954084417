package mutate

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
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
	schemas map[conformance.Part]*schema // of what the spec describes
	// values are the headers of both messages, as objects of texts, and the bodies that are JSON.
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
			schemas: map[conformance.Part]*schema{conformance.ResponseHeader: of.to.headers}}
		if !m.generateBody(rng, conformance.RequestBody, of.request, request, full) ||
			!m.generateBody(rng, conformance.ResponseBody, of.response, response, full) {
			return nil
		}
		if len(of.op.security) > 0 {
			for _, c := range pick(rng, of.op.security) {
				request[c.key()] = c.value()
			}
		}
		for _, name := range sortedKeys(of.to.headers.properties) {
			_, required := of.to.headers.required[name]
			g := generator{rng, conformance.ResponseHeader, full}
			if v, ok := g.value(of.to.headers.properties[name]); ok && (required || full || rng.IntN(3) > 0) {
				response[name] = headerText(v)
			}
		}
		if m = m.repaired(rng); m != nil {
			return m
		}
	}
	return nil
}

func (m *exchangeModel) generateBody(
	rng *rand.Rand, part conformance.Part, of *media, headers map[string]any, full bool,
) bool {
	if of == nil {
		return true
	}
	headers["Content-Type"] = concrete(of.name)
	if !isJSON(concrete(of.name)) {
		return true
	}
	v, ok := generator{rng, part, full}.value(of.schema)
	m.values[part], m.schemas[part] = v, of.schema
	return ok
}

func (m *exchangeModel) accepted() bool { return m.status/100 == 2 }

// value is that of a part: the response's headers with the types that the spec gives them.
func (m *exchangeModel) value(part conformance.Part) (v any, known bool) {
	v, known = m.values[part]
	if part == conformance.RequestBody && m.unrecorded {
		return nil, false
	}
	if part != conformance.ResponseHeader {
		return v, known
	}
	headers := maps.Clone(v.(map[string]any))
	for name, n := range m.schemas[part].properties {
		if text, isText := headers[name].(string); isText {
			headers[name] = n.parseHeader(text)
		}
	}
	return headers, true
}

// violations are what the exchange violates. A request that is rejected violates nothing.
func (m *exchangeModel) violations() (all []Expectation) {
	for _, part := range []conformance.Part{conformance.RequestBody, conformance.ResponseHeader, conformance.ResponseBody} {
		v, known := m.value(part)
		if n := m.schemas[part]; n != nil && known && (part != conformance.RequestBody || m.accepted()) {
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
	whole = replaced(whole, path, v)
	if part == conformance.RequestHeader || part == conformance.ResponseHeader {
		headers, isObject := whole.(map[string]any)
		if !isObject {
			return m
		}
		texts := map[string]any{}
		if mediaType, has := lookup(m.values[part], []string{"Content-Type"}); has {
			texts["Content-Type"] = mediaType
		}
		for name, header := range headers {
			texts[name] = headerText(header)
		}
		whole = texts
	}
	return m.withPart(part, whole)
}

// without returns the exchange without a property or header.
func (m *exchangeModel) without(part conformance.Part, path []string) *exchangeModel {
	return m.withPart(part, without(m.values[part], path))
}

func (m *exchangeModel) withPart(part conformance.Part, v any) *exchangeModel {
	c := *m
	c.values = maps.Clone(m.values)
	c.values[part] = v
	return &c
}

// quiet are the exchanges in which as little as possible depends on what is changed: as it is, and without the request's
// body in the recording, which the criteria then cannot compare with.
func (m *exchangeModel) quiet() []*exchangeModel {
	list := []*exchangeModel{m}
	if _, has := m.values[conformance.RequestBody]; has {
		c := *m
		c.unrecorded = true
		list = append(list, &c)
	}
	return list
}

var wholeNumber = regexp.MustCompile(`^-?[0-9]+$`)

// parseHeader reads the text of a header as one of its types, if it is written like one (style simple).
func (n *schema) parseHeader(text string) any {
	for _, name := range n.types {
		switch {
		case name == "array" && n.item != nil:
			list := []any{}
			for item := range strings.SplitSeq(text, ",") {
				list = append(list, n.item.parseHeader(strings.TrimSpace(item)))
			}
			return list
		case name == "integer" && wholeNumber.MatchString(text):
			return decimal(rat(json.Number(text)))
		case name == "number" && json.Valid([]byte(text)) && strings.ContainsRune("-0123456789", rune(text[0])):
			return json.Number(text)
		case name == "boolean" && (text == "true" || text == "false"):
			return text == "true"
		}
	}
	return text
}

func headerText(v any) string {
	switch v := v.(type) {
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, headerText(item))
		}
		return strings.Join(items, ", ")
	case string:
		return v
	}
	return encode(v)
}

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
		URL:      &url.URL{Scheme: "https", Host: "api.example", Path: m.op.path},
		Request:  m.message(conformance.RequestHeader, conformance.RequestBody, m.request),
		Response: m.message(conformance.ResponseHeader, conformance.ResponseBody, m.response)}
	if m.unrecorded {
		ex.Request.Body, ex.Request.BodyOmitted = nil, true
	}
	query := url.Values{}
	for name, value := range m.values[conformance.RequestHeader].(map[string]any) {
		if name, isQuery := strings.CutPrefix(name, "query "); isQuery {
			query.Set(name, asText(value))
		}
		if name, isCookie := strings.CutPrefix(name, "cookie "); isCookie {
			ex.Request.Header.Set("Cookie", "theme=dark; "+name+"="+asText(value))
		}
	}
	ex.URL.RawQuery = query.Encode()
	return ex
}

func (m *exchangeModel) message(head, body conformance.Part, of *media) traffic.Message {
	written := traffic.Message{Header: http.Header{}}
	for name, value := range m.values[head].(map[string]any) {
		if !strings.Contains(name, " ") {
			written.Header.Set(name, asText(value))
		}
	}
	if v, isJSON := m.values[body]; isJSON {
		written.Body = []byte(encode(v))
	} else if of != nil {
		written.Body = []byte(otherBody)
	}
	return written
}
