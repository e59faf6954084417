package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/report"
)

func mergeCommand(c *console) *cobra.Command {
	var v verdict
	cmd := &cobra.Command{
		Use:   "merge [flags] REPORT.json...",
		Short: "Add up the JSON reports of all shards, and judge the whole",
		Long: "merge adds up the JSON reports of all shards of a run, in any order, and prints and judges the sum as if verify\n" +
			"had read all of the traffic. One report of a whole run is judged anew.\n\n" +
			exitTable + " A shard that is\n" +
			"missing, or there twice, is 2, and so is a run in which nothing was judged.",
		Example: "  fleetio merge shard-*.json\n" +
			"  fleetio merge --known known.txt --min-coverage 60 --report junit=junit.xml shard-*.json\n" +
			"  fleetio merge --format markdown report.json >> \"$GITHUB_STEP_SUMMARY\"",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("merge needs a REPORT.json: a report that verify wrote in the format json")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := v.prepare(cmd, paths); err != nil {
				return err
			}
			r, err := interruptible(cmd.Context(), func() (*conformance.Report, error) { return addUp(paths) })
			if err != nil {
				return err
			}
			if r.Shards != nil {
				return missing(r.Shards)
			}
			if r.Spec.SHA256 != fmt.Sprintf("%x", sha256.Sum256(v.spec.bytes)) {
				return fmt.Errorf("the reports are of another spec than %s (%s %s): give it with --spec", v.spec.name, r.Spec.Title, r.Spec.Version)
			}
			if r.Exchanges == 0 {
				return nothingJudged(r.Summary)
			}
			return v.conclude(cmd.Context(), c, r)
		},
	}
	v.addFlags(cmd)
	return cmd
}

// addUp reads reports and merges them.
func addUp(paths []string) (*conformance.Report, error) {
	var reports []*conformance.Report
	for i, path := range paths {
		for _, other := range paths[:i] {
			if isSameFile(path, other) {
				return nil, fmt.Errorf("%s and %s are the same report", other, path)
			}
		}
		r, err := readReport(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		reports = append(reports, r)
	}
	return conformance.Merge(reports...)
}

// missing says which shards there is no report of: their jobs failed, and what they would have found is not known.
func missing(s *conformance.Shards) error {
	const most = 20 // of a number that anybody can write into a report
	var list []string
	for i := 1; i <= s.Of && len(list) <= most; i++ {
		if !slices.Contains(s.Parts, i) {
			list = append(list, strconv.Itoa(i))
		}
	}
	if len(list) == 1 {
		return fmt.Errorf("the report of shard %s of %d is missing", list[0], s.Of)
	}
	if len(list) > most {
		list[most] = "others"
	}
	last := len(list) - 1
	return fmt.Errorf("the reports of shards %s and %s of %d are missing", strings.Join(list[:last], ", "), list[last], s.Of)
}

// isSameFile reports whether two names lead to one file. Reports from one pipe are different ones.
func isSameFile(a, b string) bool {
	ofA, errA := os.Stat(a)
	ofB, errB := os.Stat(b)
	return errA == nil && errB == nil && ofA.Mode().IsRegular() && os.SameFile(ofA, ofB)
}

func readReport(path string) (*conformance.Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err) // without the path, which the caller names
	}
	defer func() { _ = f.Close() }()
	return report.Read(f)
}
