package probe

import (
	"cmp"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/generate"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
)

// Case is a request with the responses that are expected.
type Case struct {
	// Name has parts with slashes between: createFault/request/code/maxLength/over.
	Name string
	// Claim is the ID of the one claim that the request violates; "" for none.
	Claim string
	// Reason says what is special about the request.
	Reason string
	// Creates reports that the request makes a record if the server conforms.
	Creates bool
	// Request is the request, with a placeholder for each credential. Its URL has no host.
	Request *traffic.Exchange

	draft    draft
	expected expectation
	linked   bool            // with the values that a response has for other than path parameters
	gains    map[string]bool // what it may be evidence for
	novelty  string          // what it tries that no claim is about; "" for nothing
}

// expectation has the statuses that a request may be answered with; the zero value allows any.
type expectation struct {
	success  bool // each documented 2xx
	statuses []int
}

// rejections are the statuses for a request whose content is wrong (RFC 9110, section 15.5).
var rejections = []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity}

var (
	accepted     = expectation{success: true}
	rejected     = expectation{statuses: rejections}
	pathRejected = expectation{statuses: append([]int{http.StatusNotFound}, rejections...)} // it may also lead to nothing
	eitherWay    = expectation{success: true, statuses: rejections}
	unauthorized = expectation{statuses: []int{http.StatusUnauthorized, http.StatusForbidden}}
	forbidden    = expectation{statuses: []int{http.StatusForbidden}}
	notFound     = expectation{statuses: []int{http.StatusNotFound, http.StatusGone}}
	noMethod     = expectation{statuses: []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}}
)

// isValid reports whether the request must succeed.
func (e expectation) isValid() bool { return e.success && len(e.statuses) == 0 }

// isAny reports whether any response will do.
func (e expectation) isAny() bool { return !e.success && len(e.statuses) == 0 }

// Expected lists the statuses that the case allows.
func (c *Case) Expected() string {
	var list []string
	if c.expected.success {
		for _, key := range generate.SortedKeys(c.draft.op.responses) {
			if strings.HasPrefix(key, "2") {
				list = append(list, key)
			}
		}
	}
	for _, status := range c.expected.statuses {
		list = append(list, strconv.Itoa(status))
	}
	return cmp.Or(strings.Join(list, ", "), "any")
}

// allows reports whether a status is an expected one.
func (c *Case) allows(status int) bool {
	return c.expected.isAny() || slices.Contains(c.expected.statuses, status) ||
		c.expected.success && status/100 == 2 && c.draft.op.responseKey(status) != ""
}

// planner makes the cases of a contract.
type planner struct {
	contract *conformance.Contract
	claims   []conformance.Claim // by ID
	options  Options
	reader   *reader
	rand     *rand.Rand
	cases    []*Case
	omitted  []Omission
	used     map[string]bool // names of options.Set
}

// add adds a case, if its request can be written.
func (p *planner) add(name, reason string, d draft, expected expectation) *Case {
	ex, ok := d.exchange()
	if !ok || slices.ContainsFunc(p.cases, func(c *Case) bool { return c.Name == d.op.id+"/"+name }) {
		return nil
	}
	c := &Case{Name: d.op.id + "/" + name, Reason: reason, Request: ex, draft: d, expected: expected}
	c.Creates = changes(d.op.method) && expected.success
	ex.Source = c.Name
	p.cases = append(p.cases, c)
	return c
}

// changes reports whether requests of a method make records (RFC 9110, section 9.2.1).
func changes(method string) bool {
	return !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace}, method)
}

// violations returns what of the contract the request violates, by the checker: as if the server had accepted it. ok is
// false for a request that cannot be written, or that violates what no claim is about.
func (p *planner) violations(d draft) (list []conformance.Finding, ok bool) {
	ex, ok := d.exchange()
	if !ok {
		return nil, false
	}
	ex.Status, ex.Response = http.StatusCreated, traffic.Message{HeaderOmitted: true, BodyOmitted: true}
	findings, err := p.contract.Check(ex)
	if err != nil {
		return nil, false
	}
	for _, f := range findings {
		if f.Fails() {
			list = append(list, f)
		} else if f.Part != conformance.ResponseStatus && f.Source == conformance.Drift {
			return nil, false
		}
	}
	return list, true
}

