package importer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Report is what became of the rows of a file. Each row is counted once.
type Report struct {
	File       string    `json:"file"`
	Rows       int       `json:"rows"`
	Created    int       `json:"created"`
	Skipped    int       `json:"skipped"` // created by an earlier run
	ToSend     int       `json:"to_send"` // left, or all that a dry run would send
	Rejected   []RowNote `json:"rejected"`
	NotCreated []RowNote `json:"not_created"`
	Ambiguous  []RowNote `json:"ambiguous"`
	Warnings   []RowNote `json:"warnings"` // of rows that were created
	DryRun     bool      `json:"dry_run"`
	Stopped    string    `json:"stopped,omitempty"` // why before the end
}

// RowNote is what there is to say of a row.
type RowNote struct {
	Line    int    `json:"line"`
	Row     int    `json:"row"`
	Message string `json:"message"`
}

func note(r *row, message string) RowNote { return RowNote{r.line, r.number, message} }

func (r *Report) lists() []*[]RowNote {
	return []*[]RowNote{&r.Rejected, &r.Ambiguous, &r.NotCreated, &r.Warnings}
}

// sort puts the rows in order, and lists that are empty in the place of those that are not there.
func (r *Report) sort() {
	for _, list := range r.lists() {
		if *list == nil {
			*list = []RowNote{}
		}
		slices.SortFunc(*list, func(a, b RowNote) int { return cmp.Compare(a.Row, b.Row) })
	}
}

// Clean reports that every row is created, or would be sent.
func (r *Report) Clean() bool { return len(r.Rejected)+len(r.NotCreated)+len(r.Ambiguous) == 0 }

// Write prints the report as text or json.
func (r *Report) Write(w io.Writer, format string) error {
	r.sort()
	if format == "json" {
		text, err := json.MarshalIndent(r, "", "  ")
		if err == nil {
			_, err = fmt.Fprintf(w, "%s\n", text)
		}
		return err
	}
	var b strings.Builder
	left := "not tried"
	if r.DryRun {
		left = "to send"
	}
	fmt.Fprintf(&b, "%s: %d rows: %d created, %d created before, %d rejected, %d ambiguous, %d not created, %d %s\n",
		r.File, r.Rows, r.Created, r.Skipped, len(r.Rejected), len(r.Ambiguous), len(r.NotCreated), r.ToSend, left)
	titles := []string{"rejected", "ambiguous: they may have been created, look before you send them again with --retry-ambiguous",
		"not created: run the import again", "created, but"}
	for i, list := range r.lists() {
		if len(*list) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s\n", titles[i])
		for _, n := range *list {
			fmt.Fprintf(&b, "  line %d: %s\n", n.Line, n.Message)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
