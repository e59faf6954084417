package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode"
)

// route sets the patterns of the operations, and returns an error for one that the router of the generated server refuses.
func (c *compiler) route(list []*operation) error {
	mux := http.NewServeMux()
	for _, o := range list {
		o.pattern = inBraces.ReplaceAllStringFunc(o.path, func(s string) string { return "{" + wildcard(s[1:len(s)-1]) + "}" })
		if strings.HasSuffix(o.path, "/") {
			o.pattern += "{$}"
		}
		paths := []string{o.pattern}
		for prefix, alias := range c.aliases() {
			if rest, has := strings.CutPrefix(o.pattern, prefix); has && strings.HasPrefix(rest, "/") {
				paths = append(paths, alias+rest)
			}
		}
		for _, path := range paths {
			if refusal := register(mux, o.Method+" "+path); refusal != "" {
				return c.errorAt(o.Pointer, "the generated server cannot route the path: %s; make each parameter a whole segment, "+
					"and leave one of two paths that match the same requests out of the spec", refusal)
			}
		}
	}
	return nil
}

// aliases returns the x-path-aliases of the spec.
func (c *compiler) aliases() map[string]string {
	aliases := map[string]string{}
	for _, e := range c.entries("", "x-path-aliases") {
		aliases[e.Key] = e.Text
	}
	return aliases
}

var inBraces = regexp.MustCompile(`\{[^{}]*\}`)

// wildcard returns the name of a parameter in a pattern, which the generator makes a Go identifier.
func wildcard(parameter string) string {
	name := []rune(parameter)
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsNumber(r)) {
			name[i] = '_'
		}
	}
	return string(name)
}

// registeredAt matches what the router says of our own code.
var registeredAt = regexp.MustCompile(` \(registered at [^)]*\)`)

// register returns why a router refuses a pattern; "" if it does not.
func register(mux *http.ServeMux, pattern string) (refusal string) {
	defer func() {
		if p := recover(); p != nil {
			text := registeredAt.ReplaceAllString(fmt.Sprint(p), "")
			refusal = strings.Join(strings.Fields(text), " ")
		}
	}()
	mux.Handle(pattern, http.NotFoundHandler())
	return ""
}
