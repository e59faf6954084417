package traffic

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// parseInteraction makes an exchange, without its Source, of an interaction: an item of a list in YAML, or a node of the
// whole text if that was parsed before. With an error comes the offset of the fault in the text.
func parseInteraction(text []byte, item *yaml.Node) (*Exchange, int64, error) {
	v := yamlValue{node: item}
	if item == nil {
		list, err := parseYAML(text)
		if err != nil {
			at, err := locate(text, err)
			return nil, at, err
		}
		items, err := list.elements()
		if err != nil || len(items) != 1 {
			return nil, 0, errors.New("not one item of a list")
		}
		v.node = items[0]
	}
	e, err := v.interaction()
	if err != nil {
		at, err := locate(text, err)
		return nil, at, err
	}
	return e, 0, nil
}

// recorded is what an interaction holds of a message. Members that are not needed are skipped, such as the form, which is
// the body once more.
type recorded struct {
	method        *string
	url           string
	header        http.Header // nil if absent
	body          string
	code          int64
	hasCode       bool
	contentLength int64 // -1 or 0 if not known
}

func (v yamlValue) interaction() (*Exchange, error) {
	var request, response yamlValue
	err := v.members(func(key string, m yamlValue) error {
		switch key {
		case "request":
			request = m.named(key)
		case "response":
			response = m.named(key)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case request.node == nil:
		return nil, v.fail(errors.New("request: missing"))
	case response.node == nil:
		return nil, v.fail(errors.New("response: missing"))
	}
	req, err := request.recorded()
	if err != nil {
		return nil, err
	}
	resp, err := response.recorded()
	switch {
	case err != nil:
		return nil, err
	case req.method == nil:
		return nil, request.fail(errors.New("method: missing"))
	case req.url == "":
		return nil, request.fail(errors.New("url: missing or empty"))
	case !resp.hasCode:
		// It is written behind the body, so the file may be cut off.
		return nil, response.fail(errors.New("code: missing"))
	case resp.code < 0 || resp.code > 999:
		return nil, response.fail(fmt.Errorf("code: %d is not an HTTP status", resp.code))
	}

	e := &Exchange{Method: *req.method, URL: parseURL(req.url), Status: int(resp.code)}
	if e.Method == "" {
		e.Method = http.MethodGet // as in [http.Request]
	}
	if e.Request, err = req.message(); err != nil {
		return nil, request.fail(err)
	}
	if len(e.Request.Body) == 0 && !e.Request.BodyOmitted {
		hints := bodyHints{body: true, text: true, bodySize: req.size()}
		e.Request.BodyOmitted = hints.requestOmitted(e.Method, announced(e.Request.Header))
	}
	if !e.Answered() {
		return e, nil
	}
	if e.Response, err = resp.message(); err != nil {
		return nil, response.fail(err)
	}
	if len(e.Response.Body) == 0 && !e.Response.BodyOmitted {
		hints := bodyHints{body: true, text: true, size: resp.size()}
		e.Response.BodyOmitted = hints.responseOmitted(e.Method, e.Status, announced(e.Response.Header))
	}
	return e, nil
}

// recorded reads a request or a response, the members of which have different names.
func (v yamlValue) recorded() (recorded, error) {
	var r recorded
	err := v.members(func(key string, value yamlValue) error {
		var err error
		switch m := value.named(key); key {
		case "method":
			r.method = new(string)
			*r.method, err = m.text()
		case "url":
			r.url, err = m.text()
		case "headers":
			r.header, err = m.header()
		case "body":
			r.body, err = m.text()
		case "code":
			r.hasCode = true
			r.code, err = m.integer()
		case "content_length":
			r.contentLength, err = m.integer()
		}
		return err
	})
	return r, err
}

// header reads a mapping of names to lists of values. It returns nil for null.
func (v yamlValue) header() (http.Header, error) {
	if v.isNull() {
		return nil, nil
	}
	header := http.Header{}
	err := v.members(func(name string, list yamlValue) error {
		if list.isNull() || name == "" || name[0] == ':' {
			return nil
		}
		values, err := list.elements()
		if err != nil {
			return err
		}
		for _, value := range values {
			text, err := yamlValue{path: v.path, node: value}.text()
			if err != nil {
				return err
			}
			header.Add(name, text)
		}
		return nil
	})
	return header, err
}

func (r *recorded) size() bodySize { return sizeOf(int(max(0, min(1, r.contentLength)))) }

// message is the header and the body. The body is as it went over the wire, so that its coding has to be undone; a coding
// other than gzip is only believed in if the body is no text, as hooks of the recorder may have undone it.
func (r *recorded) message() (Message, error) {
	m := Message{Header: r.header, HeaderOmitted: r.header == nil, Body: []byte(r.body)}
	if r.header == nil {
		m.Header = http.Header{}
	}
	coding := strings.ToLower(strings.TrimSpace(m.Header.Get("Content-Encoding")))
	switch {
	case r.body == "":
		m.Body = nil
	case coding == "" || coding == "identity":
	case (coding == "gzip" || coding == "x-gzip") && strings.HasPrefix(r.body, "\x1f\x8b"):
		var err error
		if m.Body, err = unzip(m.Body); err != nil {
			return Message{}, fmt.Errorf("body: %w", err)
		}
	case !utf8.Valid(m.Body):
		m.Body, m.BodyOmitted = nil, true
	}
	return m, nil
}

func unzip(body []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return readBounded(r)
}
