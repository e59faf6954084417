package traffic

import (
	"bytes"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// parseLine makes an exchange, without its Source, of a line. With an error comes the offset of the fault in the line.
// The exchange shares no memory with it.
func parseLine(line []byte) (*Exchange, int64, error) {
	line = bytes.TrimRight(line, " \t\r\n") // so that a line that is cut off is said to end
	v, at, err := parseJSON(line)
	if err != nil {
		return nil, at, err
	}
	e, err := v.exchange()
	if fault, ok := errors.AsType[*valueError](err); ok {
		return nil, fault.at, fault.err
	}
	return e, 0, err
}

func (v jsonValue) exchange() (*Exchange, error) {
	e := &Exchange{Request: unrecorded()}
	var response *Message
	var answer jsonValue
	seen, err := v.members(func(name string, value jsonValue) error {
		var err error
		m := value.named(name)
		switch name {
		case "method":
			if e.Method, err = m.text(); err == nil && e.Method == "" {
				err = m.fail("empty")
			}
		case "url":
			var text string
			text, err = m.text()
			e.URL = parseURL(text)
		case "status":
			e.Status, err = m.status()
		case "request":
			e.Request, err = m.message()
		case "response":
			var message Message
			message, err = m.message()
			response, answer = &message, m
		default:
			err = value.unknown(name)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !seen["method"]:
		return nil, v.fail("method: missing")
	case !seen["url"]:
		return nil, v.fail("url: missing")
	case response != nil && e.Status == 0:
		return nil, answer.fail("without a status")
	case response != nil:
		e.Response = *response
	case e.Status != 0:
		e.Response = unrecorded()
	}
	return e, nil
}

// unrecorded is a message of which nothing is known.
func unrecorded() Message {
	return Message{Header: http.Header{}, HeaderOmitted: true, BodyOmitted: true}
}

func (v jsonValue) message() (Message, error) {
	message := unrecorded()
	mediaType, body := "", ""
	_, err := v.members(func(name string, value jsonValue) error {
		var err error
		m := value.named(name)
		switch name {
		case "headers":
			message.HeaderOmitted = false
			err = m.headers(message.Header)
		case "media_type":
			mediaType, err = m.text()
		case "body", "body_base64", "body_json":
			if body != "" {
				return m.fail("beside " + body)
			}
			body, message.BodyOmitted = name, false
			message.Body, err = m.body(name)
		default:
			err = value.unknown(name)
		}
		if message.HeaderOmitted || mediaType == "" || err != nil {
			return err
		}
		return v.fail("media_type beside headers")
	})
	if mediaType != "" {
		message.Header.Set("Content-Type", mediaType)
	}
	return message, err
}

// body reads the value of a member that holds a body.
func (v jsonValue) body(member string) ([]byte, error) {
	if member == "body_json" {
		return bytes.Clone(v.raw), nil
	}
	text, err := v.text()
	if err != nil || text == "" {
		return nil, err
	}
	if member == "body" {
		return []byte(text), nil
	}
	if strings.ContainsAny(text, "\r\n") { // which the decoder would pass over
		return nil, v.fail("illegal base64 data: a line break")
	}
	body, err := base64Encoding(strings.HasSuffix(text, "=")).DecodeString(text)
	if err != nil {
		return nil, v.fail(err.Error())
	}
	return body, nil
}

// headers reads the fields of a header: a list of names with values, or an object.
func (v jsonValue) headers(header http.Header) error {
	if v.raw[0] == '{' {
		return v.each(func(text []byte, m jsonValue) error {
			name := string(text)
			if name == "" {
				return v.fail("a name that is empty")
			}
			if m.raw[0] != '[' {
				return m.field(header, name)
			}
			return m.elements(func(_ int, value jsonValue) error { return value.field(header, name) })
		})
	}
	return v.elements(func(_ int, pair jsonValue) error {
		name, n := "", 0
		err := pair.elements(func(i int, m jsonValue) error {
			var err error
			switch n++; i {
			case 0:
				if name, err = m.text(); err == nil && name == "" {
					err = v.fail("a name that is empty")
				}
			case 1:
				err = m.field(header, name)
			}
			return err
		})
		if err == nil && n != 2 {
			return pair.fail("expected a name and a value")
		}
		return err
	})
}

// field adds a field with that value to the header, unless it is a pseudo header.
func (v jsonValue) field(header http.Header, name string) error {
	value, err := v.text()
	if err == nil && name[0] != ':' {
		header.Add(name, value)
	}
	return err
}

// status reads a status code, or the 0 for no answer.
func (v jsonValue) status() (int, error) {
	if jsonTypes[v.raw[0]] != "a number" {
		return 0, v.expected("an integer")
	}
	n, err := strconv.ParseFloat(string(v.raw), 64)
	if err != nil || n != math.Trunc(n) || n < 0 || n > 999 {
		return 0, v.fail("expected an integer from 0 to 999")
	}
	return int(n), nil
}