// claim returns the one claim that the request violates; "" for none or several.
func (p *planner) claim(d draft) string {
	if list, ok := p.violations(d); ok && len(list) == 1 {
		return list[0].Claim
	}
	return ""
}

func (p *planner) conforms(d draft) bool {
	list, ok := p.violations(d)
	return ok && len(list) == 0
}

// operation adds the cases of an operation.
func (p *planner) operation(o *operation) {
	full, ok := p.base(o, true)
	if !ok {
		p.omitted = append(p.omitted, Omission{o.id, "no request of it could be made that satisfies the contract"})
		return
	}
	reason := "every property and parameter"
	p.add("valid/full", reason, full, accepted)
	if minimal, ok := p.base(o, false); ok {
		p.addOther("valid/minimal", "only what is required", minimal, full)
		for _, part := range parts[1:] {
			for _, name := range o.linked[part.part] {
				if part.part != conformance.RequestPath {
					value, _ := p.value(o.parameters[part.part].byName[name].Schema, part.part, "", true)
					if c := p.add(part.name+"/"+name+"/linked", "with the value of an earlier response", minimal.with(part.part, []string{name}, value), accepted); c != nil {
						c.linked = true
					}
				}
			}
		}
	}
	for _, end := range []string{"largest", "smallest"} {
		p.addOther("valid/"+end, "the "+end+" values that the contract allows", p.extreme(full, end), full)
	}
	p.security(o, full)
	for _, part := range parts {
		p.values(part.part, part.name, full)
	}
	p.bodies(full)
	p.unknownRecord(full)
}

// addOther adds a valid case that differs from another one.
func (p *planner) addOther(name, reason string, d, other draft) {
	one, _ := d.exchange()
	two, _ := other.exchange()
	if one != nil && two != nil && (one.URL.String() != two.URL.String() || string(one.Request.Body) != string(two.Request.Body)) {
		p.add(name, reason, d, accepted)
	}
}

// maxTries bounds how often a request is generated: a contradiction in a schema has none that satisfies it.
const maxTries = 500

// base returns a request that satisfies the contract: with all properties and parameters, or only the required ones.
func (p *planner) base(o *operation, full bool) (draft, bool) {
	d := draft{op: o, values: map[conformance.Part]any{}, credentials: map[string]string{}, contentType: o.mediaType}
	for _, c := range o.credentials {
		d.credentials[c.scheme] = c.prefix + placeholder
	}
	for try := range maxTries {
		for _, part := range parts[1:] {
			d.values[part.part] = map[string]any{}
		}
		p.addParameters(&d, parts[1].part, parts[1].name, full)
		if o.body != nil {
			d.values[conformance.RequestBody], _ = p.value(o.body, conformance.RequestBody, o.id+"/request", full)
			if try%2 == 1 { // keywords about the whole object may contradict the examples
				d.values[conformance.RequestBody], _ = p.generator(conformance.RequestBody).Value(o.body)
			}
		}
		for _, part := range parts[2:] {
			p.addParameters(&d, part.part, part.name, full)
		}
		if p.conforms(d) {
			return d, true
		}
	}
	return d, false
}

// addParameters adds the parameters of a part, without the optional ones that no value was found for.
func (p *planner) addParameters(d *draft, part conformance.Part, label string, full bool) {
	of := d.op.parameters[part]
	for _, name := range generate.SortedKeys(of.byName) {
		s := of.byName[name].Schema
		_, required := of.object.Required[name]
		_, isSet := p.options.Set[d.op.id+"/"+label+"/"+name]
		if !required && (!full || p.reader.fixtures[s] && !isSet) {
			continue
		}
		before, ok := p.violations(*d)
		for range 20 {
			value, _ := p.value(s, part, d.op.id+"/"+label+"/"+name, full)
			changed := d.with(part, []string{name}, value)
			after, isWritable := p.violations(changed)
			if !ok || isWritable && len(after) <= len(before) { // without a path, nothing can be checked
				*d = changed
				break
			}
		}
	}
}

