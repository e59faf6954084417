package mutate

import (
	"encoding/json"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// headers derives the mutants of the documented headers of an answer.
func (d *derivation) headers(base *draft) {
	prefix := strconv.Itoa(base.status) + "/header"
	const part = conformance.ResponseHeader
	drawing := &drawing{d.spec, d.rng, part, true}
	for _, h := range base.to.headers {
		if h.required {
			changed := base.lacking(operand{part: part, path: []string{h.name}})
			d.claimed(changed, prefix+pointer(h.name)+"/required/missing", claimID(part, h.at+"/required"), Want{"required", part, pointer(h.name)})
		}
		text, there := base.response.headers[h.name]
		if !there || h.schema == nil {
			continue
		}
		whole := d.spec.readHeader(h.schema, text)
		for _, at := range d.spec.sites(h.schema, whole, nil, nil) {
			present, _ := lookup(whole, at.path)
			for _, v := range drawing.variants(at.node, present, 0) {
				written := headerText(replaced(whole, at.path, v.value))
				if written != strings.TrimSpace(written) || strings.ContainsFunc(written, func(r rune) bool { return r < ' ' }) {
					continue // no field has such a value (RFC 9110, section 5.5)
				}
				place := pointer(h.name) + pointer(at.path...) + v.member
				for _, from := range unsaid(base) {
					changed := from.with(operand{part: part, path: []string{h.name}}, written)
					if d.claimed(changed, prefix+place+"/"+v.rule+"/"+v.name, claimID(part, v.claim), Want{v.rule, part, place}) {
						break
					}
				}
			}
		}
	}
}

// criteria derives exchanges in which one criterion does not hold, and those in which it does not apply.
func (d *derivation) criteria(base *draft) {
	for _, c := range base.to.criteria {
		claim := claimID(c.left.part, c.at)
		want := Want{"criterion", c.left.part, pointer(c.left.path...)}
		name := strconv.Itoa(base.status) + "/criterion/" + c.name
		for _, v := range d.unlike(base, c) {
			changed := base.with(c.left, v.value)
			if !d.claimed(changed, name+"/"+v.name, claim, want) {
				continue
			}
			for _, o := range c.when {
				if o.part != conformance.RequestBody {
					continue
				}
				if silent := changed.lacking(o); len(silent.read()) == 0 {
					d.proves(name+"/silent-without"+pointer(o.path...), claim, silent.exchange(nil), conformance.Unobserved)
				}
				if silent := unsaid(changed)[1]; len(silent.read()) == 0 {
					d.proves(name+"/silent-where-not-recorded", claim, silent.exchange(nil), conformance.Unobserved)
				}
			}
		}
		d.claimed(base.lacking(c.left), name+"/missing", claim, want)
		for i := range 3 {
			if v, ok := base.drawn(d.rng, c.right); ok && c.op != "match" {
				d.claimed(base.with(c.right, v), name+"/other-right-side-"+strconv.Itoa(i), claim, want)
			}
		}
		if len(base.read()) == 0 {
			d.proves(name+"/holds", claim, base.exchange(nil), conformance.Supported)
		}
	}
}

// unlike proposes values for the left side of a criterion that are near the one that is right.
func (d *derivation) unlike(base *draft, c criterion) []variant {
	var all []variant
	add := func(name string, v any) { all = append(all, variant{name: name, value: v}) }
	switch v := base.find(c.left).value.(type) {
	case string:
		add("other-case", swapCase(v))
		add("space-after", v+" ")
		add("longer", v+"0")
		add("longer-before", "0"+v)
		add("shorter", v[:max(0, len(v)-1)])
		add("slash-after", v+"/")
		add("line-after", v+"\n")
		add("empty", "")
		if base.isTime(c.left) && wellFormed("date-time", v) && v[len(v)-1] == 'Z' && len(v) == len("2006-01-02T15:04:05Z") {
			add("fraction-after", v[:len(v)-1]+".000000001Z")
			add("other-offset", v[:len(v)-1]+"+00:01")
		}
		add("another", "2001-01-01T00:00:00Z")
		add("late", "9999-12-31T23:59:59.9999999999Z")
	case json.Number:
		add("one-more", decimal(new(big.Rat).Add(rat(v), big.NewRat(1, 1))))
		add("one-less", decimal(new(big.Rat).Sub(rat(v), big.NewRat(1, 1))))
	case bool:
		add("opposite", !v)
	}
	add("null", nil)
	add("the-right-side", base.find(c.right).value)
	for i := range 5 {
		if v, ok := base.drawn(d.rng, c.left); ok {
			add("drawn-"+strconv.Itoa(i), v)
		}
	}
	return all
}

// refusals are the statuses that say that the content of a request is wrong (RFC 9110, section 15.5).
var refusals = []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity}

