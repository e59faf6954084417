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

// JUnit XML has no standard. These are the elements and attributes that Jenkins, GitLab and the GitHub actions for
// test reports have in common. Some of them want a time everywhere; as a claim takes none, it is 0.
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

// junit makes the suites: one of the run itself, then one for each part of the exchanges of each operation.
type junit struct {
	o      Options
	suites []*junitSuite
}

// writeJUnit prints a test case for each claim, for each deviation that refutes no claim, for each problem, and for
// whether anything was judged at all.
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
		for _, k := range g.kinds {
			if claimed[k.Claim] {
				refuting[k.Claim] = append(refuting[k.Claim], k)
			} else {
				rest = append(rest, k)
			}
		}
	}
	for i := range r.Claims {
		j.claim(&r.Claims[i], refuting[r.Claims[i].ID])
	}
	for _, k := range rest {
		j.deviation(k)
	}
	// The run's own suite is the first, whatever the operations are called.
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

// add puts a case into a suite, with its texts free of what XML cannot hold.
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

// run says whether there was anything to judge, and what else is wrong: a run without evidence must not look green.
func (j *junit) run(r *conformance.Report) {
	judged := junitCase{Class: "run", Name: "exchanges were judged", Output: verdict(r, j.o) + "\n" + coverage(r) + "\n" +
		strings.Join(append(skipped(r), uncheckedLines(r, j.o)...), "\n")}
	if idle(r) {
		judged.Failure = &junitFailure{Message: "no exchange was judged", Type: "no-verdict", Text: judged.Output}
		judged.Output = ""
	}
	j.add("run", judged)
	if warning := vacuous(r); warning != "" {
		j.add("run", junitCase{Class: "run", Name: "an exchange was accepted", Skipped: &junitSkipped{warning}})
	}
	for _, problem := range j.o.Problems {
		j.add("run", junitCase{Class: "run", Name: problem, Failure: &junitFailure{Message: problem, Type: "problem"}})
	}
}

// claim makes the case of a claim. kinds are the deviations that refute it.
func (j *junit) claim(e *conformance.Evidence, kinds []*conformance.Deviation) {
	suite := strings.Join(operations(e.Uses), ", ") + " " + string(e.Part)
	_, pointer, _ := strings.Cut(e.ID, "#")
	c := junitCase{Class: suite, Name: pointer + ": " + e.Text, File: j.o.Spec, Line: e.Spec.Line}
	unknown := slices.IndexFunc(kinds, func(k *conformance.Deviation) bool { return k.Known == "" })
	switch {
	case unknown >= 0:
		c.Failure = &junitFailure{Message: about(kinds[unknown]) + ": " + kinds[unknown].Message, Type: string(kinds[unknown].Source)}
		for _, k := range kinds {
			c.Failure.Text += j.describe(k, e.Reason)
		}
	case len(kinds) > 0:
		c.Skipped = &junitSkipped{"known failure: " + kinds[0].Known}
	case e.State == conformance.Refuted: // of too many deviations some are only counted
		c.Failure = &junitFailure{Message: "refuted by " + plural(e.Refuted, "exchange"), Type: "refuted"}
	case e.State == conformance.Unobserved:
		c.Skipped = &junitSkipped{silentBecause(&e.Claim)}
	}
	j.add(suite, c)
}

// deviation makes the case of a deviation that refutes no claim: drift and notes above all.
func (j *junit) deviation(k *conformance.Deviation) {
	suite := k.Operation + " " + string(k.Part)
	c := junitCase{Class: suite, Name: fmt.Sprintf("%s: %d %s %s [%s]", k.Source, k.Status, k.Pointer, k.Rule, k.Fingerprint),
		File: j.o.Spec, Line: k.Spec.Line}
	switch {
	case k.Known != "":
		c.Skipped = &junitSkipped{"known failure: " + k.Known}
	case k.Source == conformance.Note:
		c.Output = j.describe(k, "")
	case k.Source == conformance.Drift && !j.o.Strict:
		c.Skipped = &junitSkipped{"drift, which fails only with --strict: " + k.Message}
	default:
		c.Failure = &junitFailure{Message: about(k) + ": " + k.Message, Type: string(k.Source), Text: j.describe(k, "")}
	}
	j.add(suite, c)
}

// describe writes a deviation in a few lines.
func (j *junit) describe(k *conformance.Deviation, because string) string {
	lines := []string{about(k), "  " + k.Message, fmt.Sprintf("  %s at %s:%d #%s", k.Source, j.o.Spec, k.Spec.Line, k.Spec.Pointer)}
	if because != "" {
		lines = append(lines, "    because: "+because)
	}
	if k.Known != "" {
		lines = append(lines, "  known: "+k.Known)
	}
	lines = append(lines, "  "+sightings(k)+"  ["+k.Fingerprint+"]")
	for i := range lines {
		lines[i] = printable.Text(lines[i])
	}
	return strings.Join(lines, "\n") + "\n"
}

// operations returns the operations of a claim's uses, without the status that answers are told apart by.
func operations(uses []string) []string {
	var list []string
	for _, use := range uses {
		// The status is behind the last space. An operation without an ID is called by its method and path.
		if i := strings.LastIndexByte(use, ' '); i >= 0 && !strings.HasPrefix(use[i+1:], "/") {
			use = use[:i]
		}
		if !slices.Contains(list, use) {
			list = append(list, use)
		}
	}
	return list
}
