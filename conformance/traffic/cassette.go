package traffic

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// The properties of a cassette that are read, in versions 1 and 2. go-vcr's own types refuse much of version 1, such as
// an empty duration, and cannot tell a code that is missing, at the end of a file that is cut off.
type (
	cassette struct {
		Version      string
		Interactions []yaml.Node
	}
	interaction struct {
		Request, Response *cassetteMessage
	}
	cassetteMessage struct {
		Method        *string
		URL           string
		URI           string // of vcrpy
		Headers       map[string][]string
		Body          string
		Code          *int
		ContentLength int64 `yaml:"content_length"` // -1 or 0 if not known
	}
)

const canRead = "; what can be read is HAR, NDJSON and go-vcr cassettes of the versions 1 and 2"

var (
	errNoCassette = errors.New("no list of interactions, so no go-vcr cassette" + canRead)
	errVersion    = errors.New("not a go-vcr cassette of a version that is known" + canRead)
	errVcrpy      = errors.New("a cassette of vcrpy" + canRead)
)

// readCassette reads a cassette of go-vcr (github.com/dnaeon/go-vcr), as a whole.
func (r *recording) readCassette(file io.Reader) error {
	text, err := readBounded(file)
	end := r.skipped + int64(len(text))
	if err != nil {
		return r.fail(end, err)
	}
	var c cassette
	switch err = yaml.Load(text, &c); {
	case err != nil:
	case c.Interactions == nil:
		err = errNoCassette
	case c.Version != "1" && c.Version != "2":
		err = errVersion
	}
	if err != nil {
		return r.fail(-1, yamlFault(text, err))
	}
	for i := range c.Interactions {
		e, err := readInteraction(&c.Interactions[i])
		if err != nil {
			return r.failEntry(-1, yamlFault(text, err))
		}
		if err := r.yieldExchange(e, "#/interactions/", i, end); err != nil {
			return err
		}
	}
	return nil
}

// readBounded reads to the end, with an error if there is too much; with any error comes what was read.
func readBounded(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err == nil && len(text) > maxSize {
		return nil, errTooLarge
	}
	return text, err
}

func readInteraction(node *yaml.Node) (*Exchange, error) {
	var i interaction
	if err := refuseAliases(node); err != nil {
		return nil, err
	}
	decodeErr := node.Decode(&i)
	fail := func(text string) error { return fmt.Errorf("line %d: %s", node.Line, text) }
	req, resp := i.Request, i.Response
	switch {
	case req != nil && req.URI != "" && req.URL == "":
		return nil, errVcrpy
	case decodeErr != nil:
		return nil, decodeErr
	case req == nil:
		return nil, fail("request: missing")
	case resp == nil:
		return nil, fail("response: missing")
	case req.Method == nil:
		return nil, fail("request.method: missing")
	case req.URL == "":
		return nil, fail("request.url: missing or empty")
	case resp.Code == nil:
		return nil, fail("response.code: missing") // it is written behind the body, so the file may be cut off
	case *resp.Code < 0 || *resp.Code > 999:
		return nil, fail(fmt.Sprintf("response.code: %d is not an HTTP status", *resp.Code))
	}

	e := &Exchange{Method: cmp.Or(*req.Method, http.MethodGet), URL: new(urlReader).parse(req.URL, nil), Status: *resp.Code} // as in [http.Request]
	var err error
	if e.Request, err = req.message(); err != nil {
		return nil, fail("request.body: " + err.Error())
	}
	if len(e.Request.Body) == 0 && !e.Request.BodyOmitted {
		hints := bodyHints{body: true, text: true, bodySize: req.size()}
		e.Request.BodyOmitted = hints.requestOmitted(e.Method, announced(e.Request.Header))
	}
	if !e.Answered() {
		return e, nil
	}
	if e.Response, err = resp.message(); err != nil {
		return nil, fail("response.body: " + err.Error())
	}
	if len(e.Response.Body) == 0 && !e.Response.BodyOmitted {
		hints := bodyHints{body: true, text: true, size: resp.size()}
		e.Response.BodyOmitted = hints.responseOmitted(e.Method, e.Status, announced(e.Response.Header))
	}
	return e, nil
}

func (m *cassetteMessage) size() bodySize {
	if m.ContentLength > 0 {
		return sizePositive
	}
	return sizeZero
}

// message is the header and the body. The body is as it went over the wire, so that its coding has to be undone; a coding
// other than gzip is only believed in if the body is no text, as hooks of the recorder may have undone it.
func (m *cassetteMessage) message() (Message, error) {
	message := Message{Header: http.Header{}, HeaderOmitted: m.Headers == nil, Body: []byte(m.Body)}
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		for _, value := range m.Headers[name] {
			if name != "" && name[0] != ':' {
				message.Header.Add(name, value)
			}
		}
	}
	coding := strings.ToLower(strings.TrimSpace(message.Header.Get("Content-Encoding")))
	switch {
	case m.Body == "":
		message.Body = nil
	case coding == "" || coding == "identity":
	case (coding == "gzip" || coding == "x-gzip") && strings.HasPrefix(m.Body, "\x1f\x8b"):
		var err error
		if message.Body, err = unzip(message.Body); err != nil {
			return Message{}, err
		}
	case !utf8.Valid(message.Body):
		message.Body, message.BodyOmitted = nil, true
	}
	return message, nil
}

func unzip(body []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return readBounded(r)
}

// refuseAliases refuses what go-vcr does not write, and what makes much of a short text.
func refuseAliases(node *yaml.Node) error {
	if node.Kind == yaml.AliasNode || node.ShortTag() == "!!merge" {
		return fmt.Errorf("line %d: an alias or a merge, which is not supported", node.Line)
	}
	for _, child := range node.Content {
		if err := refuseAliases(child); err != nil {
			return err
		}
	}
	return nil
}

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
		message = "not as go-vcr writes it: " + fault.Message
		if rest, ok := strings.CutPrefix(fault.Message, "cannot construct "); ok { // and then the value
			tag, _, _ := strings.Cut(rest, " ")
			message = "not as go-vcr writes it: unexpected " + tag
		}
	}
	return fmt.Errorf("line %d: %s", line, message)
}
