package conformance

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/bitset"
	"github.com/fleetcontract/fleetio-go/conformance/internal/credentials"
	"github.com/fleetcontract/fleetio-go/conformance/internal/mediatype"
	"github.com/fleetcontract/fleetio-go/conformance/internal/styles"
	"github.com/fleetcontract/fleetio-go/conformance/internal/transport"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/redact"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// The errors of [Contract.Check] and [Ledger.Add].
var (
	// ErrNoOperation means that the contract has no operation for the request.
	ErrNoOperation = errors.New("no operation of the contract has this method and path")
	// ErrOtherHost means that the request went to a host that is no server of the contract, see [Servers].
	ErrOtherHost = errors.New("the host is no server of the contract")
	// ErrNoResponse means that the request was aborted or blocked, or that the connection failed.
	ErrNoResponse = errors.New("the recording has no response")
)

// Check checks one exchange and returns its deviations, drift and notes in a stable order, see [Finding.Fails]: at most
// 100 for each claim and body. It checks the response always, and the request only if the response is 2xx, as a server is
// right to reject a bad request. It does not check what the recording omits. The error is [ErrNoOperation],
// [ErrOtherHost] or [ErrNoResponse], and nothing was checked then.
func (c *Contract) Check(ex *traffic.Exchange) ([]Finding, error) {
	k, _ := c.checkers.Get().(*checker)
	defer c.checkers.Put(k)
	return k.check(ex, c.target(ex.Method, ex.URL))
}

// checker checks one exchange after the other. It reuses its memory, so that an exchange that conforms allocates nothing.
type checker struct {
	target

	contract  *Contract
	evidence  evidence // of the last exchange
	validator validator

	ex       *traffic.Exchange
	query    []styles.Pair
	cookies  []styles.Pair
	findings []Finding
	secrets  *redact.Redactor    // nil until needed
	finder   *credentials.Finder // nil for findings with credentials

	undecided []int // claims that a pattern that took too long leaves open

	requestBody, responseBody body
	requestDoc, responseDoc   strictjson.Document
	scratch                   []*strictjson.Document // for values outside JSON bodies, see scratchDoc
	used                      int                    // documents of scratch
	embedded                  [][]byte               // values in the pattern of a criterion
	texts                     []byte                 // of them
}

// body is a parsed body, or the content of a parameter.
type body struct {
	value   value
	known   bool // false if it is absent, not recorded, of an unchecked media type, or JSON that parsers disagree about
	certain bool // it is absent or recorded in full, and parsers agree about it

	pointer *string // the last operand of a criterion that was looked up, and its value
	found   value
}

func (c *Contract) newChecker() *checker {
	k := &checker{contract: c, finder: c.redaction().Finder()}
	k.evidence = evidence{satisfied: bitset.New(len(c.claims)), violated: bitset.New(len(c.claims)), enforced: noClaim}
	k.validator.contract = c
	return k
}

// check checks an exchange with that target and stores its evidence.
func (k *checker) check(ex *traffic.Exchange, of target) ([]Finding, error) {
	k.evidence.reset()
	k.ex, k.target = ex, of
	if of.err != nil {
		return nil, of.err
	}
	if !ex.Answered() {
		return nil, ErrNoResponse
	}
	k.findings, k.secrets, k.used = nil, nil, 0
	k.requestBody, k.responseBody, k.undecided = body{}, body{}, k.undecided[:0]
	k.request()
	k.response()
	k.evidence.satisfied.Subtract(k.evidence.violated)
	for _, claim := range k.undecided {
		k.evidence.satisfied.Remove(claim)
	}
	return k.findings, nil
}

// satisfy notes that a claim applies to the exchange.
func (k *checker) satisfy(claim int) { k.evidence.satisfied.Add(claim) }

// violate adds a finding about the claim at spec.
func (k *checker) violate(rule string, part Part, pointer, spec, expected, actual string) {
	k.add(Finding{Rule: rule, Part: part, Pointer: pointer, Expected: expected, Actual: k.redact(actual)}, spec, "")
}

// drift adds a finding that no claim covers.
func (k *checker) drift(rule string, part Part, pointer, spec, expected, actual string, observed *Observed) {
	k.add(Finding{Rule: rule, Part: part, Pointer: pointer, Expected: expected, Source: Drift, Actual: k.redact(actual), Observed: observed}, spec, "")
}

