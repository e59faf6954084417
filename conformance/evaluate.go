package conformance

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/criteria"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// resolved is the value of an operand in one exchange.
type resolved struct {
	value   value // none if it is absent
	unknown bool  // the part was not recorded, or is not JSON
}

// outcome is the result of evaluating a criterion.
type outcome int

const (
	inconclusive outcome = iota
	holds
	fails
)

// criterion evaluates one criterion. It skips one that does not apply, and one about a value that a finding reports as
// missing or wrong: the defect would be reported twice.
func (k *checker) criterion(c *criterion) {
	for i := range c.when {
		if r := k.resolve(&c.when[i]); r.unknown || !r.value.Exists() {
			return
		}
	}
	for i := range c.unless {
		if r := k.resolve(&c.unless[i]); r.unknown || r.value.Exists() {
			return
		}
	}
	left := k.resolve(&c.left)
	if left.unknown {
		return
	}
	result, expected := k.evaluate(c, left.value)
	if result == inconclusive {
		return
	}
	if blocking := k.blocking(c); len(blocking) > 0 {
		for _, i := range blocking {
			if result == fails {
				k.findings[i].Observed = k.findings[i].Observed.with(k.contract.claims[c.claim].ID)
			}
		}
		return
	}
	if result == holds {
		k.satisfy(c.claim)
		return
	}
	f := Finding{Rule: ruleCriterion, Part: c.left.part(), Pointer: c.left.Pointer, Expected: expected, Actual: "nothing"}
	if left.value.Exists() {
		f.Actual = k.describe(left.value)
	}
	k.add(f, c.pointer, c.Name)
}

// evaluate compares the left side with the pattern or with the right side. expected is set if the criterion fails.
func (k *checker) evaluate(c *criterion, left value) (result outcome, expected string) {
	if c.Pattern != nil {
		return k.match(c, left)
	}
	right := k.resolve(&c.right)
	if right.unknown {
		return inconclusive, ""
	}
	ok, conclusive := criteria.Compare(left, c.Op, right.value, c.instants)
	switch {
	case !conclusive:
		return inconclusive, ""
	case ok:
		return holds, ""
	}
	return fails, k.expected(c, right.value)
}

// expected describes the right side of a comparison.
func (k *checker) expected(c *criterion, right value) string {
	text := "nothing"
	if right.Exists() {
		text = k.describe(right)
	}
	if c.Op != "==" {
		text = c.Op + " " + text
	}
	if c.right.Part != "" {
		text += " (" + c.right.Text + ")"
	}
	return text
}

// resolve returns the value of an operand in the exchange.
func (k *checker) resolve(o *operand) resolved {
	b := &k.responseBody
	switch o.part() {
	case "":
		return resolved{value: o.Literal}
	case ResponseStatus:
		doc := k.scratchDoc()
		doc.Parse(strconv.AppendInt(doc.Data[:0], int64(k.ex.Status), 10))
		return resolved{value: value{Doc: doc}}
	case ResponseBody:
	case RequestBody:
		b = &k.requestBody
	default:
		return k.resolveText(o)
	}
	if !b.known {
		return resolved{unknown: true}
	}
	// A criterion about a property that was sent has the same operand as its condition and as a side.
	if b.pointer == nil || *b.pointer != o.Pointer {
		b.pointer = &o.Pointer
		b.found, _ = b.value.Lookup(o.Tokens)
	}
	return resolved{value: b.found}
}

// resolveText returns the value of a parameter, a header, the URL or the method.
func (k *checker) resolveText(o *operand) resolved {
	message := &k.ex.Request
	if o.part() == ResponseHeader {
		message = &k.ex.Response
	}
	var doc *strictjson.Document
	var present bool
	switch isHeader := o.part() == RequestHeader || o.part() == ResponseHeader; {
	case isHeader && message.HeaderOmitted:
		return resolved{unknown: true}
	case o.parameter != nil:
		doc, present, _ = k.read(o.parameter)
	default:
		texts := map[string][]string{"$url": {k.ex.URL.String()}, "$method": {k.ex.Method}}[o.Text]
		if isHeader {
			texts = message.Header[o.Tokens[0]]
		}
		doc, present = k.scratchDoc(), len(texts) > 0
		doc.Data = strictjson.AppendString(doc.Data[:0], []byte(strings.Join(texts, ", ")))
	}
	if !present {
		return resolved{}
	}
	isKnown := doc.Parse(doc.Data) && len(doc.Duplicates) == 0 // content can be something else
	return resolved{value: value{Doc: doc}, unknown: !isKnown}
}

// typeRules are the rules for a value that is missing or of the wrong type.
var typeRules = []string{"required", "nullable", "type", "format", ruleDuplicate}

// blocking returns the indexes of the findings that make a criterion inconclusive: for the left side those of typeRules;
// for the value it is compared with all, as a value that violates the contract itself is no reference.
func (k *checker) blocking(c *criterion) []int {
	var list []int
	for i := range k.findings {
		f := &k.findings[i]
		if !f.Fails() || f.Rule == ruleCriterion || f.Rule == ruleUnicode {
			continue
		}
		reference := f.covers(c.right)
		if c.Pattern != nil {
			reference = slices.ContainsFunc(c.embedded, f.covers)
		}
		if reference || f.covers(c.left) && slices.Contains(typeRules, f.Rule) {
			list = append(list, i)
		}
	}
	return list
}

// covers reports whether the finding is about an operand's value, or about a value that contains it.
func (f *Finding) covers(o operand) bool {
	return f.Part == o.part() && (f.Pointer == o.Pointer || strings.HasPrefix(o.Pointer, f.Pointer+"/"))
}

// match matches a string with a pattern, in which the embedded values of the exchange are literal.
func (k *checker) match(c *criterion, left value) (result outcome, expected string) {
	k.embedded, k.texts = k.embedded[:0], k.texts[:0]
	for i := range c.embedded {
		r := k.resolve(&c.embedded[i])
		if r.unknown || !r.value.Exists() {
			return inconclusive, ""
		}
		start := len(k.texts)
		k.texts = criteria.AppendText(k.texts, r.value)
		k.embedded = append(k.embedded, k.texts[start:])
	}
	matches := false
	if left.Exists() && left.Type() == strictjson.String {
		var err error
		if matches, err = c.Pattern.Match(left.Doc.Text(left.At, nil), k.embedded); err != nil {
			return inconclusive, ""
		}
	}
	if matches {
		return holds, ""
	}
	return fails, "a match of " + c.Pattern.Pattern(k.embedded)
}
