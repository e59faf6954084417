// Package curl writes requests as commands for a POSIX shell.
package curl

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// Placeholder stands for a credential in a request.
	Placeholder = "[redacted]"

	maxCommand = 96 << 10 // bytes; Linux allows 128 KiB for an argument
)

// unsent are headers that curl sends itself, or that belong to the connection.
var unsent = []string{"Accept-Encoding", "Connection", "Content-Length", "Expect", "Host", "Transfer-Encoding"}

// Fleetio has the shell variables of the credentials of Fleetio's API, by header.
var Fleetio = map[string]string{
	"Authorization": "FLEETIO_API_KEY",
	"Account-Token": "FLEETIO_ACCOUNT_TOKEN",
}

// Request is a request with placeholders for its credentials.
type Request struct {
	Method, URL string
	Header      http.Header
	Body        []byte
	// Variables are the shell variables that replace placeholders, by header; nil for variables named as their headers. The
	// command fails if one is not set. In other headers, in the URL and in the body, placeholders stay.
	Variables map[string]string
}

// Command returns a command that repeats the request. The shell does not interpret any part of the request, and the command
// has printable characters only. ok is false if it would be too long.
func Command(r Request) (command string, ok bool) {
	if len(r.Body) > maxCommand {
		return "", false
	}
	body := string(r.Body)
	var b strings.Builder
	piped := len(r.Body) > 0 && !quotable(body)
	if piped {
		b.WriteString("printf " + escaped(body) + " |\n  ")
	}
	b.WriteString("curl --include --globoff --path-as-is --noproxy '*'")
	if r.Method == http.MethodHead {
		b.WriteString(" --head") // otherwise curl would wait for a body
	} else {
		b.WriteString(" --request " + word(r.Method))
	}
	for _, h := range headerWords(r) {
		b.WriteString(" \\\n  --header " + h)
	}
	switch {
	case piped:
		b.WriteString(" \\\n  --data-binary @-")
	case len(r.Body) > 0:
		b.WriteString(" \\\n  --data-raw " + word(body))
	}
	b.WriteString(" \\\n  --url " + word(r.URL))
	return b.String(), b.Len() <= maxCommand
}

// headerWords returns the arguments of --header. They disable headers that curl would add and the request did not have.
func headerWords(r Request) []string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if slices.Contains(unsent, http.CanonicalHeaderKey(name)) || strings.HasPrefix(name, ":") { // of HTTP/2, in a HAR file
			continue
		}
		for _, value := range r.Header[name] {
			words = append(words, r.headerWord(name, value))
		}
	}
	for _, name := range []string{"Accept", "User-Agent", "Content-Type"} {
		if len(r.Header.Values(name)) == 0 && (name != "Content-Type" || len(r.Body) > 0) {
			words = append(words, word(name+":"))
		}
	}
	return words
}

func (r *Request) headerWord(name, value string) string {
	before, after, found := strings.Cut(value, Placeholder)
	switch {
	case found && (r.Variables == nil || r.Variables[http.CanonicalHeaderKey(name)] != ""):
		return words(name+": "+before) + `"${` + cmp.Or(r.Variables[http.CanonicalHeaderKey(name)], variable(name)) + `:?}"` + words(after)
	case value == "":
		return word(name + ";") // curl's syntax for an empty header
	default:
		return word(name + ": " + value)
	}
}

// variable returns the variable that is named as a header.
func variable(header string) string {
	name := strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return '_'
	}, strings.ToUpper(header))
	return strings.TrimLeft(name, "0123456789_") // no variable begins with a digit
}

// words is word, but "" for an empty string.
func words(s string) string {
	if s == "" {
		return ""
	}
	return word(s)
}

// word quotes a string as one word of a shell: in single quotes, in which the shell interprets nothing, or by printf if
// it has characters that a terminal could interpret when they are pasted.
func word(s string) string {
	if quotable(s) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	// The shell removes trailing line ends from the output of a command.
	trimmed := strings.TrimRight(s, "\n")
	return `"$(printf ` + escaped(trimmed) + `)"` + words(s[len(trimmed):])
}

// quotable reports whether a string has only printable characters and line ends.
func quotable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && !strconv.IsPrint(r) })
}

// escaped returns a format with which printf prints the string. It escapes all that the shell, printf or the history
// expansion of an interactive shell would interpret, and hyphens, as it must not start like an option.
func escaped(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || strings.IndexByte(`'\%!-`, c) >= 0 {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
