package conformance

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

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
// a bad request does what it should. What the recording omits is not judged. Drift and notes are in the list too, see
// [Finding.Fails]. The error is [ErrNoOperation] or [ErrNoAnswer]: then nothing was judged.
func (c *Contract) Check(ex *traffic.Exchange) ([]Finding, error) {
	w, _ := c.weighers.Get().(*weigher)
	defer c.weighers.Put(w)
	return w.weigh(ex)
}

// report is the way of an exchange that was not proven to conform: slower, and exact.
func (w *weigher) report(op *operation, ex *traffic.Exchange) []Finding {
	w.evidence.reset()
	k := &check{contract: w.contract, op: op, ex: ex, weigher: w, evidence: w.evidence}
	k.request()
	k.response()
	w.evidence.kept.without(w.evidence.broken)
	return k.findings
}

// check is the work on one exchange.
type check struct {
	contract *Contract
	op       *operation
	ex       *traffic.Exchange
	weigher  *weigher
	secrets  *secrets // found when first needed
	findings []Finding
	evidence *evidence

	requestBody, responseBody body
}

// body is a decoded JSON body.
type body struct {
	value any
	known bool // false where there is none, none was recorded, it is not JSON, or JSON that readers differ about
	plain bool // all that there is was recorded, and readers agree about it
}

func (k *check) accepted() bool { return k.ex.Status/100 == 2 }

// keep notes that the exchange bears on a claim.
func (k *check) keep(part Part, spec string) { k.evidence.kept.add(k.contract.claimIndex(part, spec)) }

// report adds a finding about the claim at spec.
func (k *check) report(rule string, part Part, pointer, spec, expected string, found any) {
	k.add(Finding{Rule: rule, Part: part, Pointer: pointer, Expected: expected}, spec, found, "")
}

// drift adds a finding about what no claim covers.
func (k *check) drift(rule string, part Part, pointer, spec, expected string, found any, what *Seen) {
	k.add(Finding{Rule: rule, Part: part, Pointer: pointer, Expected: expected, Basis: Drift, Seen: what}, spec, found, "")
}

// add completes a finding. name is the criterion's.
func (k *check) add(f Finding, spec string, found any, name string) {
	if f.Basis == "" {
		f.Basis, f.Reason = k.contract.marks.basis(spec)
		if i := k.contract.claimIndex(f.Part, spec); i != noClaim {
			f.Claim = k.contract.claims[i].ID
			k.evidence.broken.add(i)
		}
	}
	f.Verdict = verdicts[f.Basis]
	f.Pointer = k.concealPointer(f.Pointer)
	f.Spec = k.contract.location(spec)
	f.Expected, f.Found = k.conceal(f.Expected), k.describe(found)
	f.Exchange, f.Operation, f.Status = strings.ToValidUTF8(k.ex.Source, "\uFFFD"), k.op.id, k.ex.Status
	f.Message = fmt.Sprintf("expected %s, found %s", f.Expected, f.Found)
	if f.Fails() && (f.Part == RequestHeader || f.Part == RequestBody) {
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
	if !message.HeaderOmitted {
		k.credentials()
	}
	if k.op.request != nil { // OpenAPI does not forbid a body that it does not document
		k.requestBody = k.content(k.op.request, message, k.op.required, RequestHeader, RequestBody)
	} else {
		k.requestBody.plain = true
	}
	if !k.accepted() {
		k.refused()
	}
}

// credentials looks for what the request lacks. The claim is that such a call is refused; one with everything is silent
// about it where it is refused, and consistent with it where it is accepted.
func (k *check) credentials() {
	lacks := k.op.missing(k.ex)
	for _, lacking := range lacks {
		k.report(ruleSecurity, RequestHeader, lacking.place(), lacking.pointer,
			"the credential "+lacking.name, plain("none, unless it was cut from the recording"))
	}
	if len(lacks) > 0 {
		return
	}
	for _, a := range k.op.security {
		for _, credential := range a {
			if credential.value(k.ex) != "" {
				k.keep(RequestHeader, credential.pointer)
			}
		}
	}
}

// refused weighs a request that the server did not accept: none of it is a deviation. Where exactly one claim was broken,
// and the answer is a documented refusal that can be about it, the claim is enforced. Of several, nobody knows which
// one the server minded.
func (k *check) refused() {
	broke := slices.DeleteFunc(k.findings, func(f Finding) bool { return f.Basis == Note })
	k.findings = nil
	k.evidence.reset()
	if len(broke) != 1 || k.op.responses[strconv.Itoa(k.ex.Status)] == nil {
		return
	}
	enforces := k.requestBody.plain && slices.Contains(refusals, k.ex.Status)
	if broke[0].Rule == ruleSecurity {
		enforces = k.ex.Status == http.StatusUnauthorized || k.ex.Status == http.StatusForbidden
	}
	if enforces {
		k.evidence.enforced = k.contract.claimIndex(broke[0].Part, broke[0].Spec.Pointer)
	}
}

// refusals are the statuses that say that the content of a request is wrong (RFC 9110, section 15.5).
var refusals = []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
	http.StatusUnprocessableEntity}

