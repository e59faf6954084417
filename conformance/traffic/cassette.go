package traffic

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// The properties of a cassette that are read: of go-vcr in versions 1 and 2, of vcrpy, and of Ruby's VCR. go-vcr's own types
// refuse much of version 1, such as an empty duration, and cannot tell a code that is missing, at the end of a file that is
// cut off.
type (
	cassette struct {
		Version          string
		Interactions     []yaml.Node
		HTTPInteractions []yaml.Node `yaml:"http_interactions"` // of Ruby's VCR
		RecordedWith     string      `yaml:"recorded_with"`     // likewise, at the end of the file
	}
	interaction struct {
		Request, Response *cassetteMessage
	}
	cassetteMessage struct {
		Method        *string
		URL           string
		URI           string // of vcrpy and Ruby's VCR
		Headers       map[string]cassetteValues
		Body          cassetteBody
		Code          *int
		Status        cassetteStatus
		ContentLength int64 `yaml:"content_length"` // -1 or 0 if not known
	}
	cassetteValues []string
	cassetteBody   string
	cassetteStatus struct{ code *int }
)

// UnmarshalYAML implements [yaml.Unmarshaler]: of vcrpy, a single value is no list.
func (v *cassetteValues) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.SequenceNode {
		*v = []string{""}
		return node.Decode(&(*v)[0])
	}
	return node.Decode((*[]string)(v))
}

// UnmarshalYAML implements [yaml.Unmarshaler]: other recorders than go-vcr have a body in an object, some of them in base64.
func (b *cassetteBody) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		text, err := cassetteText(node)
		*b = cassetteBody(text)
		return err
	}
	var body struct{ String, Base64 *yaml.Node }
	for i := 0; i < len(node.Content); i += 2 {
		switch node.Content[i].Value {
		case "string":
			body.String = node.Content[i+1]
		case "base64_string":
			body.Base64 = node.Content[i+1]
		}
	}
	var text string
	var err error
	switch {
	case body.String != nil:
		text, err = cassetteText(body.String)
	case body.Base64 != nil:
		text, err = unquoteBase64(body.Base64)
	default: // whose error has the line
		err = node.Decode(&text)
	}
	*b = cassetteBody(text)
	return err
}

// cassetteText returns a scalar as text. Python and Ruby have tags of their own for theirs.
func cassetteText(node *yaml.Node) (text string, err error) {
	switch {
	case node.Tag == "!binary":
		return unquoteBase64(node)
	case node.Kind == yaml.ScalarNode && (strings.HasPrefix(node.LongTag(), "!") || strings.Contains(node.LongTag(), ":python/")):
		return node.Value, nil
	}
	err = node.Decode(&text)
	return text, err
}

func unquoteBase64(node *yaml.Node) (string, error) {
	body, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(node.Value), ""))
	if err != nil {
		err = fmt.Errorf("line %d: %w", node.Line, err)
	}
	return string(body), err
}

// UnmarshalYAML implements [yaml.Unmarshaler]: the status of go-vcr is a text, which is not needed.
func (s *cassetteStatus) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return nil
	}
	var status struct{ Code *int }
	err := node.Decode(&status)
	s.code = status.Code
	return err
}

const canRead = "; what can be read is HAR, NDJSON, and cassettes of go-vcr (versions 1 and 2), vcrpy and Ruby's VCR"

var (
	errNoCassette = errors.New("no list of interactions, so no cassette" + canRead)
	errVersion    = errors.New("not a cassette of a version that is known" + canRead)
	errCutOff     = errors.New("a cassette of Ruby's VCR without recorded_with, which stands at the end: it is cut off")
)

