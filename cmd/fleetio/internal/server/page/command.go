package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
	"github.com/fleetcontract/fleetio-go/internal/curl"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

const tooLong = "No command: the request is too long."

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
	}
	cmd, ok := curl.Command(curl.Request{Method: ex.Method, URL: origin + ex.URL, Header: ex.Header, Body: ex.Body, Variables: curl.Fleetio})
	if !ok {
		return "", tooLong
	}
	return cmd, strings.Join(notes(ex, raw), " ")
}

// notes describe the credentials of the request, which the command replaces by variables, and the differences between
// the command and the request.
func notes(ex, raw *sandbox.Exchange) (list []string) {
	sent, redacted := maps.Clone(raw.Header), maps.Clone(ex.Header)
	variable := false
	for name := range curl.Fleetio {
		variable = variable || strings.Contains(strings.Join(ex.Header.Values(name), ""), curl.Placeholder)
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
		list = append(list, "Other credentials are redacted: replace each "+curl.Placeholder+" in the command.")
	}
	return list
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
				"Authorization": {"Token " + curl.Placeholder}, "Account-Token": {curl.Placeholder}, "Content-Type": {"application/json"},
			},
			Body: fmt.Appendf(nil, `{"vehicle_id":%d,"code":%s}`, a.Vehicles[0].ID, code),
		}
		cmd, _ := command(origin, ex, ex)
		return first{Command: cmd, Account: clip(a.Name, maxCell), Key: clip(a.APIKeys[key].Name, maxCell)}
	}
	return first{}
}
