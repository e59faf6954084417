package page

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
	"hidden":       "[hidden]",
}

// run runs a command with a curl that writes down what it got.
func run(t *testing.T, shell, text string) (args []string, stdin string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "curl"), []byte("#!/bin/sh\nprintf '%s\\0' \"$@\" >args\ncat >stdin\n"), 0o700))
	command := exec.CommandContext(t.Context(), shell, "-c", text)
	command.Dir = dir
	command.Env = []string{"PATH=" + dir + string(os.PathListSeparator) + os.Getenv("PATH"), "FLEETIO_API_KEY=" + someKey, "FLEETIO_ACCOUNT_TOKEN=" + someToken, "LC_ALL=C"}
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
				ex.Header = http.Header{"Authorization": {"Token [hidden]"}, "Account-Token": {"[hidden]"}, "X-Text": {text, "b"}, "X-Empty": {""}, "Content-Length": {"1"}}
				command, _ := command("http://127.0.0.1:8080", &ex)
				assert.NotRegexp(t, "[^\n -~\u00a1-\u024fЖШ😀]", command, "a terminal shows all of it")
				args, stdin := run(t, shell, command)
				want := []string{
					"--include", "--globoff", "--path-as-is", "--request", "PO" + text,
					"--header", "Account-Token: " + someToken, "--header", "Authorization: Token " + someKey,
					"--header", "X-Empty;", "--header", "X-Text: " + text, "--header", "X-Text: b",
					"--header", "Accept:", "--header", "User-Agent:",
				}
				if text == "" {
					want[12] = "X-Text;"
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
	text, _ := command("http://127.0.0.1:8080", &ex)
	for _, shell := range shells(t) {
		_, stdin := run(t, shell, text)
		assert.Equal(t, string(ex.Body), stdin, shell)
	}
}

// TestCommandNone has requests that no command can repeat, or not all of.
func TestCommandNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit       func(*sandbox.Exchange)
		none       bool
		note, text string
	}{
		"a path":       {edit: func(*sandbox.Exchange) {}},
		"another host": {edit: func(ex *sandbox.Exchange) { ex.URL = "http://elsewhere/" }, none: true, note: "not for a path of this server"},
		"a server":     {edit: func(ex *sandbox.Exchange) { ex.URL = "*" }, none: true, note: "not for a path of this server"},
		"two slashes":  {edit: func(ex *sandbox.Exchange) { ex.URL = "//elsewhere/" }, text: "'http://127.0.0.1:8080//elsewhere/'"},
		"long body":    {edit: func(ex *sandbox.Exchange) { ex.Body = make([]byte, 1<<20) }, none: true, note: "too long"},
		"many octals":  {edit: func(ex *sandbox.Exchange) { ex.Body = make([]byte, 40<<10) }, none: true, note: "too long"},
		"long header":  {edit: func(ex *sandbox.Exchange) { ex.Header.Set("X", strings.Repeat("a", 1<<20)) }, none: true, note: "too long"},
		"unread":       {edit: func(ex *sandbox.Exchange) { ex.Body = nil; ex.Header.Set("Content-Length", "7") }, note: "did not read the whole body"},
		"head":         {edit: func(ex *sandbox.Exchange) { ex.Method = "HEAD"; ex.Body = nil }, text: " --head \\\n"},
		"other scheme": {edit: func(ex *sandbox.Exchange) { ex.Header.Set("Authorization", "Bearer x") }, text: "'Authorization: Bearer x'"},
	} {
		ex := plainExchange(1)
		c.edit(&ex)
		text, note := command("http://127.0.0.1:8080", &ex)
		assert.Equal(t, c.none, text == "", name)
		assert.Contains(t, text, c.text, name)
		assert.Contains(t, note, c.note, name)
		assert.Equal(t, c.note == "", note == "", name)
	}
}

// TestCommandCurl lets the real curl repeat requests, and compares what arrives.
func TestCommandCurl(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl")
	}
	arrivals := make(chan *sandbox.Exchange, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		arrivals <- &sandbox.Exchange{Method: r.Method, URL: r.RequestURI, Header: r.Header, Body: body}
	}))
	t.Cleanup(server.Close)
	for name, sent := range map[string]sandbox.Exchange{
		"usual":      {Method: "POST", Body: []byte(`{"code":"P0420"}`), Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "User-Agent": {"test/1"}}},
		"no headers": {Method: "POST", Body: []byte(`@/etc/passwd`), Header: http.Header{}},
		"repeated":   {Method: "PATCH", Body: []byte("a\nb\n"), Header: http.Header{"X-A": {"1", "", "2"}}},
		"binary":     {Method: "POST", Body: []byte("\x00\xff\r\n%s\\"), Header: http.Header{"X-B": {"\xe9\t!"}}},
		"no body":    {Method: "DELETE", Body: []byte{}, Header: http.Header{}},
		"head":       {Method: "HEAD", Body: []byte{}, Header: http.Header{}},
	} {
		sent.URL = "/api/../v1//faults?a={1,2}&b=[1-3]&c='$x"
		text, note := command(server.URL, &sent)
		require.Empty(t, note)
		shell := exec.CommandContext(t.Context(), "sh", "-c", text)
		shell.Env = append(os.Environ(), "NO_PROXY=*", "HOME="+t.TempDir())
		var stderr bytes.Buffer
		shell.Stderr = &stderr
		require.NoError(t, shell.Run(), "%s: %s", name, &stderr)
		arrived := <-arrivals
		arrived.Header.Del("Content-Length")
		assert.Equal(t, &sent, arrived, name)
	}
}
