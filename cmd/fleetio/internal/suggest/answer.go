package suggest

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance"
)

var (
	headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")           // RFC 9110, section 5.6.2
	mediaType  = regexp.MustCompile("^[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+$") // RFC 6838, section 4.2
)

// addStatus documents an answer by its headers and the media types of its body. Nothing is claimed of the body itself.
func addStatus(d *draft, of *deviation) error {
	response := object("description", of.reason())
	if len(of.seen.Headers) > 0 {
		headers := object()
		for _, name := range of.seen.Headers {
			h, err := of.header(name)
			if err != nil {
				return err
			}
			headers.Content = append(headers.Content, value(name), h)
		}
		merge(response, object("headers", headers))
	}
	switch {
	case of.name == "204" || of.name == "304" || of.name[0] == '1' || !slices.Contains(of.seen.Bodies, "present"):
	case slices.Contains(of.seen.Bodies, "absent"):
		return errors.New("OpenAPI 3.0 cannot say that an answer has a body or none, and both were seen")
	default:
		content, err := of.content(nil)
		if err != nil {
			return err
		}
		merge(response, object("content", content))
	}
	return d.set(of.at[:len(of.at)-1], object("responses", object(of.name, response)), []string{"responses", of.name})
}

// content lists the media types seen, but those that are there.
func (of *deviation) content(there *yaml.Node) (*yaml.Node, error) {
	if len(of.seen.MediaTypes) == 0 {
		return nil, errors.New("the report has no media type of the bodies")
	}
	content := object()
	for _, name := range of.seen.MediaTypes {
		if !mediaType.MatchString(name) || isName(name) != nil {
			return nil, fmt.Errorf("%q is no media type", name)
		}
		if member(there, name) == nil {
			content.Content = append(content.Content, value(name), object())
		}
	}
	return content, nil
}

func (of *deviation) header(name string) (*yaml.Node, error) {
	if !headerName.MatchString(name) || isName(name) != nil {
		return nil, fmt.Errorf("%q is no header's name", name)
	}
	return object("description", of.reason(),
		"schema", object("type", "string", assumedKey, object("type", of.reason()))), nil
}

func addHeader(d *draft, of *deviation) error {
	at := of.at
	if at[len(at)-1] == "headers" {
		at = at[:len(at)-1]
	}
	headers := object()
	for _, name := range append([]string{of.name}, of.names...) {
		h, err := of.header(name)
		if err != nil {
			return err
		}
		headers.Content = append(headers.Content, value(name), h)
	}
	return d.update(at, object("headers", headers))
}

// addMediaType documents that bodies of other kinds are sent.
func addMediaType(d *draft, of *deviation) error {
	content, err := of.content(d.node(of.at...))
	if err != nil {
		return err
	}
	if len(content.Content) == 0 {
		return errors.New("its media types are documented by now")
	}
	var claims [][]string
	for i := 0; i < len(content.Content); i += 2 {
		claims = append(claims, []string{"content", content.Content[i].Value})
	}
	return d.set(of.schemaOf(), object("content", content), claims...)
}

// body answers that a body is missing, or that there is one.
func body(d *draft, of *deviation) error {
	n := d.node(of.at...)
	switch {
	case of.at[len(of.at)-1] != "content" || n == nil || len(n.Content) == 0:
		return addBody(d, of)
	case of.kinds[0].Part == conformance.RequestBody:
		if err := d.loosen(of.at...); err != nil {
			return err
		}
		return d.update(of.schemaOf(), object("required", false))
	}
	for _, k := range of.kinds {
		if d.evidence[k.Claim].Supported > 0 {
			return errors.New("OpenAPI 3.0 cannot say that an answer has a body or none, and both were seen")
		}
		for _, use := range d.evidence[k.Claim].Uses {
			d.silent[use] = true
		}
	}
	return d.emptyContent(of.at)
}

