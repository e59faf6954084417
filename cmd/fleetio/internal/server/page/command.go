package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

const (
	placeholder = "[redacted]" // see [sandbox.Exchange]
	maxCommand  = 96 << 10     // bytes; Linux allows 128 KiB for an argument
	tooLong     = "No command: the request is too long."
)

// unsent are headers that curl sends itself, or that belong to the connection.
var unsent = []string{"Accept-Encoding", "Connection", "Content-Length", "Expect", "Transfer-Encoding"}

// variables are the shell variables of the credentials. The command fails if one is not set.
var variables = map[string]string{ //nolint:gosec // names only
	"Authorization": `"${FLEETIO_API_KEY:?}"`,
	"Account-Token": `"${FLEETIO_ACCOUNT_TOKEN:?}"`,
}

// command returns a command for a POSIX shell that repeats the request, and a note about it. The shell does not
// interpret any part of the request, and the command has printable characters only. raw is the exchange before
// redaction, which is not displayed.
func command(origin string, ex, raw *sandbox.Exchange) (cmd, note string) {
	switch {
	case !strings.HasPrefix(ex.URL, "/"):
		// A request to a proxy has the URL of another server, which must not receive credentials.
		return "", "No command: the request is not for a path of this server."
	case ex.Method == http.MethodHead && len(ex.Body) > 0:
		return "", "No command: curl sends no body with a HEAD."
	case len(ex.Body) > maxCommand:
		return "", tooLong
	}
	body := string(ex.Body)
	var b strings.Builder
	piped := len(ex.Body) > 0 && !quotable(body)
	if piped {
		b.WriteString("printf " + escaped(body) + " |\n  ")
	}
	b.WriteString("curl --include --globoff --path-as-is --noproxy '*'")
	if ex.Method == http.MethodHead {
		b.WriteString(" --head") // otherwise curl would wait for a body
	} else {
		b.WriteString(" --request " + word(ex.Method))
	}
	for _, h := range headerWords(ex) {
		b.WriteString(" \\\n  --header " + h)
	}
	switch {
	case piped:
		b.WriteString(" \\\n  --data-binary @-")
	case len(ex.Body) > 0:
		b.WriteString(" \\\n  --data-raw " + word(body))
	}
	b.WriteString(" \\\n  --url " + word(origin+ex.URL))
	if b.Len() > maxCommand {
		return "", tooLong
	}
	return b.String(), strings.Join(notes(ex, raw), " ")
}

// notes describe the credentials of the request, which the command replaces by variables, and the differences between
// the command and the request.
func notes(ex, raw *sandbox.Exchange) (list []string) {
	sent, redacted := maps.Clone(raw.Header), maps.Clone(ex.Header)
	variable := false
	for name := range variables {
		variable = variable || strings.Contains(strings.Join(ex.Header.Values(name), ""), placeholder)
		delete(sent, name)
		delete(redacted, name)
	}
	if variable {
		about := "The request was sent with credentials that the sandbox does not know."
		if ex.APIKey != "" {
			key, account := clip(ex.APIKey, maxCell), clip(ex.Account, maxCell)
			about = "The request was sent with the key " + key + " of " + account + "."
		} else if ex.Failure == "" && (ex.Status == http.StatusNotFound || ex.Status == http.StatusMethodNotAllowed) {
			about = "The sandbox did not check those of the request."
		}
		list = append(list, "It takes credentials from the environment. "+about)
	}
	if ex.BodyOmitted {
		list = append(list, "The sandbox did not read the body, so the command does not have it.")
	}
	if ex.Method != raw.Method || ex.URL != raw.URL || !bytes.Equal(ex.Body, raw.Body) ||
		!maps.EqualFunc(sent, redacted, slices.Equal) {
		list = append(list, "Other credentials are redacted: replace each "+placeholder+" in the command.")
	}
	return list
}

// headerWords returns the arguments of --header. They disable headers that curl would add and the request did not have.
func headerWords(ex *sandbox.Exchange) []string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(ex.Header)) {
		if slices.Contains(unsent, http.CanonicalHeaderKey(name)) {
			continue
		}
		for _, value := range ex.Header[name] {
			words = append(words, headerWord(name, value))
		}
	}
	for _, name := range []string{"Accept", "User-Agent", "Content-Type"} {
		if len(ex.Header.Values(name)) == 0 && (name != "Content-Type" || len(ex.Body) > 0) {
			words = append(words, word(name+":"))
		}
	}
	return words
}

func headerWord(name, value string) string {
	variable, isCredential := variables[http.CanonicalHeaderKey(name)]
	before, after, found := strings.Cut(value, placeholder)
	switch {
	case isCredential && found:
		return words(name+": "+before) + variable + words(after)
	case value == "":
		return word(name + ";") // curl's syntax for an empty header
	default:
		return word(name + ": " + value)
	}
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

// first is a command that creates a fault, displayed before the first request; the zero value if no account accepts
// one.
type first struct {
	Command      string
	Account, Key string // the names of those whose credentials it needs
}

func (p *Page) first(origin string) first {
	create := slices.IndexFunc(fleetioserver.Operations, func(o fleetioserver.Operation) bool { return o.ID == "createFault" })
	for _, a := range p.accounts {
		key := slices.IndexFunc(a.APIKeys, func(k sandbox.APIKey) bool {
			return slices.Contains(k.Permissions, sandbox.CreateFaults)
		})
		if key < 0 || len(a.Vehicles) == 0 || len(a.FaultRules) == 0 {
			continue
		}
		code, err := json.Marshal(redacted(p.source, a.FaultRules[0].Code))
		if err != nil {
			continue
		}
		ex := &sandbox.Exchange{
			Method: fleetioserver.Operations[create].Method, URL: fleetioserver.Operations[create].Path,
			Header: http.Header{
				"Authorization": {"Token " + placeholder}, "Account-Token": {placeholder}, "Content-Type": {"application/json"},
			},
			Body: fmt.Appendf(nil, `{"vehicle_id":%d,"code":%s}`, a.Vehicles[0].ID, code),
		}
		cmd, _ := command(origin, ex, ex)
		return first{Command: cmd, Account: clip(a.Name, maxCell), Key: clip(a.APIKeys[key].Name, maxCell)}
	}
	return first{}
}
