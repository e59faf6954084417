package mutate

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// draft is an exchange before it is written down.
type draft struct {
	spec              *spec
	op                *operation
	to                *answer // nil for a status that is not documented
	status            int
	request, response message
}

type message struct {
	media   *media            // nil where there is no body
	value   any               // of a JSON body
	has     bool              // whether there is one
	text    string            // a body that is not JSON
	omitted bool              // the recording lacks the body
	headers map[string]string // Content-Type, credentials, documented ones; canonical names
}

func (m message) clone() message {
	m.value, m.headers = clone(m.value), maps.Clone(m.headers)
	return m
}

func (d *draft) clone() *draft {
	c := *d
	c.request, c.response = d.request.clone(), d.response.clone()
	return &c
}

func (d *draft) accepted() bool { return d.status/100 == 2 }

// read returns what a draft breaks. A request that is refused breaks nothing.
func (d *draft) read() []broken {
	var all []broken
	if d.accepted() && d.request.has && !d.request.omitted {
		all = append(all, d.spec.read(d.request.media.schema, d.request.value, conformance.RequestBody, "")...)
	}
	if d.to == nil {
		return all
	}
	for _, h := range d.to.headers {
		at := pointer(h.name)
		text, there := d.response.headers[h.name]
		switch {
		case !there && h.required:
			all = append(all, broken{Want{"required", conformance.ResponseHeader, at}, claimID(conformance.ResponseHeader, h.at+"/required")})
		case there && h.schema != nil:
			all = append(all, d.spec.read(h.schema, d.spec.readHeader(h.schema, text), conformance.ResponseHeader, at)...)
		}
	}
	if d.response.has && !d.response.omitted {
		all = append(all, d.spec.read(d.response.media.schema, d.response.value, conformance.ResponseBody, "")...)
	}
	return append(all, d.readCriteria(all)...)
}

var wholeNumber = regexp.MustCompile(`^-?[0-9]+$`)

// readHeader reads the text of a header as one of its types, if it is written like one (style simple).
func (s *spec) readHeader(n *node, text string) any {
	for _, name := range n.types() {
		switch {
		case name == "array" && n.Items != nil:
			list := []any{}
			for item := range strings.SplitSeq(text, ",") {
				list = append(list, s.readHeader(s.node(n.Items, n.at+"/items"), strings.TrimSpace(item)))
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

// headerText writes a value as a header.
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

// satisfy changes a draft until it breaks nothing, as a drawn answer repeats the request by chance only.
func (d *draft) satisfy(rng *rand.Rand) bool {
	for range 40 {
		all := d.read()
		if len(all) == 0 {
			return true
		}
		i := slices.IndexFunc(d.to.criteria, func(c criterion) bool {
			return slices.ContainsFunc(all, func(b broken) bool { return b.claim == claimID(c.left.part, c.at) })
		})
		if i < 0 {
			return false
		}
		best, fewest := d, len(all)
		for _, repair := range d.repairs(rng, d.to.criteria[i]) {
			if n := len(repair.read()); n < fewest {
				best, fewest = repair, n
			}
		}
		if best == d {
			return false
		}
		*d = *best
	}
	return false
}

// repairs are drafts in which a criterion may hold.
func (d *draft) repairs(rng *rand.Rand, c criterion) []*draft {
	var all []*draft
	left, right := d.find(c.left), d.find(c.right)
	if c.op == "match" {
		if pattern, ok := d.fill(c.pattern, nil); ok {
			all = append(all, d.with(c.left, matching(rng, pattern, 4)), d.with(c.left, "/"+matching(rng, pattern, 4)))
		}
		return all
	}
	all = append(all, d.with(c.left, right.value), d.with(c.right, left.value))
	for range 4 {
		for _, o := range []operand{c.left, c.right} {
			if v, ok := d.drawn(rng, o); ok {
				all = append(all, d.with(o, v))
			}
		}
	}
	for _, o := range c.when {
		all = append(all, d.lacking(o))
	}
	return all
}

// drawn draws another value for the place of an operand.
func (d *draft) drawn(rng *rand.Rand, o operand) (any, bool) {
	n := d.nodeOf(o)
	if n == nil {
		return nil, false
	}
	return (&drawing{d.spec, rng, o.part, false}).value(n)
}

// with returns a draft with another value at an operand's place; the same one where it is none.
func (d *draft) with(o operand, v any) *draft {
	c := d.clone()
	switch o.part {
	case conformance.RequestBody:
		c.request.value = replaced(c.request.value, o.path, v)
	case conformance.ResponseBody:
		c.response.value = replaced(c.response.value, o.path, v)
	case conformance.ResponseHeader:
		c.response.headers[o.path[0]] = headerText(v)
	case conformance.RequestHeader:
		c.request.headers[o.path[0]] = headerText(v)
	}
	return c
}

// lacking returns a draft without the member or header of an operand.
func (d *draft) lacking(o operand) *draft {
	c := d.clone()
	switch o.part {
	case conformance.RequestBody:
		c.request.value = without(c.request.value, o.path)
	case conformance.ResponseBody:
		c.response.value = without(c.response.value, o.path)
	case conformance.ResponseHeader:
		delete(c.response.headers, o.path[0])
	case conformance.RequestHeader:
		delete(c.request.headers, o.path[0])
	}
	return c
}

// nodeOf finds the schema of an operand's place, or nil.
func (d *draft) nodeOf(o operand) *node {
	var m *media
	switch o.part {
	case conformance.RequestBody:
		m = d.request.media
	case conformance.ResponseBody:
		m = d.response.media
	case conformance.ResponseHeader:
		for _, h := range d.to.headers {
			if h.name == o.path[0] {
				return h.schema
			}
		}
	}
	if m == nil || m.schema == nil {
		return nil
	}
	return d.spec.below(m.schema, o.path, 0)
}

// below finds the schema of a place in a value, looking into allOf.
func (s *spec) below(n *node, path []string, depth int) *node {
	if len(path) == 0 || depth > 50 {
		return n
	}
	next := s.property(n, path[0])
	if next == nil && n.Items != nil && wholeNumber.MatchString(path[0]) {
		next = s.node(n.Items, n.at+"/items")
	}
	if next == nil {
		next = s.rest(n)
	}
	if next != nil {
		return s.below(next, path[1:], depth+1)
	}
	for _, part := range s.list(n.AllOf, n.at+"/allOf") {
		if found := s.below(part, path, depth+1); found != nil {
			return found
		}
	}
	return nil
}
