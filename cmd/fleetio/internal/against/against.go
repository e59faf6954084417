// Package against compares the claims of a spec with another document about the same API, such as the vendor's own.
package against

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// Verdict is what the document says of a claim.
type Verdict string

// The verdicts.
const (
	Agrees      Verdict = "agrees"
	Contradicts Verdict = "contradicts"
	Silent      Verdict = "silent"
)

// Comparison is what a document says of the claims of a spec.
type Comparison struct {
	Claims []Compared `json:"claims"` // of the spec, by their place
	// Additions are what the document says of the operations of the spec and the spec does not.
	Additions []Addition `json:"additions"`
	// OtherOperations is the number of operations that only the document has, and Missing are those that it lacks.
	OtherOperations int      `json:"other_operations"`
	Missing         []string `json:"missing_operations"`
	// Mistakes are in what is compared, and left out: the document is read without them.
	Mistakes []conformance.Unchecked `json:"mistakes"`
}

// Compared is a claim of the spec.
type Compared struct {
	conformance.Claim

	Verdict Verdict    `json:"verdict"`
	Other   *Statement `json:"other,omitempty"` // what the document says; nil if it is silent
}

// Statement is what the document says at one place.
type Statement struct {
	Spec conformance.Location `json:"spec"` // in the document
	Text string               `json:"text"`
}

// Addition is what only the document has: a status, a property or parameter, or a keyword.
type Addition struct {
	Statement

	What      string           `json:"what"` // status, property, parameter, header, or the keyword
	Operation string           `json:"operation"`
	Status    string           `json:"status,omitempty"` // of a response
	Part      conformance.Part `json:"part"`
	Pointer   string           `json:"pointer"`
}

// Compare compares the claims of a contract with the document in a file (OpenAPI 3.0, YAML or JSON, any size up to
// [conformance.MaxSpec]). Operations are found by method and path. Mistakes in the rest of the document do not matter. The
// error is that of [conformance.Load].
func Compare(ours *conformance.Contract, file string) (*Comparison, error) {
	d, err := read(file, ours)
	if err != nil {
		return nil, err
	}
	c := &comparer{ours: index{}, theirs: index{}, statuses: map[string][]string{}}
	for _, claim := range ours.Claims() {
		c.ours.add(statement{claim: claim, at: claim.Spec}, usesOf(claim))
	}
	names := d.operations()
	for _, claim := range d.contract.Claims() {
		c.addTheirs(statement{claim, d.location(&claim)}, names)
	}
	result := &Comparison{OtherOperations: d.others, Mistakes: append([]conformance.Unchecked{}, d.mistakes...), Additions: c.additions(), Missing: d.missing(ours.Document())}
	for _, claim := range ours.Claims() {
		verdict, other := c.compare(claim)
		compared := Compared{Claim: claim, Verdict: verdict}
		if other != nil {
			compared.Other = &Statement{other.at, other.claim.Text}
		}
		result.Claims = append(result.Claims, compared)
	}
	slices.SortStableFunc(result.Claims, func(a, b Compared) int {
		return cmp.Or(strings.Compare(a.Spec.File, b.Spec.File), a.Spec.Line-b.Spec.Line)
	})
	return result, nil
}

// statement is a claim, with its place in its own file.
type statement struct {
	claim conformance.Claim
	at    conformance.Location
}

// saying returns a statement that follows from another one at the same place; nil from nil.
func (s *statement) saying(text string) *statement {
	if s == nil {
		return nil
	}
	other := *s
	other.claim.Text = text
	return &other
}

// use is an operation, or its response with a status.
type use struct{ operation, status string }

// place is where a claim is about.
type place struct {
	use

	part    conformance.Part
	pointer string
}

func (p place) compare(other place) int {
	return cmp.Or(strings.Compare(p.operation, other.operation), strings.Compare(p.status, other.status),
		strings.Compare(string(p.part), string(other.part)), strings.Compare(p.pointer, other.pointer))
}

// index has the statements at each place.
type index map[place][]statement

func (x index) add(s statement, uses []use) {
	for _, u := range uses {
		for _, pointer := range s.claim.Places {
			at := place{u, s.claim.Part, pointer}
			x[at] = append(x[at], s)
		}
	}
}

// with returns the first statement at a place by one of the rules, or nil.
func (x index) with(at place, rules ...string) *statement {
	for i, s := range x[at] {
		if slices.Contains(rules, s.claim.Rule) {
			return &x[at][i]
		}
	}
	return nil
}

