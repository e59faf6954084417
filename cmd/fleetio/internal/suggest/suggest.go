// Package suggest writes down how a spec would have to change for the traffic of a report to keep it: an OpenAPI Overlay
// that widens the assumptions which traffic refuted, and documents what no claim covers. It proposes; people decide.
package suggest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// Options are how [Overlay] chooses.
type Options struct {
	// Documented lets the overlay loosen what the vendor documents, too, and marks it as assumed. By default, a documented
	// claim stays as it is: where traffic refutes one, it is the server that deviates.
	Documented bool
}

// ErrNothing says that there is nothing to suggest, as an overlay without actions is none (Overlay 1.0.0, section 4.1).
// The error's text lists what would have to change and cannot be expressed.
var ErrNothing = errors.New("there is nothing to suggest")

// Overlay returns an OpenAPI Overlay 1.0.0 (YAML) for the spec that the report is about. Applied to the spec, it leaves
// every claim alone but those that traffic refuted and that are assumed. What it adds is marked by x-assumed. The
// description of an action holds its evidence; info has what cannot be expressed, as x-not-suggested. What is a known
// failure in the report is left alone. The bytes depend on the spec and the report only.
//
// One application may uncover more: a value that a refuted claim kept from being weighed further, as a criterion does not
// weigh a value of the wrong kind, is weighed by what is left.
//
// The error is [ErrNothing], or says that the spec cannot be loaded or is not the report's.
func Overlay(spec []byte, r *conformance.Report, o Options) ([]byte, error) {
	before, err := conformance.Load(spec)
	if err != nil {
		return nil, err
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(spec)); sum != r.Spec.SHA256 {
		return nil, fmt.Errorf("the report is about another spec: its SHA-256 is %s, this one's %s", r.Spec.SHA256, sum)
	}
	d, err := newDraft(spec, before.Claims(), r, o)
	if err != nil {
		return nil, err
	}
	list := deviations(r, o)
	for _, of := range list {
		d.refuted[pointerOf(of.at...)] = true
	}
	d.answerAll(list)
	if len(d.actions) == 0 {
		if len(d.unsaid) > 0 {
			return nil, fmt.Errorf("%w; what cannot be expressed: %s", ErrNothing, strings.Join(d.unsaid, "; "))
		}
		return nil, ErrNothing
	}
	return d.write(r.Spec)
}

// deviation is what the report says of one place of the spec, where one edit answers it.
type deviation struct {
	rule  string
	at    []string // tokens of the claim, or of the place where one is missing; entries of lists by name
	name  string   // of the member, header or status that is missing; "" otherwise
	names []string // of what is missing besides, where the report cannot tell them apart
	kinds []conformance.Kind
	seen  conformance.Seen
	drift bool
}

// deviations groups what is worth a suggestion by the edit that answers it, in the order of the spec.
func deviations(r *conformance.Report, o Options) []*deviation {
	byEdit := map[string]*deviation{}
	var list []*deviation
	for _, k := range r.Kinds {
		drift := k.Basis == conformance.Drift
		if k.Known != "" || !drift && k.Basis != conformance.Assumed && (!o.Documented || k.Basis != conformance.Documented) {
			continue
		}
		of := &deviation{rule: k.Rule, at: place(k), drift: drift}
		switch k.Rule {
		case "additionalProperties", "undocumented-property", "undocumented-header":
			of.name = lastToken(k.Pointer)
		case "status":
			of.name = strconv.Itoa(k.Status)
		case "media-type":
			if drift && len(of.at) > 1 && of.at[len(of.at)-2] == "content" {
				of.at = of.at[:len(of.at)-1]
			}
		}
		key := strings.Join([]string{of.rule, pointerOf(of.at...), of.name, strconv.FormatBool(drift)}, "\x00")
		if same := byEdit[key]; same != nil {
			of = same
		} else {
			byEdit[key] = of
			list = append(list, of)
		}
		of.kinds = append(of.kinds, k)
		of.seen.Add(k.Seen)
	}
	alike(r, list)
	slices.SortStableFunc(list, func(a, b *deviation) int {
		line := a.kinds[0].Spec.Line - b.kinds[0].Spec.Line
		if line != 0 {
			return line
		}
		return strings.Compare(a.rule+"\x00"+a.name, b.rule+"\x00"+b.name)
	})
	return list
}

// alike finds the names that a fingerprint does not tell apart: those that look like positions in a list.
func alike(r *conformance.Report, list []*deviation) {
	names := map[string]map[string]bool{}
	for _, f := range slices.Concat(r.Findings, r.Drift) {
		if name := lastToken(f.Pointer); isNumber(name) {
			if names[f.Fingerprint] == nil {
				names[f.Fingerprint] = map[string]bool{}
			}
			names[f.Fingerprint][name] = true
		}
	}
	for _, of := range list {
		for _, k := range of.kinds {
			if of.name == "" || !isNumber(of.name) || of.rule == "status" {
				continue
			}
			for name := range names[k.Fingerprint] {
				if name != of.name && !slices.Contains(of.names, name) {
					of.names = append(of.names, name)
				}
			}
		}
		slices.Sort(of.names)
	}
}

// place is where the spec says what was refuted, or does not say what was seen.
func place(k conformance.Kind) []string {
	if _, pointer, isClaim := strings.Cut(k.Claim, "#"); isClaim {
		return splitPointer(pointer)
	}
	return splitPointer(k.Spec.Pointer)
}

// evidence puts into words what the suggestion rests on.
func (of *deviation) evidence() string {
	const most = 5
	var texts []string
	for i, k := range of.kinds {
		if i == most {
			texts = append(texts, fmt.Sprintf("And %d more of the kind.", len(of.kinds)-most))
			break
		}
		at := string(k.Part)
		if k.Pointer != "" {
			at += " " + k.Pointer
		}
		texts = append(texts, fmt.Sprintf("%s answered %d, %s: %s. %s in %s, first %s. Fingerprint %s.", k.Operation, k.Status, at,
			k.Message, count(k.Findings, "finding"), count(k.Exchanges, "exchange"), k.First.Exchange, k.Fingerprint))
	}
	return strings.Join(texts, " ")
}

// reason is what a mark says of an edit.
func (of *deviation) reason() string {
	n := 0
	for _, k := range of.kinds {
		n += k.Exchanges
	}
	for _, k := range of.kinds {
		if k.Basis == conformance.Documented {
			return fmt.Sprintf("Seen in %s; documented otherwise.", count(n, "exchange"))
		}
	}
	return fmt.Sprintf("Seen in %s, not documented.", count(n, "exchange"))
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