// denials say that a credential is missing.
var denials = []int{http.StatusUnauthorized, http.StatusForbidden}

// enforced derives from a request that breaks one claim and was accepted the exchanges in which it is refused: for what
// it breaks, or for something else.
func (d *derivation) enforced(accepted *draft, name, claim string, part conformance.Part) {
	if part != conformance.RequestBody && part != conformance.RequestHeader {
		return
	}
	about := refusals
	if strings.Contains(name, "/security/") {
		about = denials
	}
	for _, a := range accepted.op.answers {
		if status, err := strconv.Atoi(a.key); err == nil && status/100 == 4 {
			refused := d.refused(accepted, a)
			if refused == nil {
				continue
			}
			state := conformance.Unobserved
			if slices.Contains(about, status) {
				state = conformance.Supported
			}
			d.proves(name+"/refused-with-"+a.key, claim, refused.exchange(nil), state)
		}
	}
}

// refused is the same request, answered otherwise.
func (d *derivation) refused(accepted *draft, a *answer) *draft {
	if _, there := d.answers[a]; !there {
		d.answers[a] = d.spec.draft(d.rng, recipe{accepted.op, a, nil, recipes(accepted.op, a)[0].response}, false)
	}
	if d.answers[a] == nil {
		return nil
	}
	refusal := *d.answers[a]
	if refusal.request = accepted.request; len(refusal.read()) > 0 {
		return nil
	}
	return &refusal
}

// shows derives the exchanges that claims need which forbid nothing.
func (d *derivation) shows(base *draft) {
	status := strconv.Itoa(base.status)
	ex := func() *draft { return base }
	claim := claimID(conformance.ResponseStatus, base.to.at)
	d.proves(status+"/status/answered", claim, ex().exchange(nil), conformance.Supported)
	d.reasons[claim] = "it allows, and forbids nothing; an exchange shows that"
	for _, c := range []struct {
		of         *content
		m          message
		head, body conformance.Part
		state      conformance.State
		skip       bool
	}{
		{base.to.content, base.response, conformance.ResponseHeader, conformance.ResponseBody, conformance.Supported, false},
		{base.op.request, base.request, conformance.RequestHeader, conformance.RequestBody, conformance.Consistent, !base.accepted()},
	} {
		if c.of == nil || c.m.media == nil || c.skip {
			continue
		}
		claim := claimID(c.head, c.m.media.at)
		d.proves(status+"/"+string(c.head)+"/media-type/"+strings.ReplaceAll(c.m.media.name, "/", "|"), claim, ex().exchange(nil), c.state)
		if len(c.of.media) > 1 {
			d.reasons[claim] = "one media type of several: an answer of another breaks the claim about all of them"
		}
	}
}

// impossible gives the reasons why some claims cannot be broken by any exchange.
func (d *derivation) impossible(of recipe) {
	for _, h := range of.to.headers {
		if h.schema == nil {
			continue
		}
		types := h.schema.types()
		if slices.Contains(types, "string") || slices.Contains(types, "array") {
			d.reasons[claimID(conformance.ResponseHeader, h.schema.at+"/type")] = "a header is text, and any text is of this type"
		}
		if h.schema.Items != nil {
			if items := d.spec.node(h.schema.Items, h.schema.at+"/items"); slices.Contains(items.types(), "string") {
				d.reasons[claimID(conformance.ResponseHeader, items.at+"/type")] = "a header is text, and any text is of this type"
			}
		}
		if h.schema.written("nullable") {
			d.reasons[claimID(conformance.ResponseHeader, h.schema.at+"/nullable")] = "a header cannot be null"
		}
	}
	if of.to.content == nil && bodiless(of.to.status) {
		d.reasons[claimID(conformance.ResponseBody, of.to.at)] = "an answer of this status ends with its header, whatever it says"
	}
	for _, n := range d.spec.nodes {
		if n.Discriminator == nil || len(n.AnyOf)+len(n.OneOf) == 0 {
			continue
		}
		for _, chosen := range d.spec.choices(n) {
			for _, part := range []conformance.Part{conformance.RequestBody, conformance.ResponseBody} {
				d.reasons[claimID(part, chosen.at+"/type")] = "only an object can choose this schema"
				member := pointer(n.Discriminator.PropertyName)
				for _, keyword := range []string{"/required" + member, "/properties" + member + "/type", "/properties" + member + "/nullable"} {
					d.reasons[claimID(part, chosen.at+keyword)] = "only a text in this member can choose this schema"
				}
			}
		}
	}
	if slices.ContainsFunc(of.op.security, func(all []credential) bool { return len(all) == 0 }) {
		for _, all := range of.op.security {
			for _, c := range all {
				d.reasons[claimID(conformance.RequestHeader, c.at)] = "the operation can be called without any credential"
			}
		}
	}
}