// readCassette reads a cassette as a whole.
func (r *recording) readCassette(file io.Reader) error {
	text, err := readBounded(file)
	end := r.skipped + int64(len(text))
	if err != nil {
		return r.fail(end, err)
	}
	var c cassette
	if doc := (strictjson.Document{}); doc.Parse(text) {
		at := jsonPlace{doc: &doc, line: 1}
		err = at.node(0).Decode(&c)
	} else {
		err = yaml.Load(text, &c)
	}
	list, place := c.Interactions, "#/interactions/"
	if list == nil {
		list, place = c.HTTPInteractions, "#/http_interactions/"
	}
	switch {
	case err != nil:
	case list == nil:
		err = errNoCassette
	case c.Interactions != nil && c.Version != "1" && c.Version != "2":
		err = errVersion
	case c.Interactions == nil && c.RecordedWith == "":
		err = errCutOff
	}
	if err != nil {
		return r.fail(-1, yamlFault(text, err))
	}
	aliases := maxSize
	for i := range list {
		e, err := readInteraction(&list[i], &aliases)
		if err == nil {
			err = r.yieldExchange(e, place, i, end)
		} else {
			unreadable := &EntryError{Err: r.failEntry(-1, yamlFault(text, err))}
			if errors.As(err, new(missingError)) && i == len(list)-1 { // the file may be cut off
				return unreadable.Err
			}
			interactionTarget(&list[i], unreadable)
			err = r.yieldUnreadable(unreadable, end)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// jsonPlace is a place in a JSON document, in which lines are counted.
type jsonPlace struct {
	doc       *strictjson.Document
	line, end int
}

// node returns the value at an index as YAML.
func (p *jsonPlace) node(at int32) *yaml.Node {
	n := p.doc.Nodes[at]
	p.line += bytes.Count(p.doc.Data[p.end:n.Start], []byte("\n"))
	p.end = int(n.Start)
	node := &yaml.Node{Kind: yaml.ScalarNode, Line: p.line, Value: string(p.doc.Text(at, nil))}
	switch n.Type {
	case strictjson.String:
		node.Tag = "!!str"
		return node
	case strictjson.Array, strictjson.Object:
		node.Kind, node.Tag, node.Value = yaml.SequenceNode, "!!seq", ""
		if n.Type == strictjson.Object {
			node.Kind, node.Tag = yaml.MappingNode, "!!map"
		}
		for i := at + 1; i < n.Next; i = p.doc.Nodes[i].Next {
			node.Content = append(node.Content, p.node(i))
		}
	}
	return node
}

// readBounded reads to the end, with an error if there is too much; with any error comes what was read.
func readBounded(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err == nil && len(text) > maxSize {
		return nil, errTooLarge
	}
	return text, err
}

// missingError is an error for an interaction that lacks something.
type missingError string

func (e missingError) Error() string { return string(e) + ": missing" }

func readInteraction(node *yaml.Node, aliases *int) (*Exchange, error) {
	var i interaction
	if err := resolveAliases(node, aliases); err != nil {
		return nil, err
	}
	if err := node.Decode(&i); err != nil {
		return nil, err
	}
	fail := func(err error) error { return fmt.Errorf("line %d: %w", node.Line, err) }
	req, resp := i.Request, i.Response
	switch {
	case req == nil:
		return nil, fail(missingError("request"))
	case resp == nil:
		return nil, fail(missingError("response"))
	case req.Method == nil:
		return nil, fail(missingError("request.method"))
	case req.URL == "" && req.URI == "":
		return nil, fail(errors.New("request.url: missing or empty"))
	}
	code, name := resp.Code, "response.code"
	if req.URI != "" {
		code, name = resp.Status.code, "response.status.code"
	}
	switch {
	case code == nil:
		return nil, fail(missingError(name)) // it is written behind the body, so the file may be cut off
	case *code < 0 || *code > 999:
		return nil, fail(fmt.Errorf("%s: %d is not an HTTP status", name, *code))
	}

	e := &Exchange{Method: strings.ToUpper(cmp.Or(*req.Method, http.MethodGet)), // as in [http.Request]; Ruby's VCR has it in lower case
		URL: new(urlReader).parse(cmp.Or(req.URL, req.URI), nil), Status: *code}
	var err error
	if e.Request, err = req.message(); err != nil {
		return nil, fail(fmt.Errorf("request.body: %w", err))
	}
	if len(e.Request.Body) == 0 && !e.Request.BodyOmitted {
		hints := bodyHints{body: true, text: true, bodySize: req.size()}
		e.Request.BodyOmitted = hints.requestOmitted(e.Method, announced(e.Request.Header))
	}
	if !e.Answered() {
		return e, nil
	}
	if e.Response, err = resp.message(); err != nil {
		return nil, fail(fmt.Errorf("response.body: %w", err))
	}
	if len(e.Response.Body) == 0 && !e.Response.BodyOmitted {
		hints := bodyHints{body: true, text: true, size: resp.size()}
		e.Response.BodyOmitted = hints.responseOmitted(e.Method, e.Status, announced(e.Response.Header))
	}
	return e, nil
}

// interactionTarget reads the method and URL of an interaction that cannot be read.
func interactionTarget(node *yaml.Node, e *EntryError) {
	var i struct {
		Request struct{ Method, URL, URI yaml.Node }
	}
	_ = node.Decode(&i) // as far as it goes
	_ = i.Request.Method.Decode(&e.Method)
	var url, uri string
	_, _ = i.Request.URL.Decode(&url), i.Request.URI.Decode(&uri)
	e.Method = strings.ToUpper(e.Method)
	if text := cmp.Or(url, uri); text != "" {
		e.URL = new(urlReader).parse(text, nil)
	}
}

func (m *cassetteMessage) size() bodySize {
	if m.ContentLength > 0 {
		return sizePositive
	}
	return sizeZero
}

// message is the header and the body. The body is as it went over the wire, so that its coding has to be undone.
func (m *cassetteMessage) message() (message Message, err error) {
	message = Message{Header: http.Header{}, HeaderOmitted: m.Headers == nil}
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		for _, value := range m.Headers[name] {
			if name != "" && name[0] != ':' {
				message.Header.Add(name, value)
			}
		}
	}
	if m.Body != "" {
		message.Body, message.BodyOmitted, err = Decode(message.Header["Content-Encoding"], []byte(m.Body))
	}
	return message, err
}

// resolveAliases replaces the aliases below a node by what they stand for: Python and Ruby write them for texts that occur
// twice. As aliases make much of a short text, left bounds what those of a cassette stand for, in bytes of memory.
func resolveAliases(node *yaml.Node, left *int) error {
	if node.Kind == yaml.AliasNode || node.ShortTag() == "!!merge" {
		return fmt.Errorf("line %d: an alias of a property's name, or a merge, which is not supported", node.Line)
	}
	for i, child := range node.Content {
		if child.Kind == yaml.AliasNode && i%2 == 0 && node.Kind == yaml.MappingNode || child.Kind != yaml.AliasNode {
			if err := resolveAliases(child, left); err != nil {
				return err
			}
			continue
		}
		if !takeMemory(child.Alias, left) {
			return fmt.Errorf("line %d: an alias of what it is in, or aliases that stand for more than %d MiB", child.Line, maxSize>>20)
		}
		node.Content[i] = child.Alias
	}
	return nil
}

// takeMemory takes roughly the memory of a node, and reports whether that was left. It is not for a node with aliases.
func takeMemory(node *yaml.Node, left *int) bool {
	*left -= len(node.Value) + 100
	if *left < 0 || node.Kind == yaml.AliasNode {
		return false
	}
	return !slices.ContainsFunc(node.Content, func(child *yaml.Node) bool { return !takeMemory(child, left) })
}

// nestedFault is how the message of an error in an [yaml.Unmarshaler] begins.
var nestedFault = regexp.MustCompile(`^go-yaml load error in \w+( at \S+)?: `)

// yamlFault words an error of the parser without what it quotes of the text.
func yamlFault(text []byte, err error) error {
	fault, ok := errors.AsType[*yaml.LoadError](err)
	if all, several := errors.AsType[*yaml.LoadErrors](err); several && len(all.Errors) > 0 {
		fault, ok = all.Errors[0], true
	}
	if !ok {
		return err
	}
	line := fault.Mark.Line
	if line == 0 { // the reader of characters knows the offset only
		line = 1 + bytes.Count(text[:min(len(text), max(0, fault.Mark.Index))], []byte("\n"))
	}
	message := "not valid YAML: " + fault.Message
	switch fault.Stage {
	case yaml.ReaderStage, yaml.ScannerStage, yaml.ParserStage:
	case yaml.ComposerStage:
		message = "not valid YAML: an alias without its anchor"
	default:
		message = "not as recorders write it: " + nestedFault.ReplaceAllString(fault.Message, "")
		if _, rest, ok := strings.Cut(fault.Message, "cannot construct "); ok { // and then the value
			tag, _, _ := strings.Cut(rest, " ")
			message = "not as recorders write it: unexpected " + tag
		}
	}
	return fmt.Errorf("line %d: %s", line, message)
}
