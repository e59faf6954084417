package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// announce prints the URL and the credentials of the sandbox, as lines that a shell can evaluate.
func announce(w io.Writer, url string, hasPage bool, accounts []sandbox.Account) error {
	var b strings.Builder
	if hasPage {
		fmt.Fprintf(&b, "# The page that shows what arrives: %s/\n", url)
	}
	account, key := first(accounts)
	fmt.Fprintf(&b, "export %s=%s\n", envBaseURL, quoteForShell(url))
	fmt.Fprintf(&b, "export %s=%s\n", envAPIKey, quoteForShell(accounts[account].APIKeys[key].Key))
	fmt.Fprintf(&b, "export %s=%s\n", envToken, quoteForShell(accounts[account].Token))
	fmt.Fprintf(&b, "# These are of account %d %q, key %q%s.\n", accounts[account].ID, accounts[account].Name,
		accounts[account].APIKeys[key].Name, restriction(accounts[account].APIKeys[key]))
	for i, a := range accounts {
		fmt.Fprintf(&b, "# account %d %q has %s; %s\n", a.ID, a.Name,
			some("vehicle", a.Vehicles, func(v sandbox.Vehicle) string { return strconv.FormatInt(v.ID, 10) }),
			some("code", a.FaultRules, func(r sandbox.FaultRule) string { return strconv.Quote(r.Code) }))
		for j, k := range a.APIKeys {
			if i == account && j == key {
				continue
			}
			// Quoted by Go, a name cannot end the line of the comment.
			fmt.Fprintf(&b, "# account %d %q, key %q%s: %s=%s %s=%s\n", a.ID, a.Name, k.Name, restriction(k),
				envAPIKey, quoteForShell(k.Key), envToken, quoteForShell(a.Token))
		}
	}
	_, err := io.WriteString(w, b.String()) // in one write: a script waits for the first of these lines and reads the others
	return err
}

func restriction(k sandbox.APIKey) string {
	if slices.Contains(k.Permissions, sandbox.CreateFaults) {
		return ""
	}
	return ", which may not create faults"
}

// some returns the names of the first few elements.
func some[T any](what string, list []T, name func(T) string) string {
	const maxNames = 8
	if len(list) == 0 {
		return "no " + what
	}
	var names []string
	for _, each := range list[:min(maxNames, len(list))] {
		names = append(names, name(each))
	}
	if len(list) > maxNames {
		names = append(names, fmt.Sprintf("and %d more", len(list)-maxNames))
	}
	if len(list) > 1 {
		what += "s"
	}
	return what + " " + strings.Join(names, ", ")
}

// first returns the first key that may create faults, or the first of all if none may.
func first(accounts []sandbox.Account) (account, key int) {
	for i, a := range accounts {
		for j, k := range a.APIKeys {
			if slices.Contains(k.Permissions, sandbox.CreateFaults) {
				return i, j
			}
		}
	}
	return 0, 0
}

// quoteForShell makes one word of a POSIX shell of any text.
func quoteForShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// failures are examples of all that --failure takes, with what they do.
var failures = []struct{ what, does string }{
	{"500", "fails with a status from 400 to 599 instead of creating the fault"},
	{"429=30s", "fails with a 429 that asks to wait, in whole seconds"},
	{"503=5s", "fails with a 503 that asks to wait, in whole seconds"},
	{"delay=250ms", "creates the fault at once, and responds late"},
	{"truncate", "creates the fault, and breaks off in the middle of the response"},
	{"malform", "creates the fault, and responds with half of the JSON"},
	{"drop-before", "breaks off without a response; the fault is not created"},
	{"drop-after", "breaks off without a response; the fault is created"},
	{"accept", "creates a fault whatever the request lacks: credentials, a valid body"},
	{"set=/id=0", "sets the value at a JSON pointer of the response, or adds it"},
	{"remove=/id", "removes the value at a JSON pointer"},
	{"header=Location=/x", "sets a header; a second one of the same name adds a field"},
	{"header=Location", "removes a header"},
	{"type=text/html", "sets Content-Type"},
	{"status=200", "sets the status, from 200 to 999"},
	{`body={"id":1,"id":2}`, "sets the whole body, verbatim"},
}

// listFailures prints what --failure takes.
func listFailures(w io.Writer) error {
	out := bufio.NewWriter(w)
	_, _ = fmt.Fprint(out, "Every request meets it; with @10% behind it a tenth of them, with @next the next one, with @next3 the next three.\n"+
		"Several with \" && \" between meet the same request; body= takes all that follows.\n")
	for _, f := range failures {
		_, _ = fmt.Fprintf(out, "%-22s %s\n", f.what, f.does)
	}
	return out.Flush()
}
