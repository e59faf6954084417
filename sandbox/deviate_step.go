package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// edition is an answer on its way to a deviation.
type edition struct {
	*answer

	before []byte // the body of the right answer
}

// step is one step of an edit.
type step struct {
	do        func(*edition, []string)
	arguments []string
}

// stepKinds are the steps that [fleetiodeviations.Text] has, with the number of their arguments.
var stepKinds = map[string]struct {
	arguments int
	do        func(*edition, []string)
}{
	"accept":      {0, nil},
	"never":       {1, nil},
	"status":      {1, (*edition).anotherStatus},
	"header":      {2, func(e *edition, a []string) { e.header[a[0]] = []string{a[1]} }},
	"header-too":  {2, func(e *edition, a []string) { e.header[a[0]] = slices.Concat(e.header[a[0]], a[1:]) }},
	"no-header":   {1, func(e *edition, a []string) { e.header[a[0]] = nil }},
	"set":         {2, func(e *edition, a []string) { e.body = setMember(e.body, a[0], a[1]) }},
	"remove":      {1, func(e *edition, a []string) { e.body = removeMember(e.body, a[0]) }},
	"twice":       {2, func(e *edition, a []string) { e.body = repeatMember(e.body, a[0], a[1]) }},
	"text-after":  {2, func(e *edition, a []string) { e.change(a[0], func(s string) string { return s + a[1] }) }},
	"text-before": {2, func(e *edition, a []string) { e.change(a[0], func(s string) string { return a[1] + s }) }},
	"text-end":    {3, (*edition).anotherEnd},
	"text-cut":    {1, func(e *edition, a []string) { e.change(a[0], withoutLast) }},
	"text-case":   {1, func(e *edition, a []string) { e.change(a[0], swapCase) }},
	"plus":        {2, (*edition).plus},
	"other":       {3, (*edition).other},
	"body":        {1, func(e *edition, a []string) { e.body = []byte(a[0]) }},
	"before":      {1, func(e *edition, a []string) { e.body = slices.Concat([]byte(a[0]), e.body) }},
	"after":       {1, func(e *edition, a []string) { e.body = slices.Concat(bytes.TrimSpace(e.body), []byte(a[0])) }},
	"double":      {1, func(e *edition, a []string) { e.body = bytes.Join([][]byte{e.body, e.body}, []byte(a[0])) }},
	"inner":       {0, (*edition).inner},
	"nest":        {1, (*edition).nest},
	"zero-bytes":  {0, func(e *edition, _ []string) { e.body = []byte(strings.ReplaceAll(string(e.body), "", "\x00")) }},
}

// anotherStatus leaves out the body where there can be none (RFC 9110, section 6.4.1).
func (e *edition) anotherStatus(a []string) {
	e.status, _ = strconv.Atoi(a[0])
	if e.status == http.StatusNoContent || e.status == http.StatusNotModified {
		e.body = nil
	}
}

func (e *edition) inner([]string) {
	if e.body = bytes.TrimSpace(e.body); len(e.body) > 1 {
		e.body = e.body[1 : len(e.body)-1]
	}
}

func (e *edition) nest(a []string) {
	depth, _ := strconv.Atoi(a[0])
	e.body = []byte(strings.Repeat("[", depth) + strings.Repeat("]", depth))
}

// change puts another text in the place of one: of a member, or of a header. What is no text stays.
func (e *edition) change(place string, with func(string) string) {
	if !strings.HasPrefix(place, "/") {
		e.header[place] = []string{with(e.header.Get(place))}
		return
	}
	var s *string
	if raw := member(e.body, place); json.Unmarshal(raw, &s) == nil && s != nil {
		e.body = setMember(e.body, place, string(appendText(nil, with(*s))))
	}
}

func (e *edition) anotherEnd(a []string) {
	e.change(a[0], func(s string) string {
		if short, ends := strings.CutSuffix(s, a[1]); ends {
			return short + a[2]
		}
		return s
	})
}

// plus leaves alone what is no integer from 1, or would be none: an id below that is another deviation.
func (e *edition) plus(a []string) {
	by, _ := strconv.ParseInt(a[1], 10, 64)
	n, err := strconv.ParseInt(string(member(e.body, a[0])), 10, 64)
	if sum := n + by; err == nil && n > 0 && sum > 0 {
		e.body = setMember(e.body, a[0], strconv.FormatInt(sum, 10))
	}
}

// other changes a value that the steps before it could not change: one in which there is no letter, say.
func (e *edition) other(a []string) {
	was, is := member(e.before, a[0]), member(e.body, a[0])
	if !sameJSON(was, is) {
		return
	}
	with := a[1]
	if sameJSON(was, []byte(with)) {
		with = a[2]
	}
	e.body = setMember(e.body, a[0], with)
}

// sameJSON compares texts by what they say, and all else as it is written.
func sameJSON(a, b []byte) bool {
	var s, t *string
	if json.Unmarshal(a, &s) == nil && json.Unmarshal(b, &t) == nil && s != nil && t != nil {
		return *s == *t
	}
	return bytes.Equal(a, b)
}

func withoutLast(s string) string {
	_, size := utf8.DecodeLastRuneInString(s)
	return s[:len(s)-size]
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}