func (k *check) response() {
	r := k.op.response(k.ex.Status)
	if r == nil {
		documented := sortedKeys(k.op.responses)
		k.drift(ruleStatus, ResponseStatus, "", k.op.pointer+"/responses",
			"a documented status ("+strings.ToLower(strings.Join(documented, ", "))+")", plain(strconv.Itoa(k.ex.Status)), k.seenAnswer(nil))
		return
	}
	k.keep(ResponseStatus, r.pointer)
	message := &k.ex.Response
	if !message.HeaderOmitted {
		for _, h := range r.headers {
			k.header(h)
		}
		for _, name := range k.undocumentedHeaders(r) {
			k.drift(ruleUndocumentedHeader, ResponseHeader, pointerOf(name), k.contract.source.below(r.pointer, "headers"),
				"a documented header", plain(inPointer(name)), nil)
		}
	}
	switch {
	case k.bodiless():
	case r.body != nil:
		k.responseBody = k.content(r.body, message, true, ResponseHeader, ResponseBody)
	case len(message.Body) > 0:
		k.add(Finding{Rule: ruleBody, Part: ResponseBody, Expected: "no body", Seen: k.seenAnswer(message)}, r.noBody,
			plain(fmt.Sprintf("one of %d bytes", len(message.Body))), "")
	case !message.BodyOmitted:
		k.keep(ResponseBody, r.noBody)
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
	if h.required {
		k.keep(ResponseHeader, h.pointer+"/required")
	}
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
	k.violations(h.schema, value, ResponseHeader, h.place)
}

// violations reports what a schema finds in a value that stands at a place of a part.
func (k *check) violations(of *openapi3.Schema, value any, part Part, place string) {
	for _, v := range k.contract.violations(of, value, part, k.evidence.kept) {
		f := Finding{Rule: v.keyword, Part: part, Pointer: place + v.pointer, Expected: v.expected, Basis: v.basis}
		if _, absent := v.found.(plain); !absent || v.value != nil {
			f.Seen = k.seen(v.value)
		}
		k.add(f, v.spec, v.found, "")
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
		return body{plain: true}
	case len(contentType) == 0 && message.HeaderOmitted:
		contentType = []string{c.types[0].name} // no evidence against it
	}
	k.keep(part, c.pointer)
	m, problem := c.match(contentType)
	if problem != nil {
		if problem.undocumented {
			k.drift(ruleMediaType, head, "/Content-Type", c.place(), c.names(), problem.found, k.seenAnswer(message))
		} else {
			k.report(ruleMediaType, head, "/Content-Type", c.place(), c.names(), problem.found)
		}
		return body{plain: true}
	}
	if len(contentType) > 0 {
		k.keep(head, c.pointer)
		k.keep(head, m.pointer)
	}
	if message.BodyOmitted || !isJSON(m.name) {
		return body{}
	}
	k.keep(part, m.pointer)
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
		return body{plain: true}
	}
	k.violations(m.schema, value, part, "")
	return body{value: value, known: part == ResponseBody || !disputed, plain: !disputed}
}
