package page

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/internal/curl"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

const (
	someKey   = "k \"e'y$(touch pwned)`touch pwned`"
	someToken = "t*k?n"
)

// texts are what a shell, printf, curl or a terminal could take for something else.
var texts = map[string]string{
	"plain":        "Catalyst efficiency",
	"single quote": "it's ''quoted''",
	"double quote": `say "hi"`,
	"injection":    `'; touch pwned; echo '`,
	"substitution": "$(touch pwned) `touch pwned` ${HOME} $FLEETIO_API_KEY",
	"backslash":    `\n \\ \' \0 \041 \x41 end\`,
	"percent":      "100%s %d %n %% %",
	"history":      "!! !$ a!b",
	"lines":        "a\nb\r\n\n",
	"only lines":   "\n\n",
	"tab":          "a\tb",
	"glob":         "*.go [a-z] {a,b} ? ~ ~root",
	"option":       "--output pwned",
	"file":         "@pwned <pwned",
	"comment":      "a # b ; c & d | e > pwned",
	"paste end":    "\x1b[201~touch pwned\n",
	"controls":     "\x01\x07\x1b[2J\x7f",
	"control line": "\x01\n",
	"bidi":         "\u202etxt\u2028x",
	"control then": "\x1b'\\%!-\n123",
	"digits after": "\x0177 \x1b9",
	"unicode":      "ЖШ é 😀",
	"invalid":      "\xff\xfe\xe2\x82",
	"empty":        "",
	"hidden":       "[redacted]",
}

// A curl is a function of the shell: a script that is written and run at once is busy while a child that another test
// starts at that moment still has it open for writing, and the shell would go on to the real curl.
const (
	noteCurl = "curl() { printf '%s\\0' \"$@\" >args; cat >stdin; }\n"
	markCurl = "curl() { touch called; }\n"
)

// run runs a command with a curl that writes down what it got.
func run(t *testing.T, shell, text string) (args []string, stdin string) {
	t.Helper()
	dir := t.TempDir()
	command := exec.CommandContext(t.Context(), shell, "-c", noteCurl+text)
	command.Dir = dir
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "FLEETIO_API_KEY=" + someKey, "FLEETIO_ACCOUNT_TOKEN=" + someToken, "LC_ALL=C"}
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s\n%s", text, out)
	require.Empty(t, string(out))
	assert.NoFileExists(t, filepath.Join(dir, "pwned"))
	written, err := os.ReadFile(filepath.Join(dir, "args"))
	require.NoError(t, err)
	got, err := os.ReadFile(filepath.Join(dir, "stdin"))
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(written), "\x00"), "\x00"), string(got)
}

// shells are those that are here. Each Unix has the first.
func shells(t *testing.T) (paths []string) {
	t.Helper()
	for _, name := range []string{"sh", "dash", "bash", "zsh", "ksh"} {
		if path, err := exec.LookPath(name); err == nil {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		t.Skip("no POSIX shell")
	}
	return paths
}

func TestCommand(t *testing.T) {
	t.Parallel()
	for _, shell := range shells(t) {
		for name, text := range texts {
			t.Run(filepath.Base(shell)+"/"+name, func(t *testing.T) {
				t.Parallel()
				ex := plainExchange(1)
				ex.Method, ex.URL, ex.Body = "PO"+text, "/a?"+text, []byte(text)
				ex.Header = http.Header{"Authorization": {"Token [redacted]"}, "Account-Token": {"[redacted]"}, "X-Text": {text, "b"}, "X-Empty": {""}, "Content-Length": {"1"}}
				command, _ := command("http://127.0.0.1:8080", &ex, &ex)
				assert.NotRegexp(t, "[^\n -~\u00a1-\u024fЖШ😀]", command, "a terminal shows all of it")
				args, stdin := run(t, shell, command)
				want := []string{
					"--include", "--globoff", "--path-as-is", "--noproxy", "*", "--request", "PO" + text,
					"--header", "Account-Token: " + someToken, "--header", "Authorization: Token " + someKey,
					"--header", "X-Empty;", "--header", "X-Text: " + text, "--header", "X-Text: b",
					"--header", "Accept:", "--header", "User-Agent:",
				}
				if text == "" {
					want[14] = "X-Text;"
				} else {
					want = append(want, "--header", "Content-Type:")
				}
				switch {
				case stdin != "":
					assert.Equal(t, text, stdin)
					want = append(want, "--data-binary", "@-")
				case text != "":
					want = append(want, "--data-raw", text)
				}
				assert.Equal(t, append(want, "--url", "http://127.0.0.1:8080/a?"+text), args)
			})
		}
	}
}

// TestCommandBytes sends every byte that there is. No argument can hold them all.
func TestCommandBytes(t *testing.T) {
	t.Parallel()
	ex := plainExchange(1)
	for i := range 256 {
		ex.Body = append(ex.Body, byte(i))
	}
	text, _ := command("http://127.0.0.1:8080", &ex, &ex)
	for _, shell := range shells(t) {
		_, stdin := run(t, shell, text)
		assert.Equal(t, string(ex.Body), stdin, shell)
	}
}

// TestCommandUnset has a shell without a variable, which must not send the request with nothing in its place.
func TestCommandUnset(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ missing, set, body string }{
		{"FLEETIO_API_KEY", "FLEETIO_ACCOUNT_TOKEN=x", "{}"},
		{"FLEETIO_ACCOUNT_TOKEN", "FLEETIO_API_KEY=x", "{}"},
		{"FLEETIO_API_KEY", "FLEETIO_ACCOUNT_TOKEN=x", "\x00"}, // with a pipe
	} {
		t.Run(c.missing+" "+c.body, func(t *testing.T) {
			t.Parallel()
			ex := plainExchange(1)
			ex.Body = []byte(c.body)
			text, _ := command("http://127.0.0.1:8080", &ex, &ex)
			for _, shell := range shells(t) {
				dir := t.TempDir()
				run := exec.CommandContext(t.Context(), shell, "-c", markCurl+text)
				run.Dir, run.Env = dir, []string{"PATH=" + os.Getenv("PATH"), c.set, c.missing + "=", "LC_ALL=C"}
				out, err := run.CombinedOutput()
				require.Error(t, err, shell)
				assert.Contains(t, string(out), c.missing, shell)
				assert.NoFileExists(t, filepath.Join(dir, "called"), shell)
			}
		})
	}
}

// TestCommandNone has requests that no command can repeat, or not all of.
func TestCommandNone(t *testing.T) {
	t.Parallel()
	const (
		key     = "It takes credentials from the environment. The request was sent with the key integration of Northwind Delivery."
		unknown = "It takes credentials from the environment. The request was sent with credentials that the sandbox does not know."
		hide    = "Other credentials are redacted: replace each [redacted] in the command."
		unread  = "The sandbox did not read the body, so the command does not have it."
	)
	stranger := func(status int, trouble string) func(*sandbox.Exchange) {
		return func(ex *sandbox.Exchange) {
			ex.Account, ex.APIKey, ex.Status, ex.Failure = "", "", status, trouble
		}
	}
	for name, c := range map[string]struct {
		edit       func(*sandbox.Exchange)
		raw        func(*sandbox.Exchange) // how it was before credentials were hidden
		none       bool
		note, text string
	}{
		"a path":            {note: key},
		"another host":      {edit: func(ex *sandbox.Exchange) { ex.URL = "http://elsewhere/" }, none: true, note: "No command: the request is not for a path of this server."},
		"a server":          {edit: func(ex *sandbox.Exchange) { ex.URL = "*" }, none: true, note: "No command: the request is not for a path of this server."},
		"two slashes":       {edit: func(ex *sandbox.Exchange) { ex.URL = "//elsewhere/" }, note: key, text: "'http://127.0.0.1:8080//elsewhere/'"},
		"long body":         {edit: func(ex *sandbox.Exchange) { ex.Body = make([]byte, 1<<20) }, none: true, note: tooLong},
		"many octals":       {edit: func(ex *sandbox.Exchange) { ex.Body = make([]byte, 40<<10) }, none: true, note: tooLong},
		"long header":       {edit: func(ex *sandbox.Exchange) { ex.Header.Set("X", strings.Repeat("a", 1<<20)) }, none: true, note: tooLong},
		"unread":            {edit: func(ex *sandbox.Exchange) { ex.Body, ex.BodyOmitted = nil, true }, note: key + " " + unread},
		"another length":    {edit: func(ex *sandbox.Exchange) { ex.Header.Set("Content-Length", "7") }, note: key},
		"head":              {edit: func(ex *sandbox.Exchange) { ex.Method, ex.Body = "HEAD", nil }, note: key, text: " --head \\\n"},
		"head with a body":  {edit: func(ex *sandbox.Exchange) { ex.Method = "HEAD" }, none: true, note: "No command: curl sends no body with a HEAD."},
		"other scheme":      {edit: func(ex *sandbox.Exchange) { ex.Header.Set("Authorization", "Bearer [redacted]") }, note: key, text: `'Authorization: Bearer '"${FLEETIO_API_KEY:?}"`},
		"no scheme":         {edit: func(ex *sandbox.Exchange) { ex.Header.Set("Authorization", "[redacted]") }, note: key, text: `'Authorization: '"${FLEETIO_API_KEY:?}"`},
		"an empty key":      {edit: func(ex *sandbox.Exchange) { ex.Header.Set("Authorization", "") }, note: key, text: "'Authorization;'"},
		"no credentials":    {edit: func(ex *sandbox.Exchange) { ex.Header = http.Header{} }},
		"unknown":           {edit: stranger(401, ""), note: unknown},
		"unknown, accepted": {edit: stranger(201, "accept"), note: unknown},
		"not looked at":     {edit: stranger(404, ""), note: "It takes credentials from the environment. The sandbox did not check those of the request."},
		"a scripted 401":    {edit: stranger(401, "401"), note: unknown},
		"hidden in a body":  {raw: func(ex *sandbox.Exchange) { ex.Body = []byte("secret") }, note: key + " " + hide},
		"hidden in a URL":   {raw: func(ex *sandbox.Exchange) { ex.URL = "/secret" }, note: key + " " + hide},
		"in a method":       {raw: func(ex *sandbox.Exchange) { ex.Method = "SECRET" }, note: key + " " + hide},
		"in a header":       {raw: func(ex *sandbox.Exchange) { ex.Header.Set("Cookie", "secret") }, note: key + " " + hide},
		"in the usual ones": {raw: func(ex *sandbox.Exchange) { ex.Header.Set("Authorization", "Token secret") }, note: key},
		"a sent [redacted]": {edit: func(ex *sandbox.Exchange) { ex.Body = []byte(curl.Placeholder) }, note: key},
		"hidden and unread": {edit: func(ex *sandbox.Exchange) { ex.BodyOmitted = true }, raw: func(ex *sandbox.Exchange) { ex.URL = "/secret" }, note: key + " " + unread + " " + hide},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ex := plainExchange(1)
			if c.edit != nil {
				c.edit(&ex)
			}
			raw := ex
			raw.Header = ex.Header.Clone()
			if c.raw != nil {
				c.raw(&raw)
			}
			text, note := command("http://127.0.0.1:8080", &ex, &raw)
			assert.Equal(t, c.none, text == "", name)
			assert.Contains(t, text, c.text, name)
			assert.Equal(t, c.note, note, name)
			assert.NotContains(t, text, "secret", name)
		})
	}
}
