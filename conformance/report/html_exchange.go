package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/curl"
	"github.com/fleetcontract/fleetio-go/internal/printable"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// marked is a text in which a part is marked. Mark is "" if nothing is.
type marked struct{ Before, Mark, After string }

// messages returns the request and the response of an exchange, with the value that a deviation is about.
func messages(ex *traffic.Exchange, d *conformance.Deviation) []marked {
	request := message(ex.Method+" "+ex.URL.RequestURI(), &ex.Request, d, d.Part == conformance.RequestPath || d.Part == conformance.RequestQuery,
		d.Part == conformance.RequestHeader || d.Part == conformance.RequestCookie, d.Part == conformance.RequestBody)
	response := message(fmt.Sprintf("%d %s", ex.Status, http.StatusText(ex.Status)), &ex.Response, d,
		d.Part == conformance.ResponseStatus, d.Part == conformance.ResponseHeader, d.Part == conformance.ResponseBody)
	return []marked{request, response}
}

// message returns a message as text. Of the line, the header and the body, the one that the deviation is about is given.
func message(line string, m *traffic.Message, d *conformance.Deviation, inLine, inHeader, inBody bool) marked {
	var text strings.Builder
	var at marked
	mark := func(part string, isMarked bool) {
		if isMarked && at.Mark == "" && part != "" {
			at.Before, at.Mark = text.String(), part
			text.Reset()
		} else {
			text.WriteString(part)
		}
	}
	mark(printable.Text(line), inLine)
	place, _, _ := strings.Cut(strings.TrimPrefix(d.Pointer, "/"), "/")
	if d.Part == conformance.RequestCookie {
		place = "Cookie"
	}
	for _, name := range slices.Sorted(maps.Keys(m.Header)) {
		for _, value := range m.Header[name] {
			text.WriteString("\n")
			mark(printable.Text(name+": "+value), inHeader && strings.EqualFold(name, place))
		}
	}
	if m.HeaderOmitted {
		text.WriteString("\n(the header was not recorded)")
	}
	text.WriteString("\n\n")
	switch {
	case m.BodyOmitted:
		text.WriteString("(the body was not recorded)")
	case len(m.Body) > maxBody:
		fmt.Fprintf(&text, "(a body of more than %d KiB)", maxBody>>10)
	default:
		body := markValue(m.Body, d.Pointer, inBody)
		text.WriteString(body.Before)
		mark(body.Mark, true)
		text.WriteString(body.After)
	}
	if at.Mark == "" {
		at.Before = text.String()
	} else {
		at.After = text.String()
	}
	return at
}

// markValue indents JSON and marks the value at a pointer, or the nearest one around it if it is missing.
func markValue(body []byte, pointer string, isMarked bool) marked {
	var indented bytes.Buffer
	var doc strictjson.Document
	if json.Indent(&indented, body, "", "  ") != nil || !doc.Parse(indented.Bytes()) {
		if isMarked {
			return marked{Mark: string(body)}
		}
		return marked{Before: string(body)}
	}
	if !isMarked {
		return marked{Before: indented.String()}
	}
	at := int32(0)
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		next, ok := doc.Property(at, token)
		if i, err := strconv.Atoi(token); !ok && err == nil && doc.Nodes[at].Type == strictjson.Array {
			next, ok = doc.Item(at, i)
		}
		if !ok {
			break
		}
		at = next
	}
	n := doc.Nodes[at]
	text := indented.String()
	return marked{text[:n.Start], text[n.Start:n.End], text[n.End:]}
}

// command returns a command for a POSIX shell that sends the request again; "" if its body is unknown or too long.
func command(ex *traffic.Exchange, variables map[string]string) string {
	m := &ex.Request
	if m.BodyOmitted || m.HeaderOmitted || len(m.Body) > maxBody || ex.URL.Host == "" {
		return ""
	}
	text, ok := curl.Command(curl.Request{Method: ex.Method, URL: ex.URL.String(), Header: m.Header, Body: m.Body, Variables: variables})
	if !ok {
		return ""
	}
	return text
}
