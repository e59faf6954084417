package conformance

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Why an exchange cannot be judged.
var (
	ErrNoOperation = errors.New("no operation of the contract has this method and path")
	ErrNoAnswer    = errors.New("the recording holds no answer")
)

// Check weighs one exchange and returns every deviation it finds, in a stable order. The answer is judged always; the
// request only where it was answered 2xx, as a server that refuses a bad request does what it should. What the
// recording omits is not judged. The error is [ErrNoOperation] or [ErrNoAnswer]: then nothing was judged.
func (c *Contract) Check(ex *traffic.Exchange) ([]Finding, error) {
	op := c.operation(ex.Method, ex.URL)
	if op == nil {
		return nil, ErrNoOperation
	}
	if !ex.Answered() {
		return nil, ErrNoAnswer
	}
	k := &check{contract: c, op: op, ex: ex, secrets: op.secrets(ex)}
	k.request()
	k.response()
	return k.findings, nil
}

// check is the work on one exchange.
type check struct {
	contract *Contract
	op       *operation
	ex       *traffic.Exchange
	secrets  []string
	findings []Finding

	requestBody, responseBody body
}

// body is a decoded JSON body.
type body struct {
	value any
	known bool // false where there is none, none was recorded, or it is not JSON
}

func (k *check) accepted() bool { return k.ex.Status/100 == 2 }

// report adds a finding about the claim at spec.
func (k *check) report(rule string, part Part, pointer, spec, expected string, found any) *Finding {
	basis, reason := k.contract.marks.basis(spec)
	f := Finding{
		Rule: rule, Part: part, Pointer: k.conceal(pointer, shortestSecretInName), Spec: k.contract.location(spec),
		Expected: expected, Found: k.describe(found), Basis: basis, Reason: reason,
		Exchange: k.ex.Source, Operation: k.op.id, Status: k.ex.Status,
	}
	f.Message = fmt.Sprintf("expected %s, found %s", f.Expected, f.Found)
	if part == RequestHeader || part == RequestBody {
		f.Message = fmt.Sprintf("accepted with %d what the contract forbids: %s", f.Status, f.Message)
	}
	f.Fingerprint = f.fingerprint("")
	k.findings = append(k.findings, f)
	return &k.findings[len(k.findings)-1]
}

// request judges what was sent, if it was accepted, and decodes it for the criteria either way.
func (k *check) request() {
	if k.accepted() {
		for _, lacking := range k.op.missing(k.ex) {
			k.report(ruleSecurity, RequestHeader, pointerOf(lacking.name), lacking.pointer,
				"the credential "+lacking.name, plain("none"))
		}
	}
	message := &k.ex.Request
	if message.BodyOmitted {
		return
	}
	if k.op.request == nil {
		return // OpenAPI does not forbid a body that it does not document
	}
	judged := len(k.findings)
	k.requestBody = k.content(k.op.request, message, k.op.required, RequestHeader, RequestBody, openapi3.VisitAsRequest())
	if !k.accepted() {
		k.findings = k.findings[:judged]
	}
}

func (k *check) response() {
	r := k.op.response(k.ex.Status)
	if r == nil {
		var documented []string
		for status := range k.op.responses {
			documented = append(documented, strings.ToLower(status))
		}
		slices.Sort(documented)
		k.report(ruleStatus, ResponseStatus, "", k.op.pointer+"/responses",
			"a documented status ("+strings.Join(documented, ", ")+")", plain(strconv.Itoa(k.ex.Status)))
		return
	}
	for _, h := range r.headers {
		k.header(h)
	}
	message := &k.ex.Response
	switch {
	case k.bodiless():
	case r.body != nil:
		k.responseBody = k.content(r.body, message, true, ResponseHeader, ResponseBody, openapi3.VisitAsResponse())
	case len(message.Body) > 0:
		k.report(ruleBody, ResponseBody, "", r.pointer, "no body", plain(fmt.Sprintf("one of %d bytes", len(message.Body))))
	}
	for _, criterion := range r.criteria {
		k.criterion(criterion)
	}
}

// bodiless tells the responses that end with their header (RFC 9110, sections 6.4.1 and 15).
func (k *check) bodiless() bool {
	return k.ex.Method == http.MethodHead || k.ex.Status/100 == 1 || k.ex.Status == 204 || k.ex.Status == 304
}

func (k *check) header(h header) {
	values, present := k.ex.Response.Header[h.name]
	if !present {
		if h.required {
			k.report("required", ResponseHeader, h.place, h.pointer+"/required", "the header", plain("none"))
		}
		return
	}
	if h.schema == nil {
		return
	}
	value := headerValue(strings.Join(values, ", "), h.schema)
	for _, v := range k.contract.schemaViolations(h.schema, value, openapi3.VisitAsResponse()) {
		k.report(v.keyword, ResponseHeader, h.place+v.pointer, v.spec, v.expected, v.found)
	}
}

var digits = regexp.MustCompile(`^[0-9]+$`)

// headerValue reads the text of a header as its schema's type, where it can be read so (style: simple).
func headerValue(text string, schema *openapi3.Schema) any {
	switch {
	case schema.Type.Is("integer") && digits.MatchString(text):
		return number(cmp.Or(strings.TrimLeft(text, "0"), "0")) // a header may have leading zeros, JSON may not
	case schema.Type.Is("integer") || schema.Type.Is("number"):
		if value, faults, ok := decodeJSON([]byte(text)); ok && len(faults) == 0 {
			if n, isNumber := value.(number); isNumber {
				return n
			}
		}
	case schema.Type.Is("boolean") && (text == "true" || text == "false"):
		return text == "true"
	case schema.Type.Is("array"):
		items := []any{}
		for item := range strings.SplitSeq(text, ",") {
			item = strings.TrimSpace(item)
			if schema.Items != nil {
				items = append(items, headerValue(item, schema.Items.Value))
			} else {
				items = append(items, item)
			}
		}
		return items
	}
	return text
}

// content judges a body: there, of a documented media type, JSON, and within its schema.
func (k *check) content(c *content, message *traffic.Message, required bool, head, part Part,
	direction openapi3.SchemaValidationOption) body {
	contentType := message.Header.Get("Content-Type")
	switch {
	case message.BodyOmitted && contentType == "":
		return body{}
	case !message.BodyOmitted && len(message.Body) == 0:
		if required {
			k.report(ruleBody, part, "", c.pointer, "a body of "+c.names(), plain("none"))
		}
		return body{}
	}
	m, problem := c.match(contentType)
	if problem != nil {
		k.report(ruleMediaType, head, "/Content-Type", c.pointer, c.names(), problem)
		return body{}
	}
	if message.BodyOmitted || !isJSON(m.name) {
		return body{}
	}
	value, faults, ok := decodeJSON(message.Body)
	for _, f := range faults {
		// RFC 8259, section 4, only advises against a repeated name: accepting one is no deviation, sending one is.
		if part == ResponseBody || f.rule != ruleDuplicate {
			k.report(f.rule, part, f.pointer, m.pointer, "one JSON value in UTF-8", plain(f.found))
		}
	}
	if !ok {
		return body{}
	}
	for _, v := range k.contract.schemaViolations(m.schema, value, direction) {
		k.report(v.keyword, part, v.pointer, v.spec, v.expected, v.found)
	}
	return body{value: value, known: true}
}
