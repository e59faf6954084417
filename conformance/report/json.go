package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// maxBytes is the maximum size of a report in bytes. The lists of a report are bounded, so that a written one is smaller.
const maxBytes = 256 << 20

func writeJSON(b *bytes.Buffer, r *conformance.Report, _ Options) error { return encode(b, r) }

// encode writes one indented JSON object.
func encode(b *bytes.Buffer, value any) error {
	e := json.NewEncoder(b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(value)
}

// Read reads a report that [Write] wrote as JSON. A report that is incomplete, has an unknown property, another version
// than [conformance.ReportVersion] or more than 256 MiB is an error.
func Read(r io.Reader) (*conformance.Report, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxBytes:
		return nil, fmt.Errorf("the report is larger than %d MiB", maxBytes>>20)
	}
	var head struct {
		Version int `json:"version"`
	}
	var invalid *strictjson.Error
	if err := validJSON(data); errors.As(err, &invalid) {
		return nil, fmt.Errorf("not a JSON report: byte %d: %w", invalid.Offset, err)
	}
	switch err := json.Unmarshal(data, &head); {
	case err != nil || head.Version == 0:
		return nil, errors.New("not a report: it has no version")
	case head.Version != conformance.ReportVersion:
		return nil, fmt.Errorf("report version %d is not supported; expected version %d", head.Version, conformance.ReportVersion)
	}
	var read conformance.Report
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if d.Decode(&read) != nil { // the text of its error depends on the release of Go
		return nil, fmt.Errorf("not a report of version %d: it has an unknown property, or one of another type", head.Version)
	}
	if err := validate(&read); err != nil {
		return nil, fmt.Errorf("incomplete report: %w", err)
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

// validate returns an error for a report that was edited or truncated, which [conformance.Merge] could not add up.
func validate(r *conformance.Report) error {
	for _, list := range []struct {
		name    string
		present bool
	}{{"findings", r.Findings != nil}, {"drift", r.Drift != nil}, {"notes", r.Notes != nil}, {"known", r.Known != nil},
		{"deviations", r.Deviations != nil}, {"claims", r.Claims != nil}, {"unchecked", r.Unchecked != nil}} {
		if !list.present {
			return fmt.Errorf("the list %s is missing", list.name)
		}
	}
	if r.Spec.SHA256 == "" {
		return errors.New("the hash of the spec is missing")
	}
	for _, e := range r.Claims {
		if (e.First == nil) != (e.Last == nil) || (e.First == nil) != (e.State == conformance.Unobserved) {
			return fmt.Errorf("the evidence for the claim %q is incomplete", e.ID)
		}
	}
	return nil
}