// emptyContent strikes the content of an answer, and the criteria that are about it.
func (d *draft) emptyContent(at []string) error {
	if err := d.loosen(at...); err != nil {
		return err
	}
	answer := at[:len(at)-1]
	for _, name := range names(d.node(at...)) {
		if err := d.remove(append(slices.Clone(at), name)...); err != nil {
			return err
		}
	}
	if criteria := d.node(append(slices.Clone(answer), criteriaKey)...); criteria != nil {
		for _, criterion := range slices.Clone(criteria.Content) {
			if name := member(criterion, "name"); name != nil && mentions(criterion, "$response.body") {
				if err := d.dropCriterion(answer, name.Value); err != nil {
					return err
				}
			}
		}
	}
	if d.marked(at) {
		return nil
	}
	return d.set(answer, object("content", object()), []string{"content"})
}

func names(n *yaml.Node) []string {
	var list []string
	for i := 0; n != nil && i+1 < len(n.Content); i += 2 {
		list = append(list, n.Content[i].Value)
	}
	return list
}

// mentions reports whether a text somewhere in a node holds another.
func mentions(n *yaml.Node, text string) bool {
	return strings.Contains(n.Value, text) || slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return mentions(c, text) })
}

// addBody documents the body of an answer that was to have none.
func addBody(d *draft, of *deviation) error {
	answer := of.at
	if answer[len(answer)-1] == "content" {
		answer = of.schemaOf()
	}
	if err := d.loosen(of.at...); err != nil {
		return err
	}
	for _, k := range of.kinds {
		if d.evidence[k.Claim].Supported > 0 {
			return errors.New("OpenAPI 3.0 cannot say that an answer has a body or none, and both were seen")
		}
	}
	content, err := of.content(nil)
	if err != nil {
		return err
	}
	return d.set(answer, object("content", content), []string{"content"})
}

// dropCriterion strikes a criterion.
func dropCriterion(d *draft, of *deviation) error {
	n := len(of.at)
	return d.dropCriterion(of.at[:n-3], of.at[n-2])
}

func (d *draft) dropCriterion(answer []string, name string) error {
	whole := append(slices.Clone(answer), criteriaKey)
	at := append(slices.Clone(whole), name)
	if d.node(at...) == nil {
		return nil
	}
	if err := d.loosen(append(slices.Clone(at), "condition")...); err != nil {
		return err
	}
	if len(d.node(whole...).Content) == 1 {
		return d.remove(whole...) // a list of criteria must not be empty
	}
	return d.remove(at...)
}

// addSecurity adds a way to authenticate without the credentials that were missing. The others stay, so that the
// credentials are known as such.
func addSecurity(d *draft, of *deviation) error {
	if err := d.loosen(of.at...); err != nil {
		return err
	}
	requirement := d.node(of.schemaOf()...)
	if requirement == nil {
		return errors.New("there is no such requirement")
	}
	left := object()
	for _, name := range names(requirement) {
		if d.refuted[pointerOf(append(slices.Clone(of.schemaOf()), name)...)] {
			continue
		}
		left.Content = append(left.Content, value(name), list())
	}
	lists := of.at[:len(of.at)-2]
	for _, other := range d.node(lists...).Content {
		if slices.Equal(names(other), names(left)) {
			return nil // another credential's finding has led to it
		}
	}
	return d.grow(lists, left)
}

// grow adds entries to a list. The list is taken away and put back, as readers of overlays differ about what an update
// of a list does: Overlay 1.0.0 appends its value as one entry, others append each entry of it.
func (d *draft) grow(at []string, entries ...*yaml.Node) error {
	n := d.node(at...)
	if n == nil {
		return fmt.Errorf("there is no #%s", pointerOf(at...))
	}
	whole := clone(n)
	whole.Content = append(whole.Content, entries...)
	if err := d.cut(at); err != nil {
		return err
	}
	last := len(at) - 1
	return d.update(at[:last], object(at[last], whole))
}
