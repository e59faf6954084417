// Package suggest writes how a spec would have to change for the traffic of a report to satisfy it: an OpenAPI Overlay
// that widens the assumptions that traffic refuted, and documents what no claim covers. It proposes; people decide.
package suggest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// ErrNothing says that there is nothing to suggest, as an overlay without actions is none (Overlay 1.0.0, section 4.1).
// The error's text lists what would have to change and is inexpressible.
var ErrNothing = errors.New("there is nothing to suggest")

// Overlay returns an OpenAPI Overlay 1.0.0 (YAML) for the spec that the report is about. Applied to the spec, it changes
// the claims that traffic refuted and that are assumed, or documented if that is asked for, and no others: by default it is
// the server that deviates from a documented claim. What it adds is marked by x-assumed. Descriptions hold the evidence;
// info has what is inexpressible, as x-not-suggested. Known failures are left alone. The bytes depend on the spec and the
// report only. One application may uncover more: what a refuted claim kept from being checked.
//
// The error is [ErrNothing], or says that the spec cannot be loaded or is not the report's.
func Overlay(spec []byte, r *conformance.Report, documented bool) ([]byte, error) {
	if sum := fmt.Sprintf("%x", sha256.Sum256(spec)); sum != r.Spec.SHA256 {
		return nil, fmt.Errorf("the report is about another spec: its SHA-256 is %s, this one's %s", r.Spec.SHA256, sum)
	}
	p, err := newPatch(spec)
	if err != nil {
		return nil, err
	}
	p.documented = documented
	for _, e := range r.Claims {
		p.evidence[e.ID] = e
	}
	p.applyAll(deviations(r, documented))
	switch {
	case len(p.actions) == 0 && len(p.inexpressible) == 0:
		return nil, ErrNothing
	case len(p.actions) == 0:
		return nil, fmt.Errorf("%w; what is inexpressible: %s", ErrNothing, strings.Join(p.inexpressible, "; "))
	}
	return p.write("What traffic showed of ")
}

// Confirmed returns an OpenAPI Overlay 1.0.0 (YAML) that makes assumed claims of a spec documented: it removes their marks.
// reasons has the claims by their ID, with what confirms each. A mark on a claim that is contradicted stays. The error is
// [ErrNothing], or that of the spec.
func Confirmed(spec []byte, reasons map[string]string, contradicted map[string]bool) ([]byte, error) {
	p, err := newPatch(spec)
	if err != nil {
		return nil, err
	}
	texts := map[string]map[string]string{} // by the mark and the place, which claims about several parts of an exchange have
	for _, claim := range p.claims {
		at := placeOf(claim.ID)
		mark := pointerOf(p.markOf(tokensOf(at)))
		if texts[mark] == nil {
			texts[mark] = map[string]string{}
		}
		texts[mark][at] = cmp.Or(texts[mark][at], reasons[claim.ID])
		if contradicted[claim.ID] {
			texts[mark][""] = "" // stays
		}
	}
	for _, mark := range slices.Sorted(maps.Keys(texts)) {
		of := slices.Sorted(maps.Values(texts[mark]))
		if mark == "" || of[0] == "" {
			continue
		}
		p.unmark(tokensOf(mark))
		p.actions[len(p.actions)-1].Description = strings.Join(slices.Compact(of), " ")
	}
	if len(p.actions) == 0 {
		return nil, ErrNothing
	}
	return p.write("What another document confirms of ")
}

// newPatch returns a patch without changes.
func newPatch(spec []byte) (*patch, error) {
	contract, err := conformance.Load(spec)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(spec, &doc); err != nil {
		return nil, err
	}
	root, err := valueOf(&doc)
	if err != nil {
		return nil, err
	}
	return &patch{state: state{root: root}, claims: contract.Claims(), info: contract.Spec(), begun: -1,
		evidence: map[string]conformance.Evidence{}}, nil
}

