package sandbox

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// These functions change one member of a JSON object, and leave each byte of the others where it is. A place is a JSON
// pointer (RFC 6901) to a member; where an object on the way is missing, nothing is changed. They do not
// write into what they get.

// span is where a member stands in an object.
type span struct {
	start, end int // from the bracket or comma before it to the end of its value
	value      int // where its value begins
	found      bool
}

// find looks a member up in an object. If it is not there, start and end are where one more goes.
func find(object []byte, name string) span {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return span{}
	}
	end := int(d.InputOffset())
	for d.More() {
		start := end
		key, err := d.Token()
		var raw json.RawMessage
		if err != nil || d.Decode(&raw) != nil {
			return span{}
		}
		if end = int(d.InputOffset()); key == name {
			return span{start, end, end - len(raw), true}
		}
	}
	return span{start: end, end: end}
}

// within applies a change to the object that holds a place.
func within(body []byte, place string, change func(object []byte, name string) []byte) []byte {
	token, rest, deeper := strings.Cut(strings.TrimPrefix(place, "/"), "/")
	name := strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	if !deeper {
		return change(body, name)
	}
	at := find(body, name)
	if !at.found {
		return body
	}
	return splice(body, at.value, at.end, within(body[at.value:at.end], "/"+rest, change))
}

func splice(body []byte, from, to int, with []byte) []byte {
	return slices.Concat(body[:from], with, body[to:])
}

// member returns the value of a member as it is written, or nil.
func member(body []byte, place string) (raw []byte) {
	within(body, place, func(object []byte, name string) []byte {
		if at := find(object, name); at.found {
			raw = object[at.value:at.end]
		}
		return object
	})
	return raw
}

// setMember replaces the value of a member, or adds one behind the others.
func setMember(body []byte, place, raw string) []byte {
	return within(body, place, func(object []byte, name string) []byte {
		at := find(object, name)
		switch {
		case at.found:
			return splice(object, at.value, at.end, []byte(raw))
		case at.end == 0: // no object
			return object
		}
		return splice(object, at.end, at.end, entry(object, at, name, raw))
	})
}

// entry writes a member with the comma that it needs behind what is there.
func entry(object []byte, at span, name, raw string) []byte {
	var added []byte
	if object[at.end-1] != '{' {
		added = append(added, ',')
	}
	return append(append(appendText(added, name), ':'), raw...)
}

func removeMember(body []byte, place string) []byte {
	return within(body, place, func(object []byte, name string) []byte {
		at := find(object, name)
		if !at.found {
			return object
		}
		// The first one has its comma behind it.
		if rest := bytes.TrimLeft(object[at.end:], " \t\r\n"); object[at.start-1] == '{' && bytes.HasPrefix(rest, []byte(",")) {
			at.end = len(object) - len(rest) + 1
		}
		return splice(object, at.start, at.end, nil)
	})
}

// repeatMember puts a member twice into its object, once as the first: readers that take the last one see no difference.
// The value is for one that is not there.
func repeatMember(body []byte, place, raw string) []byte {
	if value := member(body, place); value != nil {
		raw = string(value)
	} else {
		body = setMember(body, place, raw)
	}
	return within(body, place, func(object []byte, name string) []byte {
		if !find(object, name).found {
			return object
		}
		first := bytes.IndexByte(object, '{') + 1
		return splice(object, first, first, append(append(append(appendText(nil, name), ':'), raw...), ','))
	})
}
