package conformance

import (
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/mediatype"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// Claim is one statement of the spec that traffic can support or refute.
type Claim struct {
	// ID is the part of the exchange, a # and the claim's JSON pointer in the spec, in which names replace positions in a
	// list: response.body#/components/schemas/Fault/required/id. Edits elsewhere in the spec do not change it.
	ID     string   `json:"id"`
	Rule   string   `json:"rule"` // as in [Finding]
	Part   Part     `json:"part"`
	Spec   Location `json:"spec"`
	Source Source   `json:"source"`           // Documented or Assumed
	Reason string   `json:"reason,omitempty"` // why it is assumed; "" if it is documented
	Text   string   `json:"text"`             // the claim in words
	Uses   []string `json:"uses"`             // operations, with the status for claims about a response
	// Places are the JSON pointers that a finding about the claim may have, sorted. * stands for the items of a list and
	// for properties without a fixed name, ** for any number of tokens, in a schema that contains itself.
	Places []string `json:"places"`
	// NeedsRecording reports that no request can provoke the response that the claim is about: a server error (5xx).
	NeedsRecording bool `json:"needs_recording,omitempty"`
}

// Claims returns every claim of the spec, sorted by ID. The caller must not change them. A schema below anyOf, oneOf or not
// makes no claims of its own, as a value may violate it and conform; the keyword is one claim.
func (c *Contract) Claims() []Claim { return slices.Clip(c.claims) }

// claimKey identifies a claim.
type claimKey struct {
	part Part
	spec string
}

// noClaim is the index that stands for no claim.
const noClaim = -1

// claimIndex returns the index of the claim at spec, or noClaim.
func (c *Contract) claimIndex(part Part, spec string) int {
	if i, known := c.claimAt[claimKey{part, spec}]; known {
		return i
	}
	return noClaim
}

// readClaims collects the claims of all operations.
func (c *Contract) readClaims() {
	const perSchema = 3 // claims, about
	c.claims, c.claimAt = make([]Claim, 0, perSchema*len(c.schemas)), map[claimKey]int{}
	for _, op := range c.operations {
		for _, a := range op.security {
			claims := make([]int, len(a))
			for i, k := range a {
				c.claim(&claims[i], usage{text: op.id}, RequestHeader, ruleSecurity, k.Place(), k.Pointer,
					"rejected without the credential "+k.Name)
			}
			op.securityClaims = append(op.securityClaims, claims)
		}
		for _, p := range op.parameters {
			c.claimParameter(usage{text: op.id}, p)
		}
		c.claimContent(usage{text: op.id}, op.request, op.required, RequestHeader, inRequestBody)
		for _, status := range sortedKeys(op.responses) {
			c.claimResponse(usage{op.id + " " + status, status}, op.responses[status])
		}
	}
	slices.SortFunc(c.claims, func(a, b Claim) int { return strings.Compare(a.ID, b.ID) })
	position := make([]int, len(c.claims))
	for i := range c.claims {
		claim := &c.claims[i]
		key := claimKey{claim.Part, claim.Spec.Pointer}
		position[c.claimAt[key]] = i
		c.claimAt[key] = i
		slices.Sort(claim.Uses)
		slices.Sort(claim.Places)
		// The claims of a schema have the same uses, and are next to each other.
		if i > 0 && slices.Equal(claim.Uses, c.claims[i-1].Uses) {
			claim.Uses = c.claims[i-1].Uses
		}
	}
	for _, ref := range c.claimRefs {
		*ref.index = position[ref.read]
	}
	c.claimRefs = nil
	c.bindClaims()
}

// usage is the request of an operation, or its response with a status.
type usage struct {
	text   string // for [Claim.Uses]
	status string // "" for the request
}

// claimRef is where the index of a claim belongs, once all are read.
type claimRef struct {
	index *int
	read  int
}

// claim adds a claim, or another use of it, and sets its index: first in the order of reading.
func (c *Contract) claim(index *int, use usage, part Part, rule, place, spec, text string) {
	i, known := c.claimAt[claimKey{part, spec}]
	if !known {
		source, reason := c.sourceOf(spec)
		id := string(part) + "#" + c.source.ByName(spec)
		if strings.HasSuffix(id, spec) {
			spec = id[len(id)-len(spec):] // a large spec has too many to store them twice
		}
		i = len(c.claims)
		c.claimAt[claimKey{part, spec}] = i
		c.claims = append(c.claims, Claim{ID: id, Rule: rule, Part: part,
			Spec: c.location(spec), Source: source, Reason: reason, Text: text, NeedsRecording: true})
	}
	*index = i
	c.claimRefs = append(c.claimRefs, claimRef{index, i})
	c.addUse(i, use, place)
}

func (c *Contract) addUse(i int, use usage, place string) {
	claim := &c.claims[i]
	// The claims of one use are added one after the other, and a large spec has thousands of uses.
	if last := len(claim.Uses) - 1; last < 0 || claim.Uses[last] != use.text {
		claim.Uses = append(claim.Uses, use.text)
	}
	if !slices.Contains(claim.Places, place) {
		claim.Places = append(claim.Places, place)
	}
	claim.NeedsRecording = claim.NeedsRecording && strings.HasPrefix(use.status, "5")
}

func (c *Contract) claimResponse(use usage, r *response) {
	c.claim(&r.claim, use, ResponseStatus, ruleStatus, "", r.pointer, "status "+strings.ToLower(use.status)+" is a documented response")
	for _, h := range r.headers {
		c.claimParameter(use, h)
	}
	c.claimContent(use, r.body, true, ResponseHeader, inResponseBody)
	for _, k := range r.criteria {
		c.claim(&k.claim, use, k.left.part(), ruleCriterion, k.left.Pointer, k.pointer, k.Name+": "+k.String())
	}
}

func (c *Contract) claimContent(use usage, documented *content, required bool, head Part, body validatedPart) {
	if documented == nil {
		return
	}
	if required {
		c.claim(&documented.bodyClaim, use, partNames[body], ruleBody, "", documented.pointer, "a body")
	}
	if len(documented.types) > 1 {
		c.claim(&documented.headerClaim, use, head, ruleMediaType, "/Content-Type", documented.pointer, documented.names())
	}
	for i := range documented.types {
		m := &documented.types[i]
		c.claim(&m.headerClaim, use, head, ruleMediaType, "/Content-Type", m.pointer, "media type "+m.text)
		switch {
		case m.binary:
			continue
		case m.isJSON() || documented.patterns[i].IsRange(): // which covers JSON, too
			c.claim(&m.bodyClaim, use, partNames[body], ruleJSON, "", m.pointer, "one JSON value in UTF-8")
		case m.name == mediatype.Multipart && m.schema != nil:
			c.claim(&m.bodyClaim, use, partNames[body], ruleMultipart, "", m.pointer, "a multipart body")
			for _, name := range sortedKeys(m.encodings) {
				e := m.encodings[name]
				c.claim(&e.claim, use, partNames[body], ruleMediaType, strictjson.Pointer(name), e.pointer, "media type "+strings.Join(e.names, " or "))
			}
		case !m.isText():
			continue
		}
		c.claimSchema(use, body, "", m.schema, newTraversal())
	}
}

// maxPlaces bounds the places that are listed of one schema, and those among them that end with **: a hostile spec can
// refer to it in a million places.
const maxPlaces = 100

// traversal is the state of a walk through a schema and those below it.
type traversal struct {
	stack     []*schema       // from the root to the current schema
	count     map[*schema]int // visits of each schema
	recursive map[*schema]int // visits of each schema below **
	anywhere  bool            // the place ends with **
	combined  []*schema       // the schemas at the current value, from the first one
}

func newTraversal() *traversal {
	return &traversal{count: map[*schema]int{}, recursive: map[*schema]int{}}
}

// claimSchema adds the claims of a schema at a place, and of the schemas below it that can be violated alone.
func (c *Contract) claimSchema(use usage, part validatedPart, place string, s *schema, walk *traversal) {
	if s == nil || walk.count[s] == maxPlaces {
		return
	}
	if walk.anywhere {
		if walk.count[s] > 0 || walk.recursive[s] == maxPlaces {
			return
		}
		walk.recursive[s]++
	}
	walk.count[s]++
	if slices.Contains(walk.stack, s) {
		again := newTraversal()
		again.recursive, again.anywhere = walk.recursive, true
		c.claimSchema(use, part, place+"/**", s, again)
		return
	}
	walk.stack = append(walk.stack, s)
	combined := append(walk.combined, s) //nolint:gocritic // of this schema
	defer func() { walk.stack, walk.combined = walk.stack[:len(walk.stack)-1], combined[:len(combined)-1] }()
	walk.combined = nil
	below := func(tokens string) string {
		if walk.anywhere {
			return place
		}
		return place + tokens
	}
	keywords := s.keywords(part)
	for i := range keywords {
		if k := &keywords[i]; k.rule == "required" && combined[0].Omits(k.property, part.ofRequest()) {
			continue
		} else if k.claim == noClaim {
			c.claim(&k.claim, use, partNames[part], k.rule, below(k.pointer), k.spec, k.text)
		} else {
			c.addUse(k.claim, use, below(k.pointer))
		}
	}
	for _, p := range s.Properties {
		c.claimSchema(use, part, below(strictjson.Pointer(p.Name)), c.schemaOf(p.Schema), walk)
	}
	c.claimSchema(use, part, below("/*"), s.items, walk)
	c.claimSchema(use, part, below("/*"), s.additional, walk)
	parts := slices.Concat(s.allOf, s.children)
	if s.Discriminator != nil {
		parts = slices.Concat(parts, s.oneOf, s.anyOf)
	}
	for _, next := range parts {
		if walk.combined = combined; slices.Contains(s.children, next) {
			walk.combined = append([]*schema{next}, combined...) // the first one has the directions
		}
		if !slices.Contains(combined, next) {
			c.claimSchema(use, part, place, next, walk)
		}
	}
}
