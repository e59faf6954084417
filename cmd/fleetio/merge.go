package main

import (
	"fmt"
	"io"
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
		Short: "Add up the JSON reports of all shards",
		Long: "merge adds up the JSON reports of all shards of a run, in any order, and prints the result as if verify\n" +
			"had read all of the traffic. One report of a whole run is evaluated again.\n\n" +
			exitCodes + " A missing or duplicate\n" +
			"shard is 2, and so is a run in which no exchange was checked.",
		Example: "  fleetio merge shard-*.json\n" +
			"  fleetio merge --known known.txt --min-coverage 60 --report junit=junit.xml shard-*.json\n" +
			"  fleetio merge --format markdown report.json >> \"$GITHUB_STEP_SUMMARY\"",
		Args: needs("a REPORT.json: a report that verify wrote in the format json"),
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := v.prepare(cmd, c, paths); err != nil {
				return err
			}
			end := c.during("adding up reports")
			r, err := mergeReports(paths)
			end()
			if err != nil {
				return err
			}
			if r.Shards != nil {
				return missingShards(r.Shards)
			}
			if r.Spec.SHA256 != v.spec.contract.Spec().SHA256 {
				return fmt.Errorf("the reports are of another spec than %s (%s %s); use --spec",
					v.spec.name, r.Spec.Title, r.Spec.Version)
			}
			if r.Exchanges == 0 {
				return nothingChecked(r.Summary)
			}
			return v.conclude(cmd.Context(), c, r)
		},
	}
	v.addFlags(cmd)
	return cmd
}

func mergeReports(paths []string) (*conformance.Report, error) {
	var reports []*conformance.Report
	for _, path := range paths {
		r, err := readReport(path)
		if err != nil {
			return nil, err
		}
		reports = append(reports, r)
	}
	return conformance.Merge(reports...)
}

func readReport(path string) (r *conformance.Report, err error) {
	err = readText(path, func(text io.Reader) error {
		if r, err = report.Read(text); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
	return r, err
}

// missingShards lists the shards without a report, whose findings are unknown.
func missingShards(s *conformance.Shards) error {
	const maxListed = 20 // as a report may name any number of shards
	var list []string
	for i := 1; i <= s.Of && len(list) < maxListed; i++ {
		if !slices.Contains(s.Parts, i) {
			list = append(list, strconv.Itoa(i))
		}
	}
	missing := s.Of - len(s.Parts)
	if missing > len(list) {
		list = append(list, "...")
	}
	return fmt.Errorf("the reports of %d of %d shards are missing: %s", missing, s.Of, strings.Join(list, ", "))
}
