package report

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// JUnit XML has no standard. The types have the elements and attributes that Jenkins, GitLab and the GitHub actions for
// test reports have in common. Some of these require a time, which is 0, as a claim has none.
type junitSuites struct {
	junitHead

	XMLName xml.Name      `xml:"testsuites"`
	Suites  []*junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	junitHead

	Cases []junitCase `xml:"testcase"`
}

type junitHead struct {
	Name     string `xml:"name,attr"`
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Skipped  int    `xml:"skipped,attr"`
	Time     string `xml:"time,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Line    int           `xml:"line,attr,omitempty"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure"`
	Skipped *junitSkipped `xml:"skipped"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

// junit collects the suites: one for the run itself, then one for each operation and part of its exchanges.
type junit struct {
	o      Options
	suites []*junitSuite
}

// writeJUnit writes a test case for each claim, each deviation that refutes no claim, each problem, and one that fails if
// no exchange was checked.
func writeJUnit(b *bytes.Buffer, r *conformance.Report, o Options) error {
	j := &junit{o: o}
	j.run(r)
	refuting := map[string][]*conformance.Deviation{}
	claimed := map[string]bool{}
	for _, e := range r.Claims {
		claimed[e.ID] = true
	}
	var rest []*conformance.Deviation
	for _, g := range groups(r) {
		for _, d := range g.deviations {
			if claimed[d.Claim] {
				refuting[d.Claim] = append(refuting[d.Claim], d)
			} else {
				rest = append(rest, d)
			}
		}
	}
	for i := range r.Claims {
		j.claim(&r.Claims[i], refuting[r.Claims[i].ID])
	}
	for _, d := range rest {
		j.deviation(d)
	}
	// The suite of the run stays the first.
	slices.SortStableFunc(j.suites[1:], func(a, b *junitSuite) int { return cmp.Compare(a.Name, b.Name) })
	all := junitSuites{junitHead: junitHead{Name: "fleetio", Time: "0"}, Suites: j.suites}
	for _, s := range j.suites {
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Skipped += s.Skipped
	}
	b.WriteString(xml.Header)
	e := xml.NewEncoder(b)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	b.WriteByte('\n')
	return nil
}

// add adds a case to a suite and escapes characters that XML does not allow.
func (j *junit) add(suite string, c junitCase) {
	i := slices.IndexFunc(j.suites, func(s *junitSuite) bool { return s.Name == suite })
	if i < 0 {
		i = len(j.suites)
		j.suites = append(j.suites, &junitSuite{junitHead: junitHead{Name: suite, Time: "0"}})
	}
	s := j.suites[i]
	c.Time = "0"
	c.Class, c.Name = printable.Text(c.Class), printable.Text(c.Name)
	s.Tests++
	if c.Failure != nil {
		c.Failure.Message = printable.Text(c.Failure.Message)
		s.Failures++
	}
	if c.Skipped != nil {
		c.Skipped.Message = printable.Text(c.Skipped.Message)
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// run adds the cases of the run itself: one without evidence must not pass.
func (j *junit) run(r *conformance.Report) {
	checked := junitCase{Class: "run", Name: "exchanges were checked", Output: verdict(r, j.o) + "\n" + coverage(r) + "\n" +
		strings.Join(append(skipped(r), uncheckedLines(r, j.o)...), "\n")}
	if noneChecked(r) {
		checked.Failure = &junitFailure{Message: "no exchange was checked", Type: "no-verdict", Text: checked.Output}
		checked.Output = ""
	}
	j.add("run", checked)
	if warning := vacuous(r); warning != "" {
		j.add("run", junitCase{Class: "run", Name: "an exchange was accepted", Skipped: &junitSkipped{warning}})
	}
	for _, problem := range j.o.Problems {
		j.add("run", junitCase{Class: "run", Name: problem, Failure: &junitFailure{Message: problem, Type: "problem"}})
	}
}

// claim adds the case of a claim. deviations are those that refute it.
func (j *junit) claim(e *conformance.Evidence, deviations []*conformance.Deviation) {
	suite := strings.Join(operations(e.Uses), ", ") + " " + string(e.Part)
	_, pointer, _ := strings.Cut(e.ID, "#")
	c := junitCase{Class: suite, Name: pointer + ": " + e.Text, File: e.Spec.In(j.o.Spec), Line: e.Spec.Line}
	unknown := slices.IndexFunc(deviations, func(d *conformance.Deviation) bool { return d.Known == "" })
	switch {
	case unknown >= 0:
		c.Failure = &junitFailure{Message: about(deviations[unknown]) + ": " + deviations[unknown].Message, Type: string(deviations[unknown].Source)}
		for _, d := range deviations {
			c.Failure.Text += j.describe(d, e.Reason)
		}
	case len(deviations) > 0:
		c.Skipped = &junitSkipped{"known failure: " + deviations[0].Known}
	case e.State == conformance.Refuted: // beyond the bounds, deviations are counted and not listed
		c.Failure = &junitFailure{Message: "refuted by " + plural(e.Refuted, "exchange"), Type: "refuted"}
	case e.State == conformance.Unobserved:
		c.Skipped = &junitSkipped{unobservedBecause(&e.Claim)}
	}
	j.add(suite, c)
}

// deviation adds the case of a deviation that refutes no claim: mostly drift and notes.
func (j *junit) deviation(d *conformance.Deviation) {
	suite := d.Operation + " " + string(d.Part)
	c := junitCase{Class: suite, Name: fmt.Sprintf("%s: %d %s %s [%s]", d.Source, d.Status, d.Pointer, d.Rule, d.Fingerprint),
		File: d.Spec.In(j.o.Spec), Line: d.Spec.Line}
	switch {
	case d.Known != "":
		c.Skipped = &junitSkipped{"known failure: " + d.Known}
	case d.Source == conformance.Note:
		c.Output = j.describe(d, "")
	case d.Source == conformance.Drift && !j.o.Strict:
		c.Skipped = &junitSkipped{"drift, which fails only with --strict: " + d.Message}
	default:
		c.Failure = &junitFailure{Message: about(d) + ": " + d.Message, Type: string(d.Source), Text: j.describe(d, "")}
	}
	j.add(suite, c)
}

// describe returns a description of a deviation in a few lines.
func (j *junit) describe(d *conformance.Deviation, because string) string {
	var text strings.Builder
	for _, line := range describe(d, because, j.o) {
		text.WriteString(printable.Text(line) + "\n")
	}
	return text.String()
}

// operations returns the operations of a claim's uses, without the status of responses.
func operations(uses []string) []string {
	var list []string
	for _, use := range uses {
		// The status follows the last space. An operation without an ID is named by its method and path.
		if i := strings.LastIndexByte(use, ' '); i >= 0 && !strings.HasPrefix(use[i+1:], "/") {
			use = use[:i]
		}
		if !slices.Contains(list, use) {
			list = append(list, use)
		}
	}
	return list
}