// generator generates values that the checker decides about.
func (p *planner) generator(part conformance.Part) generate.Generator {
	return generate.Generator{Rand: p.rand, Part: part, Full: true, Conforms: func(*generate.Schema, any) bool { return true }}
}

// value returns a value for a place: as set, or as in the example, or generated.
func (p *planner) value(n *generate.Schema, part conformance.Part, at string, full bool) (any, bool) {
	if text, ok := p.set(at); ok {
		return p.parse(n, text), true
	}
	if example, ok := p.reader.examples[n]; ok && len(n.Properties) == 0 {
		return example, true
	}
	if len(n.Enum) > 0 {
		return n.Enum[0], true
	}
	if len(n.Properties) == 0 || len(n.AllOf)+len(n.AnyOf)+len(n.OneOf) > 0 {
		return p.generator(part).Value(n)
	}
	object := map[string]any{}
	for _, name := range generate.SortedKeys(n.Properties) {
		_, required := n.Required[name]
		if property := n.Properties[name]; property.OmittedFrom(part) == nil && (full || required) {
			if value, ok := p.value(property, part, at+"/"+name, full); ok {
				object[name] = value
			}
		}
	}
	return object, true
}

func (p *planner) set(at string) (string, bool) {
	text, ok := p.options.Set[at]
	if ok {
		p.used[at] = true
		return text, true
	}
	text, ok = p.options.Defaults[at]
	return text, ok
}

// parse reads a value of the user: text for a string, and JSON for others.
func (p *planner) parse(n *generate.Schema, text string) any {
	if n.Reads("string") {
		return text
	}
	return cmp.Or(generate.Decode(text), any(text))
}

// extreme returns the request with the largest or smallest values that it can have, where they are not those of a fixture.
func (p *planner) extreme(d draft, end string) draft {
	for _, part := range parts {
		whole, root := d.values[part.part], d.op.schemaOf(part.part)
		if root == nil {
			continue
		}
		for _, at := range generate.Sites(root, whole, nil, root) {
			var list []any
			if text, ok := p.set(strings.Join(append([]string{d.op.id, part.name}, append(at.Path, end)...), "/")); ok {
				list = []any{p.parse(at.Schema, text)}
			} else if !p.reader.fixtures[at.Schema] {
				list = extremes(at.Schema, end == "largest")
			}
			for _, value := range list {
				if changed := d.with(part.part, at.Path, value); p.conforms(changed) {
					d = changed
					break
				}
			}
		}
	}
	return d
}

// extremes are values at a bound of a schema, the best first. Characters of two bytes tell a limit in bytes.
func extremes(n *generate.Schema, largest bool) (list []any) {
	if len(n.Enum) > 0 {
		if largest {
			return n.Enum[len(n.Enum)-1:]
		}
		return n.Enum[:1]
	}
	bound, width := n.Minimum, generate.Widths[n.Format].Minimum
	if largest {
		bound, width = n.Maximum, generate.Widths[n.Format].Maximum
	}
	switch {
	case bound != nil:
		list = append(list, generate.Decimal(bound.At))
	case width != nil:
		list = append(list, generate.Decimal(width))
	}
	for _, letter := range []string{"é", "x", "1"} {
		if length := n.Length.Max; largest && n.Length.Bounded {
			list = append(list, strings.Repeat(letter, length))
		} else if length := n.Length.Min; !largest && length > 0 {
			list = append(list, strings.Repeat(letter, length))
		}
	}
	return list
}

// schemaOf is that of the values of a part; nil for none.
func (o *operation) schemaOf(part conformance.Part) *generate.Schema {
	if part == conformance.RequestBody {
		return o.body
	}
	return o.parameters[part].object
}

