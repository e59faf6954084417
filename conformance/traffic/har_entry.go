package traffic

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// parseHAREntry makes an exchange, without its Source, of an entry. With an error comes the offset of the fault in raw.
// The exchange shares no memory with raw.
func parseHAREntry(raw []byte) (*Exchange, int64, error) {
	v, at, err := parseJSON(raw)
	if err != nil {
		return nil, at, err
	}
	entry, err := v.harEntry()
	if fault, ok := errors.AsType[*valueError](err); ok {
		return nil, fault.at, fault.err
	}
	req := entry.request
	switch {
	case req == nil:
		return nil, 0, errors.New("request: missing")
	case req.method == "":
		return nil, 0, errors.New("request.method: missing or empty")
	case req.url == "":
		return nil, 0, errors.New("request.url: missing or empty")
	}

	e := &Exchange{Method: req.method, URL: parseURL(req.url)}
	e.Request.Header = harHeaders(req.headers, req.postData)
	e.Request.HeaderOmitted = req.headers == nil
	if err := req.readBody(&e.Request); err != nil {
		return nil, 0, err
	}

	// Chrome, Firefox, Safari and mitmproxy write status 0 for a request without an answer, Playwright writes -1.
	resp := entry.response
	if resp == nil || resp.status <= 0 {
		return e, 0, nil
	}
	if resp.status > 999 {
		return nil, 0, fmt.Errorf("response.status: %d is not an HTTP status", resp.status)
	}
	e.Status = int(resp.status)
	e.Response.Header = harHeaders(resp.headers, resp.content)
	e.Response.HeaderOmitted = resp.headers == nil
	if err := resp.readBody(&e.Response, req.method); err != nil {
		return nil, 0, err
	}
	return e, 0, nil
}

// parseURL makes the URL of an exchange. Browsers send what Go refuses, to sites that are not ours. Such an exchange is
// kept, and is for no operation.
func parseURL(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		return new(url.URL)
	}
	return u
}

// harHeaders makes a header of a list. Only for a message with no fields at all is the media type that the recorder wrote
// beside the body taken for its Content-Type, which it is (HAR 1.2, "content"): next to other fields, it may be what a
// browser guessed.
func harHeaders(list []harHeader, body *harBody) http.Header {
	header := make(http.Header, len(list))
	for _, field := range list {
		if field.name != "" && field.name[0] != ':' {
			header.Add(field.name, field.value)
		}
	}
	if len(list) == 0 && body != nil && body.mimeType != "" && body.mimeType != unknownType {
		header.Set("Content-Type", body.mimeType)
	}
	return header
}

// unknownType is what WebKit and its relatives write for a media type that they do not know.
const unknownType = "x-unknown"
