package conformance

import (
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/yamltree"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// Claim is one statement of the spec that traffic can support or refute.
type Claim struct {
	// ID is the part of the exchange that the claim is about, a # and the claim's place in the spec, where entries of a
	// list are called by name: response.body#/components/schemas/Fault/required/id. It outlives edits elsewhere.
	ID     string   `json:"id"`
	Rule   string   `json:"rule"` // as in [Finding]
	Part   Part     `json:"part"`
	Spec   Location `json:"spec"`
	Source Source   `json:"source"`
	Reason string   `json:"reason,omitempty"` // why it is assumed; "" where it is documented
	Text   string   `json:"text"`             // what is claimed, in words
	Uses   []string `json:"uses"`             // operations, with the status for what is claimed of an answer
	// Places are the JSON pointers that a finding about the claim may have; * stands for the items of a list and for
	// members without a fixed name, ** for any way down, or none, in a schema that contains itself. Sorted.
	Places []string `json:"places"`
	// NeedsRecording says that no request can bring about what the claim is about: the failure of a server (5xx).
	NeedsRecording bool `json:"needs_recording,omitempty"`
}

// Claims returns every claim of the spec, sorted by ID. The claims of a schema below anyOf, oneOf or not are weighed as
// one, as none of them is refuted by itself.
func (c *Contract) Claims() []Claim { return slices.Clone(c.claims) }

// claimKey tells claims apart while the spec is read; only at the end do they get their order.
type claimKey struct {
	part Part
	spec string
}

// noClaim stands for the index of what is no claim.
const noClaim = -1

// claimIndex finds the claim that a finding refutes.
func (c *Contract) claimIndex(part Part, spec string) int {
	if i, ok := c.claimAt[claimKey{part, spec}]; ok {
		return i
	}
	return noClaim
}

// readClaims collects the claims of all operations.
func (c *Contract) readClaims() {
	c.claimAt = map[claimKey]int{}
	for _, op := range c.operations {
		for _, a := range op.security {
			for _, k := range a {
				c.claim(usage{op.id, ""}, RequestHeader, ruleSecurity, k.Place(), k.Pointer, "refused without the credential "+k.Name)
			}
		}
		c.claimContent(usage{op.id, ""}, op.request, op.required, RequestHeader, inRequestBody)
		for _, status := range sortedKeys(op.responses) {
			c.claimResponse(usage{op.id, status}, op.responses[status])
		}
	}
	order := make([]int, len(c.claims))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(c.claims[a].ID, c.claims[b].ID) })
	place := make([]int, len(order))
	sorted := make([]Claim, len(order))
	for at, i := range order {
		place[i] = at
		sorted[at] = c.claims[i]
		slices.Sort(sorted[at].Uses)
		slices.Sort(sorted[at].Places)
	}
	c.claims = sorted
	for k, i := range c.claimAt {
		c.claimAt[k] = place[i]
	}
	c.bindClaims()
	c.bindOperations()
}

// usage is where something is claimed: of an operation's request, or of its answer with a status.
type usage struct{ operation, status string }

func (u usage) String() string { return strings.TrimSuffix(u.operation+" "+u.status, " ") }

// claim adds a claim, or another use of it.
func (c *Contract) claim(use usage, part Part, rule, place, spec, text string) {
	i, known := c.claimAt[claimKey{part, spec}]
	if !known {
		basis, reason := c.assumptions.basis(spec)
		i = len(c.claims)
		c.claimAt[claimKey{part, spec}] = i
		c.claims = append(c.claims, Claim{ID: string(part) + "#" + c.byName(spec), Rule: rule, Part: part,
			Spec: c.location(spec), Source: basis, Reason: reason, Text: text, NeedsRecording: true})
	}
	of := &c.claims[i]
	if text := use.String(); !slices.Contains(of.Uses, text) {
		of.Uses = append(of.Uses, text)
	}
	if !slices.Contains(of.Places, place) {
		of.Places = append(of.Places, place)
	}
	of.NeedsRecording = of.NeedsRecording && strings.HasPrefix(use.status, "5")
}

