package mutate

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/generate"
)

// raw adds a mutant that no exchange model can be. change changes the copy that it is given.
func (c *collector) raw(base *exchangeModel, name string, expected Expectation, change func(*traffic.Exchange)) {
	if name = c.prefix + name; !c.names[name] {
		ex := base.exchange()
		change(ex)
		c.take(Mutant{Name: name, Exchange: ex, Expected: expected})
	}
}

// side is one message of an exchange, with what the spec says of its body.
type side struct {
	name       string // begins the names of its mutants
	content    *content
	media      *media
	required   bool
	head, body conformance.Part
	message    func(*traffic.Exchange) *traffic.Message
}

// sides are the messages with a documented body. A request that is rejected violates nothing.
func (m *exchangeModel) sides() (all []side) {
	if m.response != nil {
		name := strings.TrimSuffix(m.label(conformance.ResponseBody), "/body")
		all = append(all, side{name, m.to.content, m.response, true, conformance.ResponseHeader, conformance.ResponseBody,
			func(ex *traffic.Exchange) *traffic.Message { return &ex.Response }})
	}
	if m.request != nil && m.accepted() {
		all = append(all, side{m.label(conformance.RequestBody), m.op.request, m.request, m.op.bodyRequired,
			conformance.RequestHeader, conformance.RequestBody,
			func(ex *traffic.Exchange) *traffic.Message { return &ex.Request }})
	}
	return all
}

// bodies adds the mutants of bodies as such: missing, unexpected, of another media type, not JSON.
func (c *collector) bodies(base *exchangeModel) {
	if base.to.content == nil && !bodiless(base.status) {
		for name, text := range map[string]string{"json": "{}", "space": " ", "text": "unexpected"} {
			const part = conformance.ResponseBody
			c.raw(base, strconv.Itoa(base.status)+"/body/unexpected/"+name, Expectation{"", "body", part, ""},
				func(ex *traffic.Exchange) { ex.Response.Body = []byte(text) })
		}
	}
	for _, s := range base.sides() {
		right := concrete(s.media.name)
		missing := claim(s.content.at, "body", s.body, "")
		mediaType := claim(s.content.claim(), "media-type", s.head, "/Content-Type")
		add := func(name string, expected Expectation, change func(*traffic.Message)) {
			c.raw(base, s.name+"/"+name, expected, func(ex *traffic.Exchange) { change(s.message(ex)) })
		}
		if s.required {
			add("body/missing", missing, func(m *traffic.Message) { m.Body = nil })
			add("body/missing-with-its-type", missing, func(m *traffic.Message) { m.Body = nil; m.Header.Del("Content-Type") })
		}
		add("content-type/missing", mediaType, func(m *traffic.Message) { m.Header.Del("Content-Type") })
		for name, values := range contentTypes(right) {
			add("content-type/"+name, mediaType, func(m *traffic.Message) { m.Header["Content-Type"] = values })
		}
		if s.media.isJSON() {
			note := Expectation{"", mediaType.Rule, mediaType.Part, mediaType.Pointer} // it has no effect
			name, _, _ := strings.Cut(right, ";")
			for _, charset := range []string{"iso-8859-1", "utf-16", "windows-1252"} {
				add("content-type/charset-"+charset, note, func(m *traffic.Message) { m.Header.Set("Content-Type", name+"; charset="+charset) })
			}
		}
		if generate.OfRequest(s.head) {
			mediaType.Claim = "" // the server accepts more than the spec has
		}
		for _, other := range otherTypes {
			if !slices.ContainsFunc(s.content.media, func(m *media) bool { return covers(m.name, other) }) {
				add("content-type/"+strings.ReplaceAll(other, "/", "|"), mediaType,
					func(m *traffic.Message) { m.Header.Set("Content-Type", other) })
			}
		}
		if s.media.isJSON() {
			c.syntax(base, s, func(name, rule, at, body string) {
				add("json/"+name, claim(s.media.at, rule, s.body, at), func(m *traffic.Message) { m.Body = []byte(body) })
			})
		}
	}
}

// otherTypes are media types of which the spec has few.
var otherTypes = []string{"text/html", "application/xml", "application/jsonp", "application/json-seq", "text/json", "image/png"}

