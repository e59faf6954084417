package mutate

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// side is one message of an exchange, with what the spec says of its body.
type side struct {
	name       string
	of         *content
	head, body conformance.Part
	required   bool
	message    func(*traffic.Exchange) *traffic.Message
}

func answerSide(base *draft) side {
	return side{strconv.Itoa(base.status) + base.to.content.label(base.response.media), base.to.content, conformance.ResponseHeader, conformance.ResponseBody, true,
		func(ex *traffic.Exchange) *traffic.Message { return &ex.Response }}
}

func requestSide(base *draft) side {
	return side{strconv.Itoa(base.status) + "/request" + base.op.request.label(base.request.media), base.op.request, conformance.RequestHeader, conformance.RequestBody,
		base.op.required, func(ex *traffic.Exchange) *traffic.Message { return &ex.Request }}
}

// label tells the media types of a body apart in names, where it has several.
func (c *content) label(m *media) string {
	if c == nil || m == nil || len(c.media) == 1 {
		return ""
	}
	return "/" + strings.ReplaceAll(m.name, "/", "|")
}

// place is the claim that a body of another media type breaks.
func (c *content) place() string {
	if len(c.media) == 1 {
		return c.media[0].at
	}
	return c.at
}

// bodies derives mutants of the answer's body as such: absent, unexpected, not JSON.
func (d *derivation) bodies(base *draft) {
	s := answerSide(base)
	if base.to.content != nil {
		if base.response.media != nil {
			d.body(base, s, base.response)
		}
		return
	}
	if bodiless(base.status) {
		return
	}
	for name, text := range map[string]string{"json": "{}", "space": " ", "text": "unexpected"} {
		ex := base.exchange(nil)
		ex.Response.Body = []byte(text)
		d.add(d.prefix+s.name+"/body/unexpected/"+name, claimID(s.body, base.to.at), ex, Want{"body", s.body, ""})
	}
}

// requests derives mutants of an accepted request's body as such.
func (d *derivation) requests(base *draft) {
	if base.accepted() && base.request.media != nil {
		d.body(base, requestSide(base), base.request)
	}
}

// body derives mutants of a body that is documented.
func (d *derivation) body(base *draft, s side, m message) {
	add := func(name, rule, at, claim string, part conformance.Part, change func(*traffic.Message)) {
		ex := base.exchange(nil)
		change(s.message(ex))
		id := ""
		if claim != "" {
			id = claimID(part, claim)
		}
		name = d.prefix + s.name + "/" + name
		d.add(name, id, ex, Want{rule, part, at})
		if id != "" && (part == conformance.RequestBody || part == conformance.RequestHeader) {
			d.refusedAsItIs(base, ex, name, id)
		}
	}
	if s.required {
		add("body/missing", "body", "", s.of.at, s.body, func(w *traffic.Message) { w.Body = nil })
		add("body/missing-with-its-type", "body", "", s.of.at, s.body, func(w *traffic.Message) { w.Body = nil; w.Header.Del("Content-Type") })
	}
	const field = "/Content-Type"
	for name, values := range contentTypes(m.headers["Content-Type"]) {
		add("content-type/"+name, "media-type", field, s.of.place(), s.head, func(w *traffic.Message) { w.Header["Content-Type"] = values })
	}
	add("content-type/missing", "media-type", field, s.of.place(), s.head, func(w *traffic.Message) { w.Header.Del("Content-Type") })
	for _, other := range []string{"text/html", "application/xml", "application/jsonp", "application/json-seq", "text/json", "image/png"} {
		if !slices.ContainsFunc(s.of.media, func(m media) bool { return covers(m.name, other) }) {
			add("content-type/"+strings.ReplaceAll(other, "/", "|"), "media-type", field, "", s.head,
				func(w *traffic.Message) { w.Header.Set("Content-Type", other) })
		}
	}
	if m.has {
		d.syntax(base, s, m, add)
	}
}

func covers(documented, name string) bool {
	documented, _, _ = strings.Cut(documented, ";")
	kind, isRange := strings.CutSuffix(documented, "/*")
	return documented == "*/*" || documented == name || isRange && strings.HasPrefix(name, kind+"/")
}

// contentTypes are field values that are wrong in themselves.
func contentTypes(right string) map[string][]string {
	all := map[string][]string{
		"empty": {""}, "malformed": {"application"}, "malformed-parameter": {right + "; charset"}, "two-slashes": {"application/json/x"},
		"two-that-differ": {right, "text/csv"}, "bad-quote": {right + `; charset="utf-8`}, "twice-the-parameter": {right + "; a=1; a=2"},
		"list": {right + ", text/plain"},
	}
	if isJSON(right) {
		for _, charset := range []string{"iso-8859-1", "utf-16", "windows-1252"} {
			all["charset-"+charset] = []string{right + "; charset=" + charset}
		}
	}
	return all
}

