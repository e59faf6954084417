package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// mostBytes bounds a report that is read. The lists of a report are bounded, so that none that was written comes near.
const mostBytes = 256 << 20

// writeJSON prints the report as one indented JSON object.
func writeJSON(b *bytes.Buffer, r *conformance.Report, _ Options) error {
	e := json.NewEncoder(b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// Read reads a report that [Write] wrote as JSON. What is no such report, has another version than
// [conformance.ReportVersion], a member that the version does not have, or more than 256 MiB, is an error.
func Read(r io.Reader) (*conformance.Report, error) {
	data, err := io.ReadAll(io.LimitReader(r, mostBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > mostBytes:
		return nil, fmt.Errorf("a report of more than %d MiB", mostBytes>>20)
	}
	var head struct {
		Version int `json:"version"`
	}
	var invalid *strictjson.Error
	if err := validJSON(data); errors.As(err, &invalid) {
		return nil, fmt.Errorf("no report in JSON: byte %d: %w", invalid.Offset, err)
	}
	if json.Unmarshal(data, &head) != nil {
		return nil, errors.New("no report: it has no version")
	}
	switch head.Version {
	case conformance.ReportVersion:
	case 0:
		return nil, errors.New("no report: it has no version")
	default:
		return nil, fmt.Errorf("a report of version %d, and only %d can be read", head.Version, conformance.ReportVersion)
	}
	var read conformance.Report
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if d.Decode(&read) != nil { // whose words depend on the release of Go
		return nil, fmt.Errorf("no report of version %d: a property is unknown to it, or of another type", head.Version)
	}
	if err := whole(&read); err != nil {
		return nil, fmt.Errorf("no whole report: %w", err)
	}
	return &read, nil
}

func validJSON(data []byte) error {
	d := strictjson.NewDecoder(data)
	if err := d.Skip(); err != nil {
		return err
	}
	return d.End()
}

// whole finds what an edited or truncated report lacks, and what whoever adds reports up relies on.
func whole(r *conformance.Report) error {
	for _, list := range []struct {
		name  string
		there bool
	}{{"findings", r.Findings != nil}, {"drift", r.Drift != nil}, {"notes", r.Notes != nil}, {"known", r.Known != nil},
		{"deviations", r.Deviations != nil}, {"claims", r.Claims != nil}, {"unchecked", r.Unchecked != nil}} {
		if !list.there {
			return fmt.Errorf("the list %s is not there", list.name)
		}
	}
	if r.Spec.SHA256 == "" {
		return errors.New("it does not say which spec it is about")
	}
	for _, e := range r.Claims {
		if (e.First == nil) != (e.Last == nil) || (e.First == nil) != (e.State == conformance.Unobserved) {
			return fmt.Errorf("the evidence of the claim %q is not whole", e.ID)
		}
	}
	return nil
}
