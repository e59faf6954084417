package conformance

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Why an exchange cannot be judged.
var (
	// ErrNoOperation says that the exchange is for something else than the contract is about.
	ErrNoOperation = errors.New("no operation of the contract has this method and path")
	// ErrNoAnswer says that the call was aborted or blocked, or that the connection failed.
	ErrNoAnswer = errors.New("the recording holds no answer")
)

// Check weighs one exchange and returns every deviation it finds, in a stable order, but of one claim about a body no
// more than a hundred. The answer is judged always; the request only where it was answered 2xx, as a server that refuses
// a bad request does what it should. What the recording omits is not judged. The error is [ErrNoOperation] or
// [ErrNoAnswer]: then nothing was judged.
func (c *Contract) Check(ex *traffic.Exchange) ([]Finding, error) {
	op := c.operation(ex.Method, ex.URL)
	if op == nil {
		return nil, ErrNoOperation
	}
	if !ex.Answered() {
		return nil, ErrNoAnswer
	}
	k := &check{contract: c, op: op, ex: ex}
	k.request()
	k.response()
	return k.findings, nil
}

// check is the work on one exchange.
type check struct {
	contract *Contract
	op       *operation
	ex       *traffic.Exchange
	secrets  *secrets // found when first needed
	findings []Finding

	requestBody, responseBody body
}

// body is a decoded JSON body.
type body struct {
	value any
	known bool // false where there is none, none was recorded, it is not JSON, or JSON that readers differ about
}

func (k *check) accepted() bool { return k.ex.Status/100 == 2 }

// report adds a finding about the claim at spec.
func (k *check) report(rule string, part Part, pointer, spec, expected string, found any) {
	k.add(Finding{Rule: rule, Part: part, Pointer: pointer, Expected: expected}, spec, found, "")
}

// add completes a finding. name is the criterion's.
func (k *check) add(f Finding, spec string, found any, name string) {
	f.Basis, f.Reason = k.contract.marks.basis(spec)
	f.Pointer = k.concealPointer(f.Pointer)
	f.Spec = k.contract.location(spec)
	f.Expected, f.Found = k.conceal(f.Expected), k.describe(found)
	f.Exchange, f.Operation, f.Status = k.ex.Source, k.op.id, k.ex.Status
	f.Message = fmt.Sprintf("expected %s, found %s", f.Expected, f.Found)
	if f.Part == RequestHeader || f.Part == RequestBody {
		f.Message = fmt.Sprintf("accepted with %d what the contract forbids: %s", f.Status, f.Message)
	}
	if name != "" {
		f.Message = name + ": " + f.Message
	}
	f.Fingerprint = f.fingerprint(name)
	k.findings = append(k.findings, f)
}

// request judges what was sent, if it was accepted, and decodes it for the criteria either way.
func (k *check) request() {
	message := &k.ex.Request
	if k.accepted() && !message.HeaderOmitted {
		for _, lacking := range k.op.missing(k.ex) {
			k.report(ruleSecurity, RequestHeader, lacking.place(), lacking.pointer,
				"the credential "+lacking.name, plain("none, unless it was cut from the recording"))
		}
	}
	if k.op.request == nil {
		return // OpenAPI does not forbid a body that it does not document
	}
	judged := len(k.findings)
	k.requestBody = k.content(k.op.request, message, k.op.required, RequestHeader, RequestBody)
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
	message := &k.ex.Response
	if !message.HeaderOmitted {
		for _, h := range r.headers {
			k.header(h)
		}
	}
	switch {
	case k.bodiless():
	case r.body != nil:
		k.responseBody = k.content(r.body, message, true, ResponseHeader, ResponseBody)
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
	for _, v := range k.contract.violations(h.schema, value, sentByServer) {
		k.report(v.keyword, ResponseHeader, h.place+v.pointer, v.spec, v.expected, v.found)
	}
}

// content judges a body: there, of a documented media type, JSON, and within its schema.
func (k *check) content(c *content, message *traffic.Message, required bool, head, part Part) body {
	contentType := message.Header.Values("Content-Type")
	switch {
	case message.BodyOmitted && len(contentType) == 0:
		return body{}
	case !message.BodyOmitted && len(message.Body) == 0:
		if required {
			k.report(ruleBody, part, "", c.pointer, "a body of "+c.names(), plain("none"))
		}
		return body{}
	case len(contentType) == 0 && message.HeaderOmitted:
		contentType = []string{c.types[0].name} // no evidence against it
	}
	m, problem := c.match(contentType)
	if problem != nil {
		k.report(ruleMediaType, head, "/Content-Type", c.place(), c.names(), problem)
		return body{}
	}
	if message.BodyOmitted || !isJSON(m.name) {
		return body{}
	}
	value, faults, ok := decodeJSON(message.Body)
	disputed := false
	for _, f := range faults {
		// RFC 8259, sections 4 and 8.2, only advises against a repeated name and half a surrogate pair, as readers
		// differ about them. Sending one is a deviation; accepting one is not, but leaves open what was accepted.
		disputed = disputed || f.rule == ruleDuplicate || f.rule == ruleUnicode
		if part == ResponseBody || !ok || f.rule != ruleDuplicate && f.rule != ruleUnicode {
			k.report(f.rule, part, f.pointer, m.pointer, "one JSON value in UTF-8", plain(f.found))
		}
	}
	if !ok {
		return body{}
	}
	from := sentByServer
	if part == RequestBody {
		from = sentByClient
	}
	for _, v := range k.contract.violations(m.schema, value, from) {
		k.report(v.keyword, part, v.pointer, v.spec, v.expected, v.found)
	}
	return body{value: value, known: part == ResponseBody || !disputed}
}