// usesOf splits what a claim is used by.
func usesOf(c conformance.Claim) (uses []use) {
	for _, text := range c.Uses {
		u := use{operation: text}
		if i := strings.LastIndexByte(text, ' '); i > 0 && !strings.HasPrefix(string(c.Part), "request.") {
			u = use{text[:i], strings.ToUpper(text[i+1:])}
		}
		uses = append(uses, u)
	}
	return uses
}

type comparer struct {
	ours, theirs index
	statuses     map[string][]string // of their operations
}

// operationNames are the names of an operation in both documents.
type operationNames struct {
	ours string
	path map[string]string // our names of the path parameters by theirs
}

// operations returns the operations of the document that the contract has, by the names that claims give them.
func (d *document) operations() map[string]operationNames {
	names := map[string]operationNames{}
	for _, item := range d.contract.Document().Paths {
		for _, o := range item.Operations {
			if of, ok := d.ours[o.Method+" "+item.Path]; ok {
				names[o.ID] = operationNames{of.id, pathNames(item.Path, of.path)}
			}
		}
	}
	return names
}

// pathNames returns the names of parameters in a path by those at the same position of another path, from the end.
func pathNames(from, to string) map[string]string {
	names := map[string]string{}
	theirs, ours := strings.Split(from, "/"), strings.Split(to, "/")
	for i := 1; i <= min(len(theirs), len(ours)); i++ {
		names[strings.Trim(theirs[len(theirs)-i], "{}")] = strings.Trim(ours[len(ours)-i], "{}")
	}
	return names
}

// missing returns the operations of the contract that the document lacks.
func (d *document) missing(ours *openapi.Document) []string {
	missing := []string{}
	for _, item := range ours.Paths {
		for _, o := range item.Operations {
			found := false
			for _, of := range d.ours {
				found = found || of.id == o.ID
			}
			if !found {
				missing = append(missing, o.ID)
			}
		}
	}
	return missing
}

// addTheirs adds a claim of the document, with our names.
func (c *comparer) addTheirs(s statement, operations map[string]operationNames) {
	for _, u := range usesOf(s.claim) {
		of, ok := operations[u.operation]
		if !ok {
			continue
		}
		renamed := s
		renamed.claim.Places = slices.Clone(s.claim.Places)
		if s.claim.Part == conformance.RequestPath {
			for i, pointer := range renamed.claim.Places {
				tokens := strictjson.SplitPointer(pointer)
				if name, ok := of.path[tokens[0]]; ok {
					tokens[0] = name
				}
				renamed.claim.Places[i] = strictjson.Pointer(tokens...)
			}
		}
		c.theirs.add(renamed, []use{{of.ours, u.status}})
		if s.claim.Rule == "status" {
			c.statuses[of.ours] = append(c.statuses[of.ours], u.status)
		}
	}
}

// theirUse returns the use of the document that is about one of ours: a response by its status, its range, or the default.
func (c *comparer) theirUse(u use) use {
	if u.status == "" {
		return u
	}
	for _, status := range []string{u.status, u.status[:1] + "XX", "DEFAULT"} {
		if slices.Contains(c.statuses[u.operation], status) {
			return use{u.operation, status}
		}
	}
	return u
}

// compare returns what the document says of a claim. One place where it says something else is enough to contradict.
func (c *comparer) compare(claim conformance.Claim) (Verdict, *statement) {
	verdict, found := Silent, (*statement)(nil)
	for _, u := range usesOf(claim) {
		for _, pointer := range claim.Places {
			at := place{u, claim.Part, pointer}
			there := place{c.theirUse(u), claim.Part, pointer}
			switch v, s := c.compareAt(claim, at, there); v {
			case Contradicts:
				return v, s
			case Agrees:
				verdict, found = v, s
			case Silent:
			}
		}
	}
	return verdict, found
}

// limits are the keywords that say the same with another number.
var limits = map[string][]string{
	"minimum": {"minimum", "exclusiveMinimum"}, "exclusiveMinimum": {"minimum", "exclusiveMinimum"},
	"maximum": {"maximum", "exclusiveMaximum"}, "exclusiveMaximum": {"maximum", "exclusiveMaximum"},
}