// add completes a finding and adds it. name is the name of the criterion, if it is about one.
func (k *checker) add(f Finding, spec, name string) {
	if i := k.contract.claimIndex(f.Part, spec); f.Source == "" && i != noClaim {
		claim := &k.contract.claims[i]
		f.Source, f.Reason, f.Claim, f.Spec = claim.Source, claim.Reason, claim.ID, claim.Spec
		k.evidence.violated.Add(i)
	} else {
		if f.Source == "" {
			f.Source, f.Reason = k.contract.sourceOf(spec)
		}
		f.Spec = k.contract.location(spec)
	}
	f.Pointer = k.redactPointer(f.Pointer)
	f.Expected = k.redact(f.Expected)
	f.Exchange, f.Operation, f.Status = strings.ToValidUTF8(k.ex.Source, "\uFFFD"), k.op.id, k.ex.Status
	f.Message = "expected " + f.Expected + ", found " + f.Actual
	if f.Fails() && f.Part.ofRequest() {
		f.Message = fmt.Sprintf("accepted with %d although it violates the contract: %s", f.Status, f.Message)
	}
	if name != "" {
		f.Message = name + ": " + f.Message
	}
	f.Fingerprint = f.fingerprint(name)
	k.findings = append(k.findings, f)
}

// request checks the request, and parses its body for the criteria. If the server rejected it, there are no findings.
func (k *checker) request() {
	message := &k.ex.Request
	if !message.HeaderOmitted {
		k.credentials()
	}
	certain := k.parameters()
	if k.op.request != nil { // OpenAPI allows an undocumented request body
		k.requestBody = k.content(k.op.request, message, k.op.required, RequestHeader, inRequestBody, &k.requestDoc)
	} else {
		k.requestBody.certain = true
	}
	if k.ex.Status/100 != 2 {
		k.rejected(certain && k.requestBody.certain && !message.HeaderOmitted)
	}
}

// credentials checks that the request has a complete set of credentials. The claim is that the server rejects it
// otherwise: a complete request is no evidence if rejected, and consistent with the claim if accepted.
func (k *checker) credentials() {
	if missing := k.op.security.Missing(k.ex); len(missing) > 0 {
		for _, m := range missing {
			k.violate(ruleSecurity, RequestHeader, m.Place(), m.Pointer, "the credential "+m.Name, "none (if it was removed from the recording, put a placeholder in its place)")
		}
		return
	}
	for i, a := range k.op.security {
		for j, c := range a {
			if len(k.op.security) == 1 || c.IsIn(k.ex) { // of one alternative, none is missing
				k.satisfy(k.op.securityClaims[i][j])
			}
		}
	}
}

// rejected evaluates a request that the server rejected, which is never a deviation. If the request violates exactly one
// claim, and the response is a documented error that can be about it, the server enforces the claim. If it violates
// several, or may violate others, the reason of the server is unknown. A 404 is none: a path of the right form may lead to
// nothing.
func (k *checker) rejected(certain bool) {
	conforms := certain && len(k.findings)+len(k.undecided) == 0
	violated := slices.DeleteFunc(k.findings, func(f Finding) bool { return f.Source == Note })
	k.findings = nil
	k.evidence.reset()
	first := slices.IndexFunc(violated, func(f Finding) bool { return f.Fails() && f.Rule != ruleSecurity })
	switch status := strconv.Itoa(k.ex.Status); {
	case conforms && transport.IsAboutContent(k.ex.Status):
		k.note(ruleRejected, "a 2xx status, because the request satisfies the contract", status)
	case first >= 0 && k.ex.Status/100 == 5:
		k.note(ruleServerError, fmt.Sprintf("a 4xx status, because the request violates the contract (%s %s %s)",
			violated[first].Part, violated[first].Pointer, violated[first].Rule), status)
	}
	if len(violated) != 1 || len(k.undecided) > 0 || k.op.responses[strconv.Itoa(k.ex.Status)] == nil {
		return
	}
	enforces := certain && transport.RejectsContent(k.ex.Status)
	if violated[0].Rule == ruleSecurity {
		enforces = k.ex.Status == http.StatusUnauthorized || k.ex.Status == http.StatusForbidden
	}
	if enforces {
		k.evidence.enforced = k.contract.claimIndex(violated[0].Part, violated[0].Spec.Pointer)
		if violated[0].Rule == ruleSecurity {
			k.evidence.enforcedPlace = violated[0].Pointer
		}
	}
}