func (c *Contract) claimResponse(use usage, r *response) {
	c.claim(use, ResponseStatus, ruleStatus, "", r.pointer, "status "+strings.ToLower(use.status)+" is an answer")
	for _, h := range r.headers {
		if h.required {
			c.claim(use, ResponseHeader, "required", h.place, h.pointer+"/required", "the header "+h.name)
		}
		c.claimSchema(use, inResponseHeader, h.place, h.schema, newWays())
	}
	if r.body == nil && !slices.Contains([]string{"204", "304"}, use.status) && !strings.HasPrefix(use.status, "1") { // HTTP itself says so
		c.claim(use, ResponseBody, ruleBody, "", r.noBody, "no body")
	}
	c.claimContent(use, r.body, true, ResponseHeader, inResponseBody)
	for _, k := range r.criteria {
		c.claim(use, k.left.part, ruleCriterion, k.left.pointer, k.pointer, k.name+": "+k.text())
	}
}

func (c *Contract) claimContent(use usage, of *content, required bool, head Part, body validatedPart) {
	if of == nil {
		return
	}
	if required {
		c.claim(use, partNames[body], ruleBody, "", of.pointer, "a body")
	}
	if len(of.types) > 1 {
		c.claim(use, head, ruleMediaType, "/Content-Type", of.pointer, of.names())
	}
	for _, m := range of.types {
		c.claim(use, head, ruleMediaType, "/Content-Type", m.pointer, "media type "+m.name)
		if isJSON(m.name) || strings.Contains(m.name, "*") { // a range covers JSON, too
			c.claim(use, partNames[body], ruleJSON, "", m.pointer, "one JSON value in UTF-8")
			c.claimSchema(use, body, "", m.schema, newWays())
		}
	}
}

// maxPlaces bounds the places that are listed of one schema, and those among them that end with **: a spec can be made
// that has it in a million.
const maxPlaces = 100

// ways are those through a schema: the schemas on the present one, and how often each was met on all.
type ways struct {
	open      []*schema
	count     map[*schema]int
	recursive map[*schema]int // how often each was met below **, in all the ways that begin with this one
	anywhere  bool            // the place stands for all below it
}

func newWays() *ways { return &ways{count: map[*schema]int{}, recursive: map[*schema]int{}} }

// claimSchema adds the claims of a schema at a place, and of those below it that are violated one by one.
func (c *Contract) claimSchema(use usage, part validatedPart, place string, s *schema, ways *ways) {
	if s == nil || ways.count[s] == maxPlaces {
		return
	}
	if ways.anywhere {
		if ways.count[s] > 0 || ways.recursive[s] == maxPlaces {
			return
		}
		ways.recursive[s]++
	}
	ways.count[s]++
	if slices.Contains(ways.open, s) {
		again := newWays()
		again.recursive, again.anywhere = ways.recursive, true
		c.claimSchema(use, part, place+"/**", s, again)
		return
	}
	ways.open = append(ways.open, s)
	defer func() { ways.open = ways.open[:len(ways.open)-1] }()
	below := func(tokens string) string {
		if ways.anywhere {
			return place
		}
		return place + tokens
	}
	for _, k := range c.keywords(s, part) {
		c.claim(use, partNames[part], k.rule, below(k.member), k.spec, k.text)
	}
	for _, name := range sortedKeys(s.Properties) {
		c.claimSchema(use, part, below(strictjson.Pointer(name)), c.schemaOf(s.Properties[name]), ways)
	}
	c.claimSchema(use, part, below("/*"), s.items, ways)
	c.claimSchema(use, part, below("/*"), s.additional, ways)
	parts := s.allOf
	if s.Discriminator != nil {
		parts = slices.Concat(parts, s.oneOf, s.anyOf)
	}
	for _, combined := range parts {
		c.claimSchema(use, part, place, combined, ways)
	}
}

// byName writes an entry of a list by its name, as positions change.
func (c *Contract) byName(pointer string) string {
	tokens := strictjson.SplitPointer(pointer)
	n := c.source.Root
	for i := range tokens {
		list := yamltree.Follow(n)
		if n, _ = c.source.Child(list, tokens[i]); n == nil {
			break
		}
		if i == 0 || list.Kind != yaml.SequenceNode {
			continue
		}
		switch tokens[i-1] {
		case "required":
			tokens[i] = yamltree.Follow(n).Value
		case criteriaKey:
			if name, _ := c.source.Child(n, "name"); name != nil {
				tokens[i] = name.Value
				return strictjson.Pointer(tokens...) // what follows is below it
			}
		}
	}
	return strictjson.Pointer(tokens...)
}