// values adds a case for each claim about the values of a part that a single value violates.
func (p *planner) values(part conformance.Part, label string, base draft) {
	root, whole := base.op.schemaOf(part), base.values[part]
	if root == nil {
		return
	}
	g := p.generator(part)
	for _, weak := range []bool{false, true} { // null and "" only where nothing else violates a claim: servers take them for none
		for _, at := range generate.Sites(root, whole, nil, root) {
			present, _ := generate.Lookup(whole, at.Path)
			g.Candidates(at.Schema, present, 0, func(_ string, value any) {
				if weak == (value == nil || value == "") {
					p.violation(label, base.with(part, at.Path, value), part)
				}
			})
		}
	}
}

// violation adds a case if the request violates one claim about a part, which no other case of the operation violates.
func (p *planner) violation(label string, d draft, part conformance.Part) {
	list, ok := p.violations(d)
	if !ok || len(list) != 1 || list[0].Part != part || p.has(d.op, list[0].Claim) {
		return
	}
	expected, f := rejected, list[0]
	if part == conformance.RequestPath {
		expected = pathRejected
	}
	if c := p.add(label+f.Pointer+"/"+f.Rule+sides[f.Rule], "not "+f.Expected, d, expected); c != nil {
		c.Claim = f.Claim
	}
}

// sides end the names of cases beyond a limit.
var sides = map[string]string{"maximum": "/over", "exclusiveMaximum": "/over", "maxLength": "/over", "maxItems": "/over", "maxProperties": "/over",
	"minimum": "/under", "exclusiveMinimum": "/under", "minLength": "/under", "minItems": "/under", "minProperties": "/under"}

// has reports whether a case of the operation violates a claim.
func (p *planner) has(o *operation, claim string) bool {
	return slices.ContainsFunc(p.cases, func(c *Case) bool { return c.draft.op == o && c.Claim == claim })
}

// security adds requests with credentials that are missing, wrong, or of a caller without permission.
func (p *planner) security(o *operation, full draft) {
	all := full
	for _, c := range o.credentials {
		missing := full.withCredential(c.scheme, "")
		if added := p.add("header/"+c.name+"/missing", "without the credential "+c.name, missing, unauthorized); added != nil {
			added.Claim = p.claim(missing)
		}
		p.add("header/"+c.name+"/wrong", "with a wrong credential "+c.name, full.withCredential(c.scheme, c.prefix+invalid), unauthorized)
		all = all.withCredential(c.scheme, "")
	}
	if len(o.credentials) > 1 {
		p.add("header/credentials/missing", "without any credential", all, unauthorized)
	}
	if changes(o.method) && o.responses["403"] != nil && len(p.options.Restricted) > 0 {
		restricted := full
		for _, scheme := range p.options.Restricted {
			restricted = restricted.withCredential(scheme, restrictedPlaceholder)
		}
		p.add("header/credentials/restricted", "with credentials that lack the permission", restricted, forbidden)
	}
}

// unknownProperty ends the name of a case.
const unknownProperty = "/unknown-property"

// bodies adds requests with a body that is not as documented as a whole, and one that leaves open what is right.
func (p *planner) bodies(full draft) {
	o := full.op
	if o.body == nil {
		return
	}
	text := generate.Encode(full.values[conformance.RequestBody])
	for _, c := range []struct{ name, reason, contentType, body string }{
		{"json/malformed", "not JSON", o.mediaType, "{" + text},
		{"json/truncated", "half of a JSON value", o.mediaType, text[:len(text)/2]},
		{"json/trailing", "two JSON values", o.mediaType, text + text},
		{"body/missing", "without a body", o.mediaType, ""},
		{"media-type", "not " + o.mediaType, "text/plain", text},
	} {
		d := full.withRaw(c.contentType, c.body)
		if added := p.add("request/"+c.name, c.reason, d, rejected); added != nil {
			added.Claim = p.claim(d)
		}
	}
	if object, isObject := full.values[conformance.RequestBody].(map[string]any); isObject && len(object) > 0 {
		name := generate.SortedKeys(object)[0]
		d := full.withRaw(o.mediaType, "{"+generate.Encode(name)+":"+generate.Encode(object[name])+","+text[1:])
		p.add("request/duplicate-property", "the property "+name+" twice", d, eitherWay)
		if d := full.with(conformance.RequestBody, []string{"fleetio_probe"}, "unknown"); !o.body.Closed {
			p.add("request"+unknownProperty, "with a property that the contract does not have", d, eitherWay)
		}
	}
}