// note adds a note about the status.
func (k *checker) note(rule, expected, actual string) {
	k.add(Finding{Rule: rule, Part: ResponseStatus, Source: Note, Expected: expected, Actual: actual}, k.op.pointer+"/responses", "")
}

func (k *checker) response() {
	request := &k.ex.Request
	if k.op.statuses[k.ex.Status] == nil && transport.IsOfCache(k.ex.Status, request.Header, request.HeaderOmitted) {
		return // the API need not document it
	}
	r := k.op.response(k.ex.Status)
	if r == nil {
		documented := sortedKeys(k.op.responses)
		k.drift(ruleStatus, ResponseStatus, "", k.op.pointer+"/responses",
			"a documented status ("+strings.ToLower(strings.Join(documented, ", "))+")", strconv.Itoa(k.ex.Status), k.observedResponse(nil))
		return
	}
	k.satisfy(r.claim)
	message := &k.ex.Response
	if !message.HeaderOmitted {
		for _, h := range r.headers {
			k.parameter(h)
		}
		for _, name := range k.undocumentedHeaders(r) {
			k.drift(ruleUndocumentedHeader, ResponseHeader, strictjson.Pointer(name), k.contract.source.Below(r.pointer, "headers"),
				"a documented header", strictjson.ShortName(name), nil)
		}
	}
	switch {
	case transport.IsBodiless(k.ex.Method, k.ex.Status):
	case r.body != nil:
		k.responseBody = k.content(r.body, message, true, ResponseHeader, inResponseBody, &k.responseDoc)
	case len(message.Body) > 0: // OpenAPI 3.0.3 does not say that a response without content has no body
		k.drift(ruleBody, ResponseBody, "", k.contract.source.Below(r.pointer, "content"), "a documented body",
			fmt.Sprintf("%d bytes", len(message.Body)), k.observedResponse(message))
	}
	for _, c := range r.criteria {
		k.criterion(c)
	}
}

// scratchDoc returns a document for a value outside the bodies. The next exchange reuses it.
func (k *checker) scratchDoc() *strictjson.Document {
	if k.used == len(k.scratch) {
		k.scratch = append(k.scratch, &strictjson.Document{})
	}
	k.used++
	return k.scratch[k.used-1]
}

// validate adds a finding for each violation of a schema by the value at a place of a part.
func (k *checker) validate(s *schema, val value, part validatedPart, place string) {
	k.validator.part, k.validator.satisfied = part, k.evidence.satisfied
	for _, v := range k.validator.validate(s, val) {
		f := Finding{Rule: v.keyword, Part: partNames[part], Pointer: place + v.pointer, Expected: v.expected, Source: v.source, Actual: v.actual}
		if v.value.Exists() {
			f.Observed = k.observe(v.value)
			if v.actual == "" {
				f.Actual = k.describe(v.value)
			}
		}
		if v.open {
			k.undecided = append(k.undecided, k.contract.claimIndex(f.Part, v.spec))
		}
		k.add(f, v.spec, "")
	}
}