// compareAt compares a claim at one place with the statements at the place there.
func (c *comparer) compareAt(claim conformance.Claim, at, there place) (Verdict, *statement) {
	switch rules := limits[claim.Rule]; claim.Rule {
	case "status":
		return c.compareStatus(there)
	case "criterion", "anyOf", "oneOf", "not", "discriminator": // which nothing here compares
		return Silent, nil
	case "security":
		return c.compareSecurity(there)
	case "required":
		return c.compareRequired(there)
	case "body":
		if s := c.theirs.with(there, "body"); s != nil {
			return Agrees, s
		}
		return contradicted(c.theirs.with(there, "json", "multipart", "type").saying("a body is optional"))
	case "json", "multipart":
		return agreed(c.theirs.with(there, claim.Rule))
	case "type":
		if s := c.theirs.with(there, "nullable"); s != nil && s.claim.Text == mayBeNull && c.ours.with(at, "nullable") == nil {
			return Contradicts, s
		}
		return c.compareText(claim, there, "type")
	case "nullable":
		if s := c.theirs.with(there, "nullable"); s != nil {
			return c.compareText(claim, there, "nullable")
		}
		s := c.theirs.with(there, "type") // without nullable, null is of no type
		if s == nil || claim.Text != mayBeNull {
			return agreed(s)
		}
		return Contradicts, s.saying("not null")
	default:
		if rules == nil {
			rules = []string{claim.Rule}
		}
		return c.compareText(claim, there, rules...)
	}
}

// mayBeNull is the text of a claim by nullable.
const mayBeNull = "may be null"

func agreed(s *statement) (Verdict, *statement) {
	if s == nil {
		return Silent, nil
	}
	return Agrees, s
}

func contradicted(s *statement) (Verdict, *statement) {
	if s == nil {
		return Silent, nil
	}
	return Contradicts, s
}

// compareText compares the words of a claim with those of the statements by its rules.
func (c *comparer) compareText(claim conformance.Claim, there place, rules ...string) (Verdict, *statement) {
	var other *statement
	for i, s := range c.theirs[there] {
		if !slices.Contains(rules, s.claim.Rule) {
			continue
		}
		if normalized(s.claim) == normalized(claim) {
			return Agrees, &c.theirs[there][i]
		}
		other = &c.theirs[there][i]
	}
	return contradicted(other)
}

// normalized is the text of a claim: of an enum without the order, of a media type without parameters.
func normalized(c conformance.Claim) string {
	switch c.Rule {
	case "enum":
		values := strings.Split(strings.TrimPrefix(c.Text, "one of "), ", ")
		slices.Sort(values)
		return strings.Join(values, ", ")
	case "media-type":
		text, _, _ := strings.Cut(c.Text, ";")
		return text
	}
	return c.Text
}

// compareStatus looks for a status. A document need not list all, but it lists those of success.
func (c *comparer) compareStatus(there place) (Verdict, *statement) {
	if s := c.theirs.with(there, "status"); s != nil {
		if there.status == "DEFAULT" {
			return Silent, nil
		}
		return Agrees, s
	}
	for _, status := range c.statuses[there.operation] {
		if there.status[0] == '2' && status[0] == '2' {
			return contradicted(c.theirs.with(place{use{there.operation, status}, there.part, ""}, "status"))
		}
	}
	return Silent, nil
}

// compareSecurity looks for a credential, which may be documented as a required header. Without any credential, the document
// is silent.
func (c *comparer) compareSecurity(there place) (Verdict, *statement) {
	tokens := strictjson.SplitPointer(there.pointer)
	tokens[len(tokens)-1] = http.CanonicalHeaderKey(tokens[len(tokens)-1])
	there.pointer = strictjson.Pointer(tokens...)
	if s := c.theirs.with(there, "security", "required"); s != nil {
		return Agrees, s
	}
	for _, at := range slices.SortedFunc(maps.Keys(c.theirs), place.compare) {
		if s := c.theirs.with(at, "security"); s != nil && at.use == there.use {
			return Contradicts, s
		}
	}
	return Silent, nil
}

// compareRequired looks for a required property or parameter. A document that describes it says that it is optional, except
// in a response's object of which it requires nothing: many documents do not say what responses always have.
func (c *comparer) compareRequired(there place) (Verdict, *statement) {
	if s := c.theirs.with(there, "required"); s != nil {
		return Agrees, s
	}
	if len(c.theirs[there]) == 0 {
		return Silent, nil
	}
	if there.part == conformance.ResponseBody && !c.requiresSome(there) {
		return Silent, nil
	}
	return Contradicts, c.theirs[there][0].saying("optional")
}

// requiresSome reports whether the document requires a property of the object that has the one at a place.
func (c *comparer) requiresSome(at place) bool {
	parent := at.pointer[:strings.LastIndexByte(at.pointer, '/')+1]
	for other := range c.theirs {
		name, below := strings.CutPrefix(other.pointer, parent)
		if other.use == at.use && other.part == at.part && below && !strings.Contains(name, "/") && c.theirs.with(other, "required") != nil {
			return true
		}
	}
	return false
}
