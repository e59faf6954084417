package conformance

import (
	"bytes"
	"net/http"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
)

// compiledCriterion is a criterion that can be weighed on the bytes of an exchange.
type compiledCriterion struct {
	bears       []word
	when        []operandRef
	left, right operandRef
	op          string
	instants    bool

	// For a pattern: one without values, or the texts around the values, with what anchors them.
	pattern      *regexp.Regexp
	texts        []string
	embedded     []operandRef
	atStart, end bool

	echo bool // whether both sides are equal members of bodies, and nothing else is asked
}

// operandRef is an operand's place.
type operandRef struct {
	part    Part
	capture int    // of a body
	header  string // canonical
	whole   bool   // the header is read as an integer
	literal operandValue
}

// operandValue is a scalar in one exchange.
type operandValue struct {
	present bool
	kind    kind
	text    []byte // a text without quotes and escapes, or what else was written
	number  int64
	whole   bool // number holds it
}

const noCapture = -1

// compileCriterion adds what the criterion weighs to the places that are wanted of both bodies.
func compileCriterion(k *criterion, request, answer *wanted, captures *int) (*compiledCriterion, bool) {
	ok := true
	ref := func(o operand) operandRef {
		r, known := compileOperand(o, request, answer, captures)
		ok = ok && known
		return r
	}
	result := &compiledCriterion{op: k.op, instants: k.instants}
	for _, o := range k.when {
		result.when = append(result.when, ref(o))
	}
	result.left = ref(k.left)
	if k.pattern == nil {
		result.right = ref(k.right)
		result.echo = k.op == "==" && result.left.capture != noCapture && result.right.capture != noCapture &&
			!slices.ContainsFunc(result.when, func(r operandRef) bool { return r.capture == noCapture })
		return result, ok
	}
	if len(k.pattern.embedded) == 0 {
		var err error
		result.pattern, err = regexp.Compile(k.pattern.texts[0])
		return result, ok && err == nil
	}
	for _, o := range k.pattern.embedded {
		result.embedded = append(result.embedded, ref(o))
	}
	texts := slices.Clone(k.pattern.texts)
	last := len(texts) - 1
	texts[0], result.atStart = strings.CutPrefix(texts[0], "^")
	if before, cut := strings.CutSuffix(texts[last], "$"); cut {
		texts[last], result.end = before, true
	}
	for i, text := range texts {
		parsed, err := syntax.Parse(text, syntax.Perl)
		switch {
		case err != nil:
			return result, false
		case parsed.Op == syntax.OpEmptyMatch:
			texts[i] = ""
		case parsed.Op == syntax.OpLiteral && parsed.Flags&syntax.FoldCase == 0:
			texts[i] = string(parsed.Rune)
		default:
			return result, false
		}
	}
	result.texts = texts
	return result, ok
}

func compileOperand(o operand, request, answer *wanted, captures *int) (operandRef, bool) {
	ref := operandRef{part: o.part, capture: noCapture}
	switch o.part {
	case "":
		ref.literal = operandValue{present: true, kind: kindOf(o.literal)}
		switch v := o.literal.(type) {
		case string:
			ref.literal.text = []byte(v)
		case bool:
			ref.literal.text = strconv.AppendBool(nil, v)
		case number:
			ref.literal.setNumber([]byte(v))
		}
	case RequestHeader, ResponseHeader:
		ref.header = http.CanonicalHeaderKey(splitPointer(o.pointer)[0])
		if o.schema == nil {
			return ref, true
		}
		types := headerTypes(o.schema)
		ref.whole = slices.Equal(types, []string{"integer"})
		return ref, ref.whole || slices.Equal(types, []string{"string"})
	case RequestBody:
		ref.capture = request.want(o.tokens, captures)
	case ResponseBody:
		ref.capture = answer.want(o.tokens, captures)
	}
	return ref, ref.part == "" || ref.part == statusPart || len(o.tokens) > 0
}

// want adds a place and returns the capture that takes its value.
func (w *wanted) want(tokens []string, captures *int) int {
	for _, token := range tokens {
		if w.below[token] == nil {
			if w.below == nil {
				w.below = map[string]*wanted{}
			}
			w.below[token] = &wanted{capture: noCapture}
		}
		w = w.below[token]
	}
	if w.capture == noCapture {
		w.capture = *captures
		*captures++
	}
	return w.capture
}

// setNumber keeps numbers that are written as whole ones, and small enough.
func (v *operandValue) setNumber(text []byte) {
	v.text = text
	digits := bytes.TrimPrefix(text, []byte("-"))
	if len(digits) == 0 || len(digits) > 18 {
		return
	}
	n := int64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return
		}
		n = n*10 + int64(c-'0')
	}
	if len(digits) < len(text) {
		if n == 0 {
			return // -0 is written in its own way
		}
		n = -n
	}
	v.number, v.whole = n, true
}
