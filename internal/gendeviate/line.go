package main

import (
	"strconv"
	"strings"
	"unicode"
)

// step is one step of an edit: what to do, and with what.
type step []string

// line writes an edit down.
func line(name string, steps []step) string {
	fields := []string{field(name)}
	for _, s := range steps {
		for _, argument := range s {
			fields = append(fields, field(argument))
		}
	}
	return strings.Join(fields, " ") + "\n"
}

// field quotes what needs it, in the way that is the easiest to read.
func field(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) || !strconv.CanBackquote(s) {
		return strconv.Quote(s)
	}
	if s == "" || strings.ContainsAny(s, " \"`") {
		return "`" + s + "`"
	}
	return s
}
