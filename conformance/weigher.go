package conformance

import (
	"bytes"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// weigher proves that an exchange conforms, on its bytes and without an allocation, and finds which claims it bears on.
// Where it cannot, the exchange goes to [Contract.Check], which has the last word.
type weigher struct {
	contract *Contract
	evidence *evidence // of the last exchange
	scanner  scanner
	text     []byte // texts without their escapes
	pattern  []byte
	known    []headerGuess // by position in the answer
	strange  []int         // positions of the headers of the answer that nobody documents
	hiding   secretCache
	view     exchangeView // of the exchange
	bytes    []byte       // of that view
}

func (c *Contract) newWeigher() *weigher { return &weigher{contract: c, evidence: c.newEvidence()} }

// weigh judges an exchange and leaves the evidence.
func (w *weigher) weigh(ex *traffic.Exchange) ([]Finding, error) {
	op := w.contract.operation(ex.Method, ex.URL)
	if op == nil {
		return nil, ErrNoOperation
	}
	if !ex.Answered() {
		return nil, ErrNoAnswer
	}
	w.bytes = w.bytes[:0]
	w.view.Status = ex.Status
	w.message(&w.view.Request, &ex.Request)
	w.message(&w.view.Response, &ex.Response)
	if w.conforms(op, &w.view) && len(w.strange) == 0 {
		return nil, nil
	}
	return w.report(op, ex), nil
}

// exchangeView is an exchange as the weigher reads it.
type exchangeView struct {
	Status            int
	Request, Response messageView
}

// messageView is a message, whose header is a list of fields.
type messageView struct {
	Fields        []field
	HeaderOmitted bool
	Body          []byte
	BodyOmitted   bool
}

type field struct{ Name, Value []byte }

// message makes the view of a message. Texts are copied, as a header is made of strings and the weigher reads bytes.
func (w *weigher) message(v *messageView, m *traffic.Message) {
	v.Body, v.BodyOmitted, v.HeaderOmitted, v.Fields = m.Body, m.BodyOmitted, m.HeaderOmitted, v.Fields[:0]
	take := func(text string) []byte {
		start := len(w.bytes)
		w.bytes = append(w.bytes, text...)
		return w.bytes[start:len(w.bytes):len(w.bytes)]
	}
	for name, values := range m.Header {
		for _, value := range values {
			v.Fields = append(v.Fields, field{Name: take(name), Value: take(value)})
		}
	}
}

// headerGuess is a header of the last answer, and what it was.
type headerGuess struct {
	response *compiledResponse
	name     []byte
	is       int // the index of a documented header, or one of those below
}

const (
	headerTransport = -1
	headerUnknown   = -2
)

// conforms proves that an exchange has no finding but the headers in strange. Where it returns false, the evidence is
// worth nothing.
func (w *weigher) conforms(op *operation, v *exchangeView) bool {
	into := w.evidence
	into.reset()
	w.strange = w.strange[:0]
	r := op.response(v.Status)
	if r == nil || r.compiled.hard || v.Request.HeaderOmitted || v.Response.HeaderOmitted || v.Request.BodyOmitted ||
		v.Response.BodyOmitted || v.Status < 200 || v.Status == 204 || v.Status == 304 || op.method == "HEAD" {
		return false
	}
	of := r.compiled
	w.text = w.text[:0]
	for len(w.scanner.captures) < of.captures {
		w.scanner.captures = append(w.scanner.captures, capture{})
	}
	for i := range of.captures {
		w.scanner.captures[i].present = false
	}
	w.scanner.taking = true
	accepted := v.Status/100 == 2
	w.scanner.kept = nil
	if accepted {
		w.scanner.kept = into.kept
		into.kept.addWords(of.accepted)
	}
	if !authenticated(op.credentials, v.Request.Fields) || !w.body(of.request, &v.Request) {
		return false
	}
	into.kept.addWords(of.bears)
	w.scanner.kept = into.kept
	if !w.headers(of, v.Response.Fields) {
		return false
	}
	if of.body == nil {
		if len(v.Response.Body) > 0 {
			return false
		}
	} else if !w.body(of.body, &v.Response) {
		return false
	}
	for _, k := range of.criteria {
		switch w.criterion(k, v) {
		case undecided:
			return false
		case holding:
			into.kept.addWords(k.bears)
		}
	}
	return true
}

// isHeader compares a name as it was recorded with a canonical one.
func isHeader(name []byte, canonical string) bool {
	return len(name) == len(canonical) && (string(name) == canonical || strings.EqualFold(string(name), canonical))
}

// authenticated reports whether all credentials stand in the header, each once.
func authenticated(credentials []compiledCredential, fields []field) bool {
	for _, k := range credentials {
		found := false
		for _, f := range fields {
			if !isHeader(f.Name, k.name) {
				continue
			}
			if found {
				return false
			}
			found = k.isValue(f.Value)
			if !found {
				return false
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// isValue is what [credential.value] says of a header, but for values that it leaves in doubt.
func (k compiledCredential) isValue(value []byte) bool {
	if len(value) <= len(k.prefix) || !strings.EqualFold(string(value[:len(k.prefix)]), k.prefix) {
		return false
	}
	value = bytes.TrimSpace(value[len(k.prefix):])
	if len(value) == 0 {
		return false
	}
	if k.name != "Authorization" || bytes.IndexByte(value, ' ') >= 0 {
		return true
	}
	for _, scheme := range authSchemes {
		if strings.EqualFold(string(value), scheme) {
			return false
		}
	}
	return true
}

// body proves a body, if there has to be one.
func (w *weigher) body(of *compiledContent, m *messageView) bool {
	if of == nil {
		return true
	}
	if len(m.Body) == 0 {
		return false
	}
	var contentType []byte
	fields := 0
	for _, f := range m.Fields {
		if isHeader(f.Name, "Content-Type") {
			contentType = f.Value
			fields++
		}
	}
	if fields != 1 {
		return false
	}
	for i := range of.types {
		t := &of.types[i]
		if !isMediaType(contentType, t.name) {
			continue
		}
		if w.scanner.kept != nil {
			w.scanner.kept.addWords(t.bears)
		}
		return w.scanner.proves(t.root, m.Body)
	}
	return false
}

// isMediaType tells a media type without parameters, or with the charset that JSON has anyway.
func isMediaType(contentType []byte, name string) bool {
	if len(contentType) < len(name) || !strings.EqualFold(string(contentType[:len(name)]), name) {
		return false
	}
	switch rest := contentType[len(name):]; string(rest) {
	case "", "; charset=utf-8", ";charset=utf-8", "; charset=UTF-8", ";charset=UTF-8":
		return true
	}
	return false
}

// headers proves the header of an answer: what is documented, and that the rest needs no document.
func (w *weigher) headers(of *compiledResponse, fields []field) bool {
	var seen uint64
	for i, f := range fields {
		for len(w.known) <= i {
			w.known = append(w.known, headerGuess{})
		}
		guess := &w.known[i]
		if guess.response != of || !bytes.Equal(guess.name, f.Name) {
			guess.response, guess.name, guess.is = of, append(guess.name[:0], f.Name...), of.classify(f.Name)
		}
		switch guess.is {
		case headerTransport:
			continue
		case headerUnknown:
			if w.strange = append(w.strange, i); len(w.strange) > mostOfAKind {
				return false
			}
			continue
		}
		bit := uint64(1) << guess.is
		h := &of.headers[guess.is]
		if seen&bit != 0 || h.node != nil && !w.headerValue(h, f.Value) {
			return false
		}
		seen |= bit
	}
	for i, h := range of.headers {
		if h.required && seen&(1<<i) == 0 {
			return false
		}
	}
	return true
}

func (of *compiledResponse) classify(name []byte) int {
	canonical := canonicalHeader(name)
	for i, h := range of.headers {
		if h.name == canonical && i < 64 {
			return i
		}
	}
	if isTransport(canonical) {
		return headerTransport
	}
	return headerUnknown
}

func (w *weigher) headerValue(h *compiledHeader, value []byte) bool {
	n := h.node
	if n.hard {
		return false
	}
	s := &w.scanner
	k := kindString
	if h.whole {
		var read operandValue
		if read.setNumber(value); !read.whole || !isCanonicalNumber(value) || !s.weighNumber(n, read.number) {
			return false
		}
		k = kindNumber
	} else if n.admit&(1<<kindString) == 0 || !s.weighPlain(n, value) {
		return false
	}
	s.kept.addWords(n.bear[k])
	return true
}