// write returns the overlay. Its filters are those of RFC 9535, which one tool has to be told.
func (p *patch) write(title string) ([]byte, error) {
	info := object{"title": title + p.info.Title, "version": p.info.Version}
	if len(p.inexpressible) > 0 {
		info["x-not-suggested"] = p.inexpressible
	}
	overlay := struct {
		Overlay  string   `yaml:"overlay"`
		JSONPath string   `yaml:"x-speakeasy-jsonpath"`
		Info     object   `yaml:"info"`
		Actions  []action `yaml:"actions"`
	}{"1.0.0", "rfc9535", info, p.actions}
	text, err := yaml.Dump(overlay, yaml.WithV3Defaults(), yaml.WithIndent(2))
	if err == nil && !bytes.Equal(text, printable.Lines(text)) { // a name from traffic would hide from the overlay's reader
		text, err = yaml.Dump(overlay, yaml.WithV3Defaults(), yaml.WithIndent(2), yaml.WithUnicode(false))
	}
	return text, err
}

// deviation is what the report says of one place of the spec, which one edit resolves.
type deviation struct {
	rule     string
	at       []string // the claim's place, or where one is missing; entries of lists by name
	into     []string // the object that the edit changes
	name     string   // of the property, header or status that is missing; "" otherwise
	kinds    []conformance.Deviation
	observed conformance.Observed
	drift    bool
}

// deviations groups what is worth a suggestion by the edit that resolves it, in the order of the spec.
func deviations(r *conformance.Report, documented bool) (list []*deviation) {
	byEdit := map[string]*deviation{}
	for _, k := range r.Deviations {
		drift := k.Source == conformance.Drift
		if k.Known != "" || !drift && k.Source != conformance.Assumed && (!documented || k.Source != conformance.Documented) {
			continue
		}
		of := &deviation{rule: k.Rule, at: tokensOf(cmp.Or(placeOf(k.Claim), k.Spec.Pointer)), drift: drift}
		switch k.Rule {
		case "additionalProperties", "undocumented-property", "undocumented-header":
			if tokens := tokensOf(k.Pointer); len(tokens) > 0 {
				of.name = tokens[len(tokens)-1]
			}
		case "status":
			of.name = strconv.Itoa(k.Status)
		case "media-type":
			if k.Observed != nil && len(of.at) > 1 && of.at[len(of.at)-2] == "content" {
				of.at = of.at[:len(of.at)-1]
			}
		}
		key := fmt.Sprintf("%s %q %q %t", of.rule, of.at, of.name, drift)
		if byEdit[key] == nil {
			byEdit[key] = of
			list = append(list, of)
		}
		of = byEdit[key]
		of.kinds = append(of.kinds, k)
		of.observed.Add(k.Observed)
	}
	slices.SortStableFunc(list, func(a, b *deviation) int {
		return cmp.Or(a.kinds[0].Spec.Line-b.kinds[0].Spec.Line, strings.Compare(a.rule+"\x00"+a.name, b.rule+"\x00"+b.name))
	})
	return list
}

// describe puts the evidence into words that the suggestion rests on.
func (of *deviation) describe() string {
	var texts []string
	for _, k := range of.kinds {
		at := strings.TrimSpace(string(k.Part) + " " + k.Pointer)
		texts = append(texts, fmt.Sprintf("%s with response %d, %s: %s. Findings: %d, exchanges: %d, first %s. Fingerprint %s.",
			k.Operation, k.Status, at, k.Message, k.Findings, k.Exchanges, k.First.Exchange, k.Fingerprint))
	}
	const maxKinds = 5
	if more := len(texts) - maxKinds; more > 0 {
		texts = append(texts[:maxKinds], fmt.Sprintf("And %d more of the kind.", more))
	}
	return strings.Join(texts, " ")
}

// reason is what a mark says of an edit.
func (of *deviation) reason() string {
	exchanges, otherwise := 0, "not documented"
	for _, k := range of.kinds {
		exchanges += k.Exchanges
		if k.Source == conformance.Documented {
			otherwise = "documented otherwise"
		}
	}
	return fmt.Sprintf("Observed in %d exchange(s), %s.", exchanges, otherwise)
}