// unknownRecord adds a request for a record that does not exist, and one with a method that is not documented.
func (p *planner) unknownRecord(full draft) {
	values, _ := full.values[conformance.RequestPath].(map[string]any)
	if len(values) > 0 && full.op.responses["404"] != nil {
		unknown := full
		for name := range values {
			for _, value := range append(extremes(full.op.parameters[conformance.RequestPath].byName[name].Schema, true), "fleetio-probe") {
				if d := unknown.with(conformance.RequestPath, []string{name}, value); p.conforms(d) {
					unknown = d
					break
				}
			}
		}
		p.add("path/unknown-record", "of a record that does not exist", unknown, notFound)
	}
	if len(values) == 0 {
		for _, method := range []string{http.MethodPut, http.MethodPatch} {
			d := full.withPart(conformance.RequestBody, nil).withRaw("application/json", "{}")
			if d.method = method; !p.documented(full.op.path, method) {
				p.add("method/"+method, "a method that is not documented", d, noMethod)
				break
			}
		}
	}
}

// documented reports whether a path has a method, or a case tries another one.
func (p *planner) documented(path, method string) bool {
	return slices.ContainsFunc(p.contract.Document().Paths, func(item *openapi.PathItem) bool {
		return item.Path == path && slices.ContainsFunc(item.Operations, func(o *openapi.Operation) bool { return o.Method == method })
	}) || slices.ContainsFunc(p.cases, func(c *Case) bool { return c.draft.method != "" && c.draft.op.path == path })
}

// enforced ends the name of a gain: that the server rejects what violates the claim.
const enforced = " enforced"

// gain finds what a case may be evidence for, if the server conforms.
func (p *planner) gain(c *Case) {
	_, name, _ := strings.Cut(c.Name, "/")
	c.gains = map[string]bool{}
	switch {
	case c.expected.isValid() && name != "valid/full": // the page of a list has no records if all filters are there
		c.novelty = c.Name
	case c.Claim == "", strings.HasPrefix(name, "request/json/"):
		c.novelty = name
	}
	statuses := c.expected.statuses
	switch {
	case c.draft.method != "":
		statuses = nil
	case c.expected.success:
		statuses = []int{http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent}
	}
	key := ""
	for _, status := range statuses {
		if key = c.draft.op.responseKey(status); key != "" && key != "default" {
			break
		}
	}
	minimal := name == "valid/minimal" && changes(c.Request.Method)
	for _, claim := range p.claims {
		if key == "" || !slices.Contains(claim.Uses, c.draft.op.id+" "+key) {
			continue
		}
		// A record that is made of little has nulls, and the defaults that criteria with unless are about.
		if ofMinimal := claim.Text == "may be null" || strings.Contains(claim.Text, ": unless "); !ofMinimal || minimal {
			c.gains[claim.ID] = true
		}
	}
	if c.Claim != "" && key != "" && key != "404" {
		c.gains[c.Claim+enforced] = true
	}
	if !c.expected.isValid() {
		return
	}
	ledger, ex := p.contract.NewLedger(), *c.Request
	ex.Status, ex.Response = http.StatusOK, traffic.Message{HeaderOmitted: true, BodyOmitted: true}
	if _, err := ledger.Add(&ex); err != nil {
		return
	}
	for _, e := range ledger.Report().Claims {
		if e.Consistent > 0 {
			c.gains[e.ID] = true
		}
	}
}
