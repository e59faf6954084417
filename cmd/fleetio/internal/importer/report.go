package importer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Report counts the rows of a file by their outcome, each row once.
type Report struct {
	File       string `json:"file"`
	Rows       int    `json:"rows"`
	Created    int    `json:"created"`
	Skipped    int    `json:"skipped"` // created by an earlier run
	ToSend     int    `json:"to_send"` // not tried, or what a dry run would send
	Rejected   []Note `json:"rejected"`
	NotCreated []Note `json:"not_created"`
	Ambiguous  []Note `json:"ambiguous"`
	NotFound   []Note `json:"not_found"` // were ambiguous, and were looked up in vain
	Warnings   []Note `json:"warnings"`  // about rows that were created
	DryRun     bool   `json:"dry_run"`
	Stopped    string `json:"stopped,omitempty"` // why before the end
}

// Note is a message about a row.
type Note struct {
	Line    int    `json:"line"`
	Row     int    `json:"row"`
	Message string `json:"message"`
}

// Complete reports that every row is created or, in a dry run, would be sent.
func (r *Report) Complete() bool {
	return len(r.Rejected)+len(r.NotCreated)+len(r.Ambiguous)+len(r.NotFound) == 0
}

// Write prints the report as text or json.
func (r *Report) Write(w io.Writer, format string) error {
	lists := []struct {
		title string
		notes *[]Note
	}{
		{"rejected", &r.Rejected},
		{"ambiguous: the outcome is unknown; check in Fleetio before you use --retry-ambiguous", &r.Ambiguous},
		{"not found: the outcome was unknown, and the fault is not in Fleetio; --retry-not-found sends it again", &r.NotFound},
		{"not created: run the import again", &r.NotCreated},
		{"created, with a warning", &r.Warnings},
	}
	for _, list := range lists {
		if *list.notes == nil {
			*list.notes = []Note{} // which is [] in JSON
		}
		slices.SortFunc(*list.notes, func(a, b Note) int { return cmp.Compare(a.Row, b.Row) })
	}
	if format == "json" {
		text, err := json.MarshalIndent(r, "", "  ")
		if err == nil {
			_, err = fmt.Fprintf(w, "%s\n", text)
		}
		return err
	}
	left := "not tried"
	if r.DryRun {
		left = "to send"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d rows: %d created, %d created before, %d rejected, %d ambiguous, %d not found, %d not created, %d %s\n",
		r.File, r.Rows, r.Created, r.Skipped, len(r.Rejected), len(r.Ambiguous), len(r.NotFound), len(r.NotCreated), r.ToSend, left)
	for _, list := range lists {
		if len(*list.notes) > 0 {
			fmt.Fprintln(&b, list.title)
		}
		for _, n := range *list.notes {
			fmt.Fprintf(&b, "  %s:%d: %s\n", r.File, n.Line, n.Message)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
