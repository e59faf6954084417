package page

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const maxHeaders = 200 // displayed header lines of a message

// parts are the parts of an exchange that have a place for findings.
var parts = []string{"request.path", "request.query", "request.header", "request.cookie", "request.body", "response.status", "response.header", "response.body"}

// detail is an exchange with all its data.
type detail struct {
	row

	When              time.Time
	URL               string
	Previous, Next    int64 // numbers; 0 for no previous one
	Last              bool  // the next one has not arrived
	Places            []places
	Elsewhere         marks
	Request, Response message
	Command           string // for a shell
	CommandNote       string // why there is none, or how it differs from the request
}

// places are links to the findings of one kind.
type places struct {
	Name    string // of the kind
	Numbers []int
}

// message is a request or a response, with the findings at their places.
type message struct {
	Line    string // such as POST /api/v1/faults, or 201 Created
	Kind    string // the class of the style sheet
	Marks   marks  // about the line
	Headers []header
	More    int   // headers that are not displayed
	Absent  marks // about missing headers
	Body    body
}

type header struct {
	Name, Value string
	Marks       marks
}

// mark is a finding at its place.
type mark struct {
	Finding // with clipped strings

	Number  int    // from 1, in the order of the checker
	pointer string // not clipped
}

// Kind returns the class of the style sheet.
func (m *mark) Kind() string { return kinds[m.kind()].class }

// Label returns the name of the kind.
func (m *mark) Label() string { return kinds[m.kind()].one }

type marks []mark

// Kind returns the class of the style sheet for a place with these marks: that of the worst.
func (m marks) Kind() string {
	if len(m) == 0 {
		return ""
	}
	worst := slices.MinFunc(m, func(a, b mark) int { return int(a.kind()) - int(b.kind()) })
	return "marked " + worst.Kind()
}

// detail returns an exchange; nil if it is not in the history. origin is the server of its command.
func (p *Page) detail(number int64, origin string) *detail {
	if _, kept := p.source.Unredacted(number); !kept {
		return nil
	}
	d := p.newDetail(number, origin)
	if d.Number == 0 { // it has left the history meanwhile
		return nil
	}
	d.Next, d.Last = number+1, number >= p.source.Latest()
	if _, kept := p.source.Unredacted(number - 1); kept {
		d.Previous = number - 1
	}
	return &d
}

// newDetail returns an exchange without Previous, Next and Last.
func (p *Page) newDetail(number int64, origin string) detail {
	ex, has := p.source.Exchange(number)
	raw, still := p.source.Unredacted(number)
	if !has || !still {
		return detail{}
	}
	d := detail{row: p.newRow(&ex, &raw), When: ex.At, URL: clip(ex.URL, maxText)}
	byPart := map[string]marks{}
	var byKind [len(kinds)][]int
	for i, f := range d.Verdict.found {
		byKind[f.kind()] = append(byKind[f.kind()], i+1)
		if !slices.Contains(parts, f.Part) {
			f.Part = ""
		}
		byPart[f.Part] = append(byPart[f.Part], newMark(i+1, f))
	}
	for kind, numbers := range byKind {
		if numbers != nil {
			d.Places = append(d.Places, places{kinds[kind].all, numbers})
		}
	}
	request, response := content{raw.Body, ex.Body, ex.BodyOmitted}, content{raw.ResponseBody, ex.ResponseBody, false}
	d.Request = newMessage(ex.Header, request, slices.Concat(byPart["request.header"], byPart["request.cookie"]), byPart["request.body"])
	d.Request.Line, d.Request.Kind = d.Method+" "+d.URL, "none"
	d.Request.Marks = slices.Concat(byPart["request.path"], byPart["request.query"])
	d.Response = newMessage(ex.ResponseHeader, response, byPart["response.header"], byPart["response.body"])
	d.Response.Line, d.Response.Kind, d.Response.Marks = d.Status, d.StatusKind, byPart["response.status"]
	d.Elsewhere = byPart[""]
	d.Verdict.found = nil // the marks have them
	d.Command, d.CommandNote = command(origin, &ex, &raw)
	return d
}

func newMark(number int, f Finding) mark {
	m := mark{Finding: f, Number: number, pointer: f.Pointer}
	m.Rule, m.Message = clip(f.Rule, maxCell), clip(f.Message, maxText)
	m.Pointer, m.Spec = clip(f.Pointer, maxText), clip(f.Spec, maxText)
	return m
}

// RFC 6901, section 4. A replacer makes one pass, so that ~01 becomes ~1, not a slash.
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

// isAbout reports whether the pointer is that of this value of the header: /Name of the first, /Name/1 of the second.
// If a list is in one value, there is no second one.
func (m *mark) isAbout(name string, value int) bool {
	about, index, has := strings.Cut(strings.TrimPrefix(m.pointer, "/"), "/")
	about = http.CanonicalHeaderKey(unescapePointer.Replace(about))
	return about == http.CanonicalHeaderKey(name) && (!has || index == strconv.Itoa(value))
}
