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

	"github.com/fleetcontract/fleetio-go/sandbox"
)

const (
	hidden     = "[redacted]" // see [sandbox.Exchange]
	maxCommand = 96 << 10     // bytes; Linux takes 128 KiB in one argument
	tooLong    = "There is no command, as the request is too long for one."
)

// unsent are headers that curl makes by itself, or that belong to the connection.
var unsent = []string{"Accept-Encoding", "Connection", "Content-Length", "Expect", "Transfer-Encoding"}

// variables are what the command reads credentials from. One that is not set ends it.
var variables = map[string]string{ //nolint:gosec // it has their names
	"Authorization": `"${FLEETIO_API_KEY:?}"`,
	"Account-Token": `"${FLEETIO_ACCOUNT_TOKEN:?}"`,
}

// command is a command for a POSIX shell that sends the request again, and what is to be said of it. Whatever the
// request carries, the shell sees text only, and the terminal that it is pasted into sees printable characters only.
// The raw exchange is the same before its credentials were hidden, and nothing of it is shown.
func command(origin string, ex, raw *sandbox.Exchange) (text, note string) {
	switch {
	case !strings.HasPrefix(ex.URL, "/"):
		// A proxy's request names a host, which must not be sent credentials.
		return "", "There is no command, as the request is not for a path of this server."
	case ex.Method == http.MethodHead && len(ex.Body) > 0:
		return "", "There is no command, as curl sends no body with a HEAD."
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
		b.WriteString(" --head") // else curl waits for a body
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

// notes say whose credentials the request had, as the command takes others in their place, and what the command lacks.
func notes(ex, raw *sandbox.Exchange) (list []string) {
	sent, shown := maps.Clone(raw.Header), maps.Clone(ex.Header)
	variable := false
	for name := range variables {
		variable = variable || strings.Contains(strings.Join(ex.Header.Values(name), ""), hidden)
		delete(sent, name)
		delete(shown, name)
	}
	const takes = "It takes credentials from the environment. "
	switch {
	case !variable:
	case ex.APIKey != "":
		key, account := clip(ex.APIKey, maxCell), clip(ex.Account, maxCell)
		list = append(list, takes+"The request was sent with the key "+key+" of "+account+".")
	case ex.Failure == "" && (ex.Status == http.StatusNotFound || ex.Status == http.StatusMethodNotAllowed):
		list = append(list, takes+"The sandbox did not look whose the request had.")
	default:
		list = append(list, takes+"The request was sent with credentials that the sandbox does not know.")
	}
	if ex.BodyOmitted {
		list = append(list, "The sandbox did not read the body, so the command does not have it.")
	}
	if ex.Method != raw.Method || ex.URL != raw.URL || !bytes.Equal(ex.Body, raw.Body) ||
		!maps.EqualFunc(sent, shown, slices.Equal) {
		list = append(list, "Other credentials are hidden: put them back where it says "+hidden+".")
	}
	return list
}

// headerWords are the arguments of --header. Those that curl would add are switched off where the request had none.
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
	variable, secret := variables[http.CanonicalHeaderKey(name)]
	before, after, found := strings.Cut(value, hidden)
	switch {
	case secret && found:
		return words(name+": "+before) + variable + words(after)
	case value == "":
		return word(name + ";") // curl's way to send an empty one
	default:
		return word(name + ": " + value)
	}
}

// words is a word that may be left out.
func words(s string) string {
	if s == "" {
		return ""
	}
	return word(s)
}

// word writes a text as one word of a shell: in single quotes, where nothing means anything. What a terminal could act
// on when it is pasted is written by printf.
func word(s string) string {
	if quotable(s) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	// The shell cuts line ends off what a command prints.
	text := strings.TrimRight(s, "\n")
	return `"$(printf ` + escaped(text) + `)"` + words(s[len(text):])
}

// quotable reports whether a text is as it looks: printable, but for line ends.
func quotable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && !strconv.IsPrint(r) })
}

// escaped is a format for printf that prints the text. It leaves nothing in it that the shell, printf or the history of
// an interactive shell would act on, and starts with nothing that looks like an option.
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

// first is a command that creates a fault, for a reader who has sent nothing yet; the zero value if no account takes
// one.
type first struct {
	Command      string
	Account, Key string // whose credentials it needs
}

func (p *Page) first(accounts []sandbox.Account, origin string) first {
	for _, a := range accounts {
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
			Method: http.MethodPost, URL: "/api/v1/faults",
			Header: http.Header{
				"Authorization": {"Token " + hidden}, "Account-Token": {hidden}, "Content-Type": {"application/json"},
			},
			Body: fmt.Appendf(nil, `{"vehicle_id":%d,"code":%s}`, a.Vehicles[0].ID, code),
		}
		text, _ := command(origin, ex, ex)
		return first{Command: text, Account: clip(a.Name, maxCell), Key: clip(a.APIKeys[key].Name, maxCell)}
	}
	return first{}
}
