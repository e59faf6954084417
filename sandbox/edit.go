package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const failureSyntax = `there are a status from 400 to 599, 429=30s, 503=5s, delay=250ms, truncate, malform, drop-before, ` +
	`drop-after, store-late=2s, accept, set=/id=0, remove=/id, header=Location=/elsewhere, header=Location (removes it), ` +
	`type=text/html, status=200 and body={"id":0}`

// Edit changes the response, also an error response. The edits are applied in order, and have the syntax of the flag
// --failure:
//
//	set=/id=0                   sets the value at a JSON pointer (RFC 6901), or adds the property
//	remove=/id                  removes the property or item at a JSON pointer
//	header=Location=/elsewhere  sets a header; a second one of the same name adds a field
//	header=Location             removes a header; header=Location= leaves one with an empty value
//	type=text/html              sets Content-Type
//	status=200                  sets the status, from 200 to 999
//	body=...                    sets the whole body, verbatim, such as one with repeated names or invalid JSON
//	accept                      performs the operation even without credentials, permission or a valid body
//
// A set or a remove has no effect if the body is not JSON or lacks the parent of the pointer. After accept, the
// response echoes the properties of the request that a fault can have.
func Edit(edits ...string) Failure { return newFailure(edits...) }

// newFailure parses the parts of a failure.
func newFailure(parts ...string) Failure {
	f := Failure{parts: parts}
	for _, part := range parts {
		if err := f.plan.add(part); err != nil {
			f.err = errors.Join(f.err, fmt.Errorf("sandbox: failure %q: %w", part, err))
		}
	}
	return f
}

// add adds one part of a failure to the plan.
func (p *plan) add(part string) error {
	if set := words[part]; set != nil {
		set(p)
		return nil
	}
	name, argument, has := strings.Cut(part, "=")
	if status, err := strconv.Atoi(name); err == nil {
		return p.fail(status, argument, has)
	}
	set := assignments[name]
	if set == nil || !has {
		return errors.New("unknown; " + failureSyntax)
	}
	return set(p, argument)
}

func (p *plan) edit(f func(*response)) { p.edits = append(p.edits, f) }

// words are the parts without an argument.
var words = map[string]func(*plan){
	"truncate":    func(p *plan) { p.cut = true },
	"malform":     func(p *plan) { p.edit(func(r *response) { r.body = r.body[:len(r.body)/2] }) },
	"drop-before": func(p *plan) { p.drop, p.status = true, http.StatusInternalServerError },
	"drop-after":  func(p *plan) { p.drop = true },
	"accept":      func(p *plan) { p.accept = true },
}

// assignments are the parts with an argument.
var assignments = map[string]func(p *plan, argument string) error{
	"delay": func(p *plan, argument string) (err error) {
		p.delay, err = duration(argument)
		return err
	},
	"store-late": func(p *plan, argument string) (err error) {
		if p.late, err = duration(argument); err == nil && p.late == 0 {
			err = errors.New("the delay must be more than 0")
		}
		return err
	},
	"set":    (*plan).set,
	"remove": func(p *plan, pointer string) error { return p.change(pointer, nil) },
	"header": (*plan).header,
	"type":   func(p *plan, mediaType string) error { return p.header("Content-Type=" + mediaType) },
	"status": func(p *plan, argument string) error {
		status, err := strconv.Atoi(argument)
		if err != nil || status < 200 || status > 999 { // one below 200 is not final
			return errors.New("a status is a number from 200 to 999")
		}
		p.edit(func(r *response) { r.status = status })
		return nil
	},
	"body": func(p *plan, body string) error {
		p.edit(func(r *response) { r.body = []byte(body) })
		return nil
	},
}

func duration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no duration such as 1.5s", s)
	}
	return d, nil
}

// fail replaces the operation by an error response. A 429 or 503 may have the duration of Retry-After.
func (p *plan) fail(status int, wait string, has bool) error {
	waits := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
	if status < 400 || status > 599 || has && !waits {
		return errors.New("no error status; " + failureSyntax)
	}
	p.status = status
	if !has {
		return nil
	}
	d, err := duration(wait)
	if err != nil {
		return err
	}
	return p.header("Retry-After=" + strconv.FormatInt(int64(math.Ceil(d.Seconds())), 10))
}

// Header names and values (RFC 9110, sections 5.6.2 and 5.5), and JSON pointers (RFC 6901, sections 3 and 4).
var (
	isToken         = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	isFieldValue    = regexp.MustCompile(`^[^\x00-\x08\x0a-\x1f\x7f]*$`)
	isPointer       = regexp.MustCompile(`^(/([^/~]|~[01])*)+$`)
	unescapePointer = strings.NewReplacer("~1", "/", "~0", "~") // in one pass, so that ~01 becomes ~1
)

func (p *plan) header(argument string) error {
	name, value, has := strings.Cut(argument, "=")
	if !isToken.MatchString(name) || !isFieldValue.MatchString(value) {
		return errors.New("a header is a name and a value, such as header=Location=/elsewhere, or a name alone")
	}
	name = http.CanonicalHeaderKey(name)
	p.edit(func(r *response) {
		switch {
		case !has:
			r.header[name] = nil // nil keeps net/http from adding its own Date or Content-Type
		case slices.Contains(r.edited, name):
			r.header.Add(name, value)
		default:
			r.header.Set(name, value)
			r.edited = append(r.edited, name)
		}
	})
	return nil
}

func (p *plan) set(argument string) error {
	pointer, value, has := strings.Cut(argument, "=")
	if !has || !json.Valid([]byte(value)) || !utf8.ValidString(value) {
		return errors.New(`set takes a JSON pointer and a JSON value, such as set=/id=0 or set=/code="P0171"`)
	}
	return p.change(pointer, json.RawMessage(value))
}

// change sets the value at a JSON pointer, or removes it if value is nil.
func (p *plan) change(pointer string, value json.RawMessage) error {
	if !isPointer.MatchString(pointer) {
		return fmt.Errorf("%q is no JSON pointer, such as /id or /errors/code/0; body= sets the whole body", pointer)
	}
	path := strings.Split(pointer, "/")[1:]
	for i := range path {
		path[i] = unescapePointer.Replace(path[i])
	}
	p.edit(func(r *response) { r.body = replaceAt(r.body, path, value) })
	return nil
}

// replaceAt returns a JSON value with another value at a path below it, or without the one there if value is nil. It
// keeps the text of the other values. If the path does not exist, it returns the value unchanged.
func replaceAt(in []byte, path []string, value json.RawMessage) []byte {
	name, last := path[0], len(path) == 1
	var object map[string]json.RawMessage
	var list []json.RawMessage
	switch {
	case json.Unmarshal(in, &object) == nil && object != nil:
		child, has := object[name]
		switch {
		case last && value == nil:
			delete(object, name)
		case last:
			object[name] = value
		case has:
			object[name] = replaceAt(child, path[1:], value)
		}
		return encode(object)
	case json.Unmarshal(in, &list) == nil && list != nil:
		i, err := strconv.Atoi(name)
		switch {
		case last && value != nil && name == "-":
			list = append(list, value)
		case err != nil || i < 0 || i >= len(list):
		case last && value == nil:
			list = slices.Delete(list, i, i+1)
		case last:
			list[i] = value
		default:
			list[i] = replaceAt(list[i], path[1:], value)
		}
		return encode(list)
	}
	return in
}

// encode returns a value as JSON.
func encode(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // strings, numbers and decoded JSON always encode
	}
	return data
}
