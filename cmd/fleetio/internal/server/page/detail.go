package page

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const maxHeaders = 200 // lines of a message that are shown

// detail is all of an exchange.
type detail struct {
	row

	When              time.Time
	URL               string
	Previous, Next    int64 // neighbours of the number; no previous one where that is 0
	Last              bool  // the next has not arrived
	Places            []places
	Elsewhere         marks
	Request, Response message
	Command           string // for a shell
	CommandNote       string // why there is none, or what it lacks
}

// places leads to the findings of one kind that are shown.
type places struct {
	Name    string // of the kind
	Numbers []int
}

// message is a request or a response, with the findings at their place.
type message struct {
	Line    string // such as POST /api/v1/faults, or 201 Created
	Kind    string
	Marks   marks // about the line
	Headers []header
	More    int   // headers that are not shown
	Absent  marks // about headers that are not there
	Body    body
}

type header struct {
	Name, Value string
	Marks       marks
}

// mark is a finding at its place.
type mark struct {
	Number                       int // from 1, in the order of the checker
	kind                         kind
	Rule, Message, Pointer, Spec string
	pointer                      string // not cut
}

// Kind is the class of the style sheet.
func (m *mark) Kind() string { return kinds[m.kind].class }

// Label says in a word what the mark is.
func (m *mark) Label() string { return kinds[m.kind].one }

type marks []mark

// Kind is the class of the style sheet for what is marked, which is that of the worst.
func (m marks) Kind() string {
	if len(m) == 0 {
		return ""
	}
	worst := slices.MinFunc(m, func(a, b mark) int { return int(a.kind) - int(b.kind) })
	return "marked " + worst.Kind()
}

type detailKey struct {
	number int64
	origin string
}

// detail shows an exchange; nil where the sandbox does not keep it. The origin is where its command sends it.
func (p *Page) detail(number int64, origin string) *detail {
	if _, kept := p.source.Unredacted(number); !kept {
		return nil
	}
	d := p.details.get(detailKey{number, origin}, func() detail { return p.newDetail(number, origin) })
	if d.Number == 0 { // it was let go meanwhile
		return nil
	}
	d.Next, d.Last = number+1, number >= p.source.Latest()
	if _, kept := p.source.Unredacted(number - 1); kept {
		d.Previous = number - 1
	}
	return &d
}

// newDetail returns all of an exchange but its neighbours.
func (p *Page) newDetail(number int64, origin string) detail {
	ex, has := p.source.Exchange(number)
	raw, still := p.source.Unredacted(number)
	if !has || !still {
		return detail{}
	}
	d := detail{row: p.newRow(&ex, &raw), When: ex.At, URL: clip(ex.URL, maxText)}
	parts := map[string]marks{}
	var byKind [len(kinds)][]int
	for i, f := range d.Verdict.found {
		byKind[f.kind()] = append(byKind[f.kind()], i+1)
		parts[f.Part] = append(parts[f.Part], newMark(i+1, f))
	}
	for kind, numbers := range byKind {
		if numbers != nil {
			d.Places = append(d.Places, places{kinds[kind].all, numbers})
		}
	}
	request, response := content{raw.Body, ex.Body, ex.BodyOmitted}, content{raw.ResponseBody, ex.ResponseBody, false}
	d.Request = newMessage(ex.Header, request, parts["request.header"], parts["request.body"])
	d.Request.Line, d.Request.Kind = d.Method+" "+d.URL, "none"
	d.Response = newMessage(ex.ResponseHeader, response, parts["response.header"], parts["response.body"])
	d.Response.Line, d.Response.Kind, d.Response.Marks = d.Status, d.StatusKind, parts["response.status"]
	for _, shown := range []string{"request.header", "request.body", "response.header", "response.body", "response.status"} {
		delete(parts, shown)
	}
	for i, f := range d.Verdict.found { // in order, as a map has none
		if _, left := parts[f.Part]; left {
			d.Elsewhere = append(d.Elsewhere, newMark(i+1, f))
		}
	}
	d.Verdict.found = nil // the marks are of it
	d.Command, d.CommandNote = command(origin, &ex, &raw)
	return d
}

func newMark(number int, f Finding) mark {
	return mark{
		Number: number, kind: f.kind(), Rule: clip(f.Rule, maxCell), Message: clip(f.Message, maxText),
		Pointer: clip(f.Pointer, maxText), Spec: clip(f.Spec, maxText), pointer: f.Pointer,
	}
}

// RFC 6901, section 4. A replacer goes over the text once, so that ~01 becomes ~1 and no slash.
var (
	escapePointer   = strings.NewReplacer("~", "~0", "/", "~1")
	unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")
)

func newMessage(headers http.Header, content content, aboutHeaders, aboutBody marks) message {
	m := message{Body: newBody(content, aboutBody)}
	placed := map[int]bool{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		for i, value := range headers[name] {
			if len(m.Headers) == maxHeaders {
				m.More++
				continue
			}
			h := header{Name: clip(name, maxCell), Value: clip(value, maxText)}
			for _, about := range aboutHeaders {
				if !placed[about.Number] && about.isAbout(name, i) {
					placed[about.Number] = true
					h.Marks = append(h.Marks, about)
				}
			}
			m.Headers = append(m.Headers, h)
		}
	}
	for _, about := range aboutHeaders {
		if !placed[about.Number] {
			m.Absent = append(m.Absent, about)
		}
	}
	return m
}

// isAbout reports whether the pointer leads to this value of the header: /Name to the first, /Name/1 to the second. A
// list may also stand in one value, and then there is no second to lead to.
func (m *mark) isAbout(name string, value int) bool {
	about, index, has := strings.Cut(strings.TrimPrefix(m.pointer, "/"), "/")
	about = http.CanonicalHeaderKey(unescapePointer.Replace(about))
	return about == http.CanonicalHeaderKey(name) && (!has || index == strconv.Itoa(value))
}