// contentTypes are field values that are wrong in themselves.
func contentTypes(right string) map[string][]string {
	return map[string][]string{
		"empty": {""}, "malformed": {"application"}, "two-slashes": {"application/json/x"}, "list": {right + ", text/plain"},
		"two-that-differ": {right, "text/csv"}, "malformed-parameter": {right + "; charset"},
		"bad-quote": {right + `; charset="utf-8`}, "twice-the-parameter": {right + "; a=1; a=2"},
	}
}

// undocumented adds what a response has and the spec does not: headers and statuses.
func (c *collector) undocumented(base *exchangeModel) {
	for _, name := range []string{"X-Undocumented", "Link", "Retry-After", "Location", "Deprecation"} {
		if base.to.headers.byName[name] == nil {
			c.raw(base, strconv.Itoa(base.status)+"/header/undocumented/"+name,
				Expectation{"", "undocumented-header", conformance.ResponseHeader, pointer(name)},
				func(ex *traffic.Exchange) { ex.Response.Header.Set(name, "1") })
		}
	}
	accepted := *base // with a response that nothing describes
	accepted.status, accepted.to = http.StatusOK, nil
	accepted.schemas = maps.Clone(base.schemas)
	accepted.schemas[conformance.ResponseHeader] = &generate.Schema{}
	delete(accepted.schemas, conformance.ResponseBody)
	usesURL := slices.ContainsFunc(base.to.criteria, func(c criterion) bool { return strings.Contains(c.pattern, "$url") })
	if base.accepted() && !usesURL {
		for _, name := range []string{"undocumented", "a/b~c", "per_pag"} {
			c.raw(base, strconv.Itoa(base.status)+"/request.query/undocumented/"+name,
				Expectation{"", "undocumented-parameter", conformance.RequestQuery, pointer(name)},
				func(ex *traffic.Exchange) {
					ex.URL.RawQuery += "&" + url.QueryEscape(name) + "=1&" + url.QueryEscape(name) + "=2"
				})
		}
	}
	for _, other := range []int{100, 200, 202, 204, 299, 301, 302, 304, 307, 308, 400, 404, 418, 499, 501, 502, 503, 599,
		600, 999} {
		if base.op.responseTo(other) == nil && (other/100 != 2 || base.accepted() || len(accepted.violations()) == 0) {
			c.raw(base, strconv.Itoa(other)+"/status/undocumented", Expectation{"", "status", conformance.ResponseStatus, ""},
				func(ex *traffic.Exchange) { ex.Status = other })
		}
	}
}

// credentials adds accepted requests that lack a credential of the first way to authenticate, and any of the other ways:
// where several ways lack as much, the first one is what is missing.
func (c *collector) credentials(base *exchangeModel) {
	ways := base.op.security
	if !base.accepted() || len(ways) == 0 || slices.ContainsFunc(ways, func(all []credential) bool { return len(all) == 0 }) {
		return
	}
	without := base
	for _, other := range slices.Concat(ways...) {
		without = without.without(conformance.RequestHeader, []string{other.key()})
	}
	for _, lacking := range ways[0] {
		for absence, value := range lacking.absences() {
			changed := without
			for _, other := range ways[0] {
				if other != lacking {
					changed = changed.with(conformance.RequestHeader, []string{other.key()}, other.value())
				}
			}
			if value != nil {
				changed = changed.with(conformance.RequestHeader, []string{lacking.key()}, value)
			}
			c.raw(changed, strconv.Itoa(base.status)+"/security/"+lacking.name+"/"+absence,
				claim(lacking.at, "security", conformance.RequestHeader, lacking.pointer()), func(*traffic.Exchange) {})
		}
	}
}

// pointer is where a finding about a credential points.
func (c credential) pointer() string {
	switch c.in {
	case "query":
		return pointer("URL", c.name)
	case "cookie":
		return pointer("Cookie", c.name)
	}
	return pointer(c.key())
}

// absences are the ways not to send a credential, by name. A nil value is no field at all.
func (c credential) absences() map[string]any {
	all := map[string]any{"missing": nil, "empty": "", "space": " "}
	if c.key() == "Authorization" {
		for _, scheme := range []string{"Token", "Bearer", "Basic ", "token"} {
			all["only-"+strings.TrimSpace(scheme)] = scheme
		}
	}
	if c.scheme != "" {
		all["other-scheme"], all["no-scheme"] = "Other k3y", "k3y"
	}
	return all
}