// refusedAsItIs derives from an accepted request that is no draft the exchanges in which it is refused.
func (d *derivation) refusedAsItIs(base *draft, broken *traffic.Exchange, name, claim string) {
	accepted := base.clone()
	accepted.request.has = false // nobody reads it, so the criteria say nothing of it
	for _, a := range base.op.answers {
		status, err := strconv.Atoi(a.key)
		refused := d.refused(accepted, a)
		if err != nil || status/100 != 4 || refused == nil {
			continue
		}
		ex := refused.exchange(nil)
		ex.URL, ex.Request = broken.URL, broken.Request
		about := refusals
		if strings.Contains(name, "/security/") {
			about = denials
		}
		state := conformance.Unobserved
		if slices.Contains(about, status) {
			state = conformance.Supported
		}
		d.proves(strings.TrimPrefix(name, d.prefix)+"/refused-with-"+a.key, claim, ex, state)
	}
}

// heads derives what an answer has and the spec does not know.
func (d *derivation) heads(base *draft) {
	status := strconv.Itoa(base.status)
	for _, name := range []string{"X-Undocumented", "Link", "Retry-After", "Location", "Deprecation"} {
		if slices.ContainsFunc(base.to.headers, func(h header) bool { return h.name == name }) {
			continue
		}
		ex := base.exchange(nil)
		ex.Response.Header.Set(name, "1")
		d.add(d.prefix+status+"/header/undocumented/"+name, "", ex, Want{"undocumented-header", conformance.ResponseHeader, pointer(name)})
	}
	for _, other := range []int{100, 200, 202, 204, 299, 301, 302, 304, 307, 308, 400, 404, 418, 499, 501, 502, 503, 599, 600, 999} {
		if base.op.answerTo(other) != nil {
			continue
		}
		ex := base.exchange(nil)
		ex.Status = other
		if other/100 == 2 && !base.accepted() && len(asAccepted(base).read()) > 0 {
			continue
		}
		d.add(d.prefix+strconv.Itoa(other)+"/status/undocumented", "", ex, Want{"status", conformance.ResponseStatus, ""})
	}
}

func asAccepted(base *draft) *draft {
	c := base.clone()
	c.status, c.to = http.StatusOK, nil
	return c
}

// credentials derives accepted calls that lack a credential of each way to authenticate.
func (d *derivation) credentials(base *draft) {
	if !base.accepted() || slices.ContainsFunc(base.op.security, func(all []credential) bool { return len(all) == 0 }) {
		return
	}
	for i, all := range base.op.security {
		for _, lacking := range all {
			for _, v := range absences(lacking) {
				changed := base.clone()
				for _, alternative := range base.op.security {
					for _, c := range alternative {
						delete(changed.request.headers, c.key())
					}
				}
				for _, c := range all {
					if c != lacking {
						c.set(changed.request.headers, strings.TrimSpace(c.scheme+" k3y"))
					}
				}
				if v.value != nil {
					changed.request.headers[lacking.key()] = asText(v.value)
				}
				// Where several ways lack as much, the first one is what is missing.
				if slices.ContainsFunc(base.op.security[:i], func(other []credential) bool { return changed.lacks(other) <= 1 }) {
					d.reasons[claimID(conformance.RequestHeader, lacking.at)] = "who lacks it lacks no less of another way to authenticate, which comes first"
					continue
				}
				name := strconv.Itoa(base.status) + "/security/" + lacking.name + "/" + v.name
				claim := claimID(conformance.RequestHeader, lacking.at)
				if len(base.op.security) > 1 {
					name = strconv.Itoa(base.status) + "/security/" + strconv.Itoa(i) + "/" + lacking.name + "/" + v.name
				}
				ex := changed.exchange(nil)
				d.add(d.prefix+name, claim, ex, Want{"security", conformance.RequestHeader, lacking.place()})
				d.refusedAsItIs(changed, ex, d.prefix+name, claim)
			}
		}
	}
}

func (d *draft) lacks(all []credential) (count int) {
	for _, c := range all {
		if d.request.headers[c.key()] == "" {
			count++
		}
	}
	return count
}

// place is where a finding about a credential points.
func (c credential) place() string {
	switch c.in {
	case "query":
		return pointer("URL", c.name)
	case "cookie":
		return pointer("Cookie", c.name)
	}
	return pointer(canonicalName(c.name))
}

// absences are the ways not to send a credential. A nil value is no field at all.
func absences(c credential) []variant {
	all := []variant{{name: "missing"}, {name: "empty", value: ""}, {name: "space", value: " "}}
	if c.in == "header" && c.name == "Authorization" {
		for _, scheme := range []string{"Token", "Bearer", "Basic ", "token"} {
			all = append(all, variant{name: "only-" + strings.TrimSpace(scheme), value: scheme})
		}
	}
	if c.scheme != "" {
		all = append(all, variant{name: "other-scheme", value: "Other k3y"}, variant{name: "no-scheme", value: "k3y"})
	}
	return all
}

// bodiless tells the statuses whose answers end with the header (RFC 9110, section 6.4.1).
func bodiless(status int) bool { return status/100 == 1 || status == 204 || status == 304 }
