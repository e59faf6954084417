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

// troubles are examples of all that --trouble takes but for deviations, with what they do.
var troubles = []struct{ what, does string }{
	{"500", "fails with a status from 400 to 599 instead of creating the fault"},
	{"429=30s", "fails with a 429 that asks to wait, in whole seconds"},
	{"503=5s", "fails with a 503 that asks to wait, in whole seconds"},
	{"delay=250ms", "creates the fault at once, and answers late"},
	{"truncate", "creates the fault, and breaks off in the middle of the answer"},
	{"malform", "creates the fault, and answers with half of the JSON"},
	{"media-type=text/html", "creates the fault, and answers with another Content-Type"},
	{"drop-before", "breaks off without an answer; the fault is not created"},
	{"drop-after", "breaks off without an answer; the fault is created"},
	{"deviate=NAME", "deviates from the contract in one of the following ways"},
}

// listTrouble prints what --trouble takes.
func listTrouble(w io.Writer) error {
	out := bufio.NewWriter(w)
	_, _ = fmt.Fprintln(out, "Each call meets it; with @10% behind it a tenth of the calls does, with @next the next one.")
	for _, t := range troubles {
		_, _ = fmt.Fprintf(out, "%-22s %s\n", t.what, t.does)
	}
	for _, name := range sandbox.Deviations() {
		_, _ = fmt.Fprintf(out, "deviate=%s\n", name)
	}
	return out.Flush()
}
