package mutate

import (
	"cmp"
	"math/rand/v2"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// recipe says which of the documented bodies a draft has.
type recipe struct {
	op                *operation
	to                *answer
	request, response *media
}

// recipes lists those of an operation's answer that together use each media type.
func recipes(o *operation, a *answer) []recipe {
	var requests, responses []*media
	for _, c := range []struct {
		of *content
		to *[]*media
	}{{o.request, &requests}, {a.content, &responses}} {
		if c.of != nil {
			for i := range c.of.media {
				*c.to = append(*c.to, &c.of.media[i])
			}
		}
		if len(*c.to) == 0 {
			*c.to = []*media{nil}
		}
	}
	if bodiless(a.status) {
		responses = []*media{nil}
	}
	var all []recipe
	for i := range max(len(requests), len(responses)) {
		all = append(all, recipe{o, a, requests[i%len(requests)], responses[i%len(responses)]})
	}
	return all
}

// concrete is a media type that a range has, and no narrower entry.
func concrete(name string) string {
	switch {
	case name == "*/*":
		return "application/vnd.any+json"
	case strings.HasSuffix(name, "/*"):
		return strings.TrimSuffix(name, "*") + map[bool]string{true: "vnd.some+json", false: "vnd.some"}[strings.HasPrefix(name, "application/")]
	}
	return name
}

// draft draws an exchange that conforms; nil where none was found.
func (s *spec) draft(rng *rand.Rand, of recipe, full bool) *draft {
	for range 50 {
		d := &draft{spec: s, op: of.op, to: of.to, status: of.to.status}
		for _, m := range []struct {
			to   *message
			of   *media
			part conformance.Part
		}{{&d.request, of.request, conformance.RequestBody}, {&d.response, of.response, conformance.ResponseBody}} {
			m.to.headers = map[string]string{}
			if m.of == nil {
				continue
			}
			name := concrete(m.of.name)
			m.to.media, m.to.headers["Content-Type"] = m.of, name
			if !isJSON(name) {
				m.to.text = "neither JSON nor empty"
				continue
			}
			m.to.value, m.to.has = (&drawing{s, rng, m.part, full}).value(m.of.schema)
			if !m.to.has {
				return nil
			}
		}
		if len(of.op.security) > 0 {
			for _, c := range of.op.security[rng.IntN(len(of.op.security))] {
				c.set(d.request.headers, cmp.Or(c.scheme, "Token")+" k3y-"+strings.ToLower(c.name))
			}
		}
		for _, h := range of.to.headers {
			if h.schema == nil {
				if h.required {
					d.response.headers[h.name] = `{"any":1}`
				}
				continue
			}
			if v, ok := (&drawing{s, rng, conformance.ResponseHeader, full}).value(h.schema); ok && (h.required || full || rng.IntN(3) > 0) {
				d.response.headers[h.name] = headerText(v)
			}
		}
		if d.satisfy(rng) {
			return d
		}
	}
	return nil
}

// set puts a credential where it belongs: headers hold those of the URL and the cookies under names of their own.
func (c credential) set(headers map[string]string, value string) {
	switch {
	case c.in != "header":
		headers[c.in+" "+c.name] = "k3y-" + c.name
	case c.name != "Authorization":
		headers[canonicalName(c.name)] = "k3y-" + c.name
	default:
		headers[canonicalName(c.name)] = value
	}
}

func (c credential) key() string {
	if c.in != "header" {
		return c.in + " " + c.name
	}
	return canonicalName(c.name)
}
