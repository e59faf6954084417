package report

import (
	"bytes"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	homepage    = "https://github.com/fleetcontract/fleetio-go"
)

// The types have the part of SARIF 2.1.0 that the report needs, with the names in section 3 of the standard.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver sarifDriver `json:"driver"`
	} `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	ColumnKind  string            `json:"columnKind"`
	Results     []sarifResult     `json:"results"`
	Properties  map[string]any    `json:"properties"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version,omitempty"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
	Help             sarifText `json:"help"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifInvocation struct {
	ExecutionSuccessful bool                `json:"executionSuccessful"`
	Notifications       []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

type sarifResult struct {
	RuleID              string             `json:"ruleId"`
	RuleIndex           int                `json:"ruleIndex"`
	Level               string             `json:"level"`
	Message             sarifText          `json:"message"`
	Locations           []sarifLocation    `json:"locations"`
	PartialFingerprints map[string]string  `json:"partialFingerprints"`
	OccurrenceCount     int                `json:"occurrenceCount"`
	Suppressions        []sarifSuppression `json:"suppressions,omitempty"`
	Properties          map[string]any     `json:"properties"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Status        string `json:"status"`
	Justification string `json:"justification"`
}

type sarifLocation struct {
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	} `json:"physicalLocation"`
	Logical []sarifLogical `json:"logicalLocations"`
}

type sarifRegion struct {
	StartLine int `json:"startLine"`
}

type sarifLogical struct {
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind"`
}

// writeSARIF writes a result for each deviation, at the line of its claim in the spec.
func writeSARIF(b *bytes.Buffer, r *conformance.Report, o Options) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}, Invocations: []sarifInvocation{{
		ExecutionSuccessful: !noneChecked(r), Notifications: notifications(r, o)}}}
	run.Tool.Driver = sarifDriver{Name: "fleetio", Version: o.Version, InformationURI: homepage, Rules: []sarifRule{}}
	used := map[string]bool{}
	for _, e := range r.Claims {
		used[e.Rule] = true
	}
	for _, d := range r.Deviations {
		used[d.Rule] = true
	}
	index := map[string]int{}
	for i, rule := range slices.Sorted(maps.Keys(used)) {
		index[rule] = i
		help := sarifText{ruleHelpFor(rule)}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{ID: rule, ShortDescription: help, Help: help})
	}
	because := reasons(r)
	for _, g := range groups(r) {
		for _, d := range g.deviations {
			run.Results = append(run.Results, sarifResultOf(d, index[d.Rule], because[d.Claim], o))
		}
	}
	run.Properties = map[string]any{"spec": r.Spec, "exchanges": r.Exchanges, "summary": r.Summary}
	return encode(b, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

func sarifResultOf(d *conformance.Deviation, rule int, because string, o Options) sarifResult {
	message := about(d) + ": " + d.Message + " (" + string(d.Source) + ", " + occurrences(d) + ")"
	if because != "" {
		message += "; assumed because: " + because
	}
	result := sarifResult{
		RuleID: d.Rule, RuleIndex: rule, Level: sarifLevel(d, o), Message: sarifMessage(message), OccurrenceCount: max(1, d.Findings),
		PartialFingerprints: map[string]string{"deviation/v1": d.Fingerprint},
		Properties: map[string]any{"source": d.Source, "operation": d.Operation, "status": d.Status,
			"part": d.Part, "pointer": d.Pointer, "exchange": d.First.Exchange, "exchanges": d.Exchanges},
	}
	if d.Claim != "" {
		result.Properties["claim"] = d.Claim
	}
	at := sarifLocation{Logical: []sarifLogical{{"#" + d.Spec.Pointer, "member"}}}
	at.Physical.Artifact.URI = uri(d.Spec.In(o.Spec))
	if d.Spec.Line > 0 {
		at.Physical.Region = &sarifRegion{d.Spec.Line}
	}
	result.Locations = []sarifLocation{at}
	if d.Known != "" {
		result.Suppressions = []sarifSuppression{{"external", "accepted", d.Known}}
	}
	return result
}

func sarifLevel(d *conformance.Deviation, o Options) string {
	switch {
	case d.Source == conformance.Documented, d.Source == conformance.Drift && o.Strict && d.Known == "":
		return "error"
	case d.Source == conformance.Assumed:
		return "warning"
	}
	return "note"
}

// notifications returns the defects of the run that have no place in the spec.
func notifications(r *conformance.Report, o Options) []sarifNotification {
	var list []sarifNotification
	if noneChecked(r) {
		list = append(list, sarifNotification{"error", sarifMessage("no exchange was checked")})
	}
	for _, problem := range o.Problems {
		list = append(list, sarifNotification{"error", sarifMessage(problem)})
	}
	if warning := vacuous(r); warning != "" {
		list = append(list, sarifNotification{"warning", sarifMessage(warning)})
	}
	for _, line := range append(skipped(r), uncheckedLines(r, o)...) {
		list = append(list, sarifNotification{"note", sarifMessage(line)})
	}
	return list
}

// sarifMessage escapes the characters of links in a message (SARIF 2.1.0, section 3.11.6).
func sarifMessage(s string) sarifText {
	return sarifText{strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`).Replace(printable.Text(s))}
}

// uri returns a URI reference for a file name, relative for a relative name. A URL stays one.
func uri(name string) string {
	if u, err := url.Parse(name); err == nil && isURL(name) {
		return u.String()
	}
	slashed := filepath.ToSlash(name)
	if !filepath.IsAbs(name) {
		return (&url.URL{Path: slashed}).String()
	}
	if !strings.HasPrefix(slashed, "/") { // a drive letter
		slashed = "/" + slashed
	}
	return (&url.URL{Scheme: "file", Path: slashed}).String()
}
