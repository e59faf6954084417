package styles

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/mediatype"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// Form is a body with properties by name: a form or a multipart body.
type Form struct {
	Shape  *Shape
	Fields []*Field // the properties of Shape
}

// AppendQuery appends the object of a form (application/x-www-form-urlencoded), as JSON.
func (f *Form) AppendQuery(dst []byte, body string) []byte {
	pairs := AppendQuery(nil, body)
	dst = append(dst, '{')
	for _, field := range f.Fields {
		start := len(dst)
		dst = appendName(dst, field.Name)
		at := len(dst)
		value, present := field.AppendPairs(dst, pairs)
		switch {
		case !present:
			dst = dst[:start]
		case field.JSON:
			dst = appendJSON(value[:at], value[at:])
		default:
			dst = value
		}
	}
	var rest object
	for _, p := range pairs {
		if !slices.ContainsFunc(f.Fields, func(field *Field) bool { return field.Owns(p.Name) }) {
			e := rest.add(p.Name)
			e.values = append(e.values, p.Value)
		}
	}
	other := Field{In: "query"}
	for _, e := range rest.entries {
		dst = other.append(appendName(dst, e.name), f.Shape.property(e.name), e)
	}
	return append(dst, '}')
}

// The errors of [Form.AppendMultipart].
var (
	ErrTruncated = errors.New("a multipart body that ends too early")
	ErrMalformed = errors.New("a malformed multipart body")
)

// AppendMultipart appends the object of a multipart body (RFC 7578), as JSON, and calls visit for each part with the media
// type of its Content-Type (default text/plain).
func (f *Form) AppendMultipart(dst []byte, body []byte, boundary string, visit func(name, mediaType string)) ([]byte, error) {
	var parts object // with values that are JSON
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := r.NextRawPart()
		if err == io.EOF { //nolint:errorlint // an EOF that is wrapped is too early
			break
		}
		if err != nil {
			return dst, reason(err)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return dst, reason(err)
		}
		name := strings.ToValidUTF8(part.FormName(), "\uFFFD")
		contentType := part.Header.Get("Content-Type")
		mediaType, _, err := mediatype.Parse(contentType)
		if contentType == "" {
			mediaType = "text/plain" // RFC 7578, section 4.4
		} else if err != nil {
			mediaType = contentType
		}
		visit(name, mediaType)
		shape := f.Shape.property(name)
		if shape.has(Array) {
			shape = shape.items()
		}
		e := parts.add(name)
		// OpenAPI 3.0.3, Encoding Object: the default for objects is JSON.
		isFile := shape != nil && shape.Binary // which can hold JSON
		if mediatype.IsJSON(mediaType) && !isFile || contentType == "" && shape.has(Object) {
			e.values = append(e.values, string(appendJSON(nil, content)))
		} else {
			e.values = append(e.values, string(appendScalar(nil, shape, string(content))))
		}
	}
	dst = append(dst, '{')
	for _, e := range parts.entries {
		dst = appendName(dst, e.name)
		isList := f.Shape.property(e.name).isList() && e.values[0][0] != '[' // which JSON may have whole
		if values := strings.Join(e.values, ","); isList || len(e.values) > 1 {
			dst = append(append(append(dst, '['), values...), ']')
		} else {
			dst = append(dst, values...)
		}
	}
	return append(dst, '}'), nil
}

func reason(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return ErrMalformed
}

// appendJSON appends a JSON text, or a text that is none as a string.
func appendJSON(dst, text []byte) []byte {
	var doc strictjson.Document
	if doc.Parse(text) {
		return append(dst, bytes.TrimSpace(text)...)
	}
	return strictjson.AppendString(dst, bytes.Clone(text)) // which may be in the memory of dst
}
