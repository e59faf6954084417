package conformance

import (
	"bytes"
)

// outcome is what weighing a criterion came to.
type outcome int

const (
	undecided outcome = iota // Check will tell
	silent
	holding
	broken
)

func (w *weigher) criterion(k *compiledCriterion, v *exchangeView) outcome {
	if k.echo {
		if says := w.echo(k); says != undecided {
			return says
		}
	}
	for _, ref := range k.when {
		value, ok := w.resolve(ref, v)
		if !ok {
			return undecided
		}
		if !value.present {
			return silent
		}
	}
	left, ok := w.resolve(k.left, v)
	if !ok {
		return undecided
	}
	if k.texts != nil || k.pattern != nil {
		return w.matches(k, left, v)
	}
	right, ok := w.resolve(k.right, v)
	if !ok {
		return undecided
	}
	return k.compare(left, right)
}

// echo weighs members that are written alike, as they mostly are.
func (w *weigher) echo(k *compiledCriterion) outcome {
	captures := w.scanner.captures
	for i := range k.when {
		if !captures[k.when[i].capture].present {
			return silent
		}
	}
	left, right := &captures[k.left.capture], &captures[k.right.capture]
	if left.present && right.present && left.kind < kindArray && bytes.Equal(left.text, right.text) {
		return holding
	}
	return undecided
}

func (k *compiledCriterion) compare(left, right operandValue) outcome {
	var holds bool
	switch {
	case !left.present || !right.present:
		holds = (k.op == "!=") == (left.present != right.present)
	case left.kind != right.kind || left.kind == kindNull:
		same := left.kind == kindNull && right.kind == kindNull
		switch k.op {
		case "==":
			holds = same
		case "!=":
			holds = !same
		default:
			return silent
		}
	default:
		order, ok := k.order(left, right)
		if !ok {
			return undecided
		}
		switch k.op {
		case "==":
			holds = order == 0
		case "!=":
			holds = order != 0
		case "<":
			holds = order < 0
		case "<=":
			holds = order <= 0
		case ">":
			holds = order > 0
		default:
			holds = order >= 0
		}
	}
	if holds {
		return holding
	}
	return undecided
}

// order compares two values of one kind.
func (k *compiledCriterion) order(left, right operandValue) (int, bool) {
	switch left.kind {
	case kindString:
		if !k.instants {
			return bytes.Compare(left.text, right.text), true
		}
		a, ok := parseInstant(left.text)
		b, too := parseInstant(right.text)
		return a.compare(b), ok && too
	case kindNumber:
		switch {
		case !left.whole || !right.whole:
			return 0, false
		case left.number < right.number:
			return -1, true
		case left.number > right.number:
			return 1, true
		}
		return 0, true
	case kindBoolean:
		return 0, bytes.Equal(left.text, right.text)
	}
	return 0, false
}

// matches weighs a pattern.
func (w *weigher) matches(k *compiledCriterion, left operandValue, v *exchangeView) outcome {
	if k.pattern != nil {
		if left.present && left.kind == kindString && k.pattern.Match(left.text) {
			return holding
		}
		return undecided
	}
	w.pattern = append(w.pattern[:0], k.texts[0]...)
	for i, ref := range k.embedded {
		value, ok := w.resolve(ref, v)
		switch {
		case !ok:
			return undecided
		case !value.present:
			return silent
		case value.kind != kindString && !value.whole:
			return undecided
		}
		w.pattern = append(append(w.pattern, value.text...), k.texts[i+1]...)
	}
	if !left.present || left.kind != kindString {
		return undecided
	}
	var found bool
	switch {
	case k.atStart && k.end:
		found = bytes.Equal(left.text, w.pattern)
	case k.atStart:
		found = bytes.HasPrefix(left.text, w.pattern)
	case k.end:
		found = bytes.HasSuffix(left.text, w.pattern)
	default:
		found = bytes.Contains(left.text, w.pattern)
	}
	if found {
		return holding
	}
	return undecided
}

// resolve looks an operand up.
func (w *weigher) resolve(ref operandRef, v *exchangeView) (operandValue, bool) {
	switch ref.part {
	case "":
		return ref.literal, true
	case statusPart:
		return operandValue{present: true, kind: kindNumber, number: int64(v.Status), whole: true}, true
	case RequestHeader, ResponseHeader:
		fields := v.Request.Fields
		if ref.part == ResponseHeader {
			fields = v.Response.Fields
		}
		return headerRef(ref, fields)
	}
	c := &w.scanner.captures[ref.capture]
	value := operandValue{present: c.present, kind: c.kind, text: c.text}
	switch {
	case !c.present:
	case c.kind == kindString && c.escaped:
		start := len(w.text)
		w.text = unescape(w.text, c.text)
		value.text = w.text[start:]
	case c.kind == kindString:
		value.text = c.text[1 : len(c.text)-1]
	case c.kind == kindNumber:
		value.setNumber(c.text)
	case c.kind == kindArray || c.kind == kindObject:
		return value, false
	}
	return value, true
}

// headerRef is sure of a header that stands there once.
func headerRef(ref operandRef, fields []field) (operandValue, bool) {
	var value operandValue
	for _, f := range fields {
		if !isHeader(f.Name, ref.header) {
			continue
		}
		if value.present {
			return value, false
		}
		value = operandValue{present: true, kind: kindString, text: f.Value}
	}
	if value.present && ref.whole {
		value.kind = kindNumber
		value.setNumber(value.text)
		return value, value.whole && isCanonicalNumber(value.text)
	}
	return value, true
}

// isCanonicalNumber tells numbers without leading zeros, of which JSON and headers have the same view.
func isCanonicalNumber(text []byte) bool { return len(text) == 1 || text[0] != '0' && text[0] != '-' }