// content checks a body: that it is present, of a documented media type, JSON, and valid against its schema.
func (k *checker) content(c *content, message *traffic.Message, required bool, head Part, in validatedPart, doc *strictjson.Document) body {
	part := partNames[in]
	contentType := message.Header["Content-Type"]
	switch {
	case message.BodyOmitted && len(contentType) == 0:
		return body{}
	case !message.BodyOmitted && len(message.Body) == 0:
		if required {
			k.violate(ruleBody, part, "", c.pointer, "a body of "+c.names(), "none")
		}
		return body{certain: true}
	case len(contentType) == 0 && message.HeaderOmitted:
		if len(c.types) > 1 && c.types[0].name == c.types[1].name { // which one it is, its parameters tell
			return body{}
		}
		contentType = []string{c.types[0].text} // nothing contradicts it
	}
	k.satisfy(c.bodyClaim)
	m, parameters, problem := c.match(contentType)
	if problem != nil {
		f := Finding{Rule: ruleMediaType, Part: head, Pointer: "/Content-Type", Expected: c.names(), Actual: cmp.Or(problem.problem, k.excerpt(problem.contentType))}
		if problem.undocumented {
			f.Observed = k.observedResponse(message)
			if in.ofRequest() { // the server accepts more
				f.Source = Drift
			}
		}
		k.add(f, c.mediaTypeClaim(), "")
		return body{certain: true}
	}
	if len(contentType) > 0 {
		k.satisfy(c.headerClaim)
		k.satisfy(m.headerClaim)
	}
	switch {
	case message.BodyOmitted:
		return body{}
	case m.isJSON():
		if charset := parameters["charset"]; !mediatype.IsUTF8(charset) { // RFC 8259, section 11: it has no effect
			k.add(Finding{Rule: ruleMediaType, Part: head, Pointer: "/Content-Type", Source: Note, Expected: m.name + " in UTF-8, as JSON is",
				Actual: "the charset " + k.excerpt(charset)}, m.pointer, "")
		}
		return k.json(m, in, "", doc, message.Body)
	case m.isText():
		return k.text(m, in, message.Body, parameters)
	}
	return body{certain: m.isAnyOctets()}
}

// json checks the JSON of a body, or of a parameter at a place.
func (k *checker) json(m *mediaType, in validatedPart, place string, doc *strictjson.Document, text []byte) body {
	k.satisfy(m.bodyClaim)
	defects, ok := doc.ParseBody(text)
	disputed := false
	for _, f := range defects {
		// RFC 8259, sections 4 and 8.2, only advises against a repeated name and a lone surrogate, as parsers disagree
		// about them. A server that sends one deviates; one that accepts it does not, but what it accepted is unknown.
		disputed = disputed || f.Rule == ruleDuplicate || f.Rule == ruleUnicode
		if !in.ofRequest() || !ok || f.Rule != ruleDuplicate && f.Rule != ruleUnicode {
			k.violate(f.Rule, partNames[in], place+f.Pointer, m.pointer, "one JSON value in UTF-8", f.Found)
		}
	}
	if !ok {
		return body{certain: true}
	}
	root := value{Doc: doc}
	k.validate(m.schema, root, in, place)
	return body{value: root, known: !in.ofRequest() || !disputed, certain: !disputed}
}

// text checks a body that is a form, multipart or plain text.
func (k *checker) text(m *mediaType, in validatedPart, text []byte, parameters map[string]string) body {
	doc := k.scratchDoc()
	switch {
	case m.name == mediatype.Multipart:
		k.satisfy(m.bodyClaim)
		var err error
		doc.Data, err = m.form.AppendMultipart(doc.Data[:0], text, parameters["boundary"], func(name, mediaType string) {
			k.partType(m, in, name, mediaType)
		})
		if err != nil {
			k.violate(ruleMultipart, partNames[in], "", m.pointer, "a multipart body", err.Error())
			return body{certain: true}
		}
	case m.name == mediatype.URLEncoded:
		doc.Data = m.form.AppendQuery(doc.Data[:0], string(text))
	case mediatype.IsUTF8(parameters["charset"]):
		doc.Data = strictjson.AppendString(doc.Data[:0], text)
	default:
		return body{}
	}
	if !doc.Parse(doc.Data) { // JSON in a form is nested too deep
		return body{}
	}
	root := value{Doc: doc}
	k.validate(m.schema, root, in, "")
	return body{value: root, known: true, certain: true}
}

// partType checks the media type of a part of a multipart body.
func (k *checker) partType(m *mediaType, in validatedPart, name, actual string) {
	documented := m.encodings[name]
	if documented == nil {
		return
	}
	k.satisfy(documented.claim)
	if !slices.ContainsFunc(documented.names, func(pattern string) bool { return mediatype.Covers(pattern, actual) }) {
		k.violate(ruleMediaType, partNames[in], strictjson.Pointer(strictjson.ShortName(name)), documented.pointer,
			strings.Join(documented.names, " or "), k.excerpt(actual))
	}
}
