package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

func verifyCommand(c *console) *cobra.Command {
	var v verdict
	var shard string
	cmd := &cobra.Command{
		Use:   "verify [flags] PATH...",
		Short: "Check recorded exchanges (HAR, NDJSON, cassettes) against the contract",
		Long: "verify checks recorded exchanges against the contract. It prints every deviation, at most 100 for each\n" +
			"claim and body, and the claims that the traffic does not exercise.\n\n" +
			"A PATH is a recording (HAR 1.2, NDJSON with one exchange a line, or a cassette of go-vcr, vcrpy or\n" +
			"Ruby's VCR), plain, in gzip or in Playwright's zip, a folder of them, or - for standard input.\n\n" +
			"Only exchanges with the servers of the spec, with this machine and with those of --server are checked.\n" +
			"An exchange that cannot be read is a warning if it may be for the contract.\n\n" +
			exitCodes + " A run in which no\n" +
			"exchange matched an operation of the contract is 2: an empty run is not a pass. A shard may be empty.",
		Example: "  fleetio verify session.har\n" +
			"  fleetio verify --strict --known known.txt --min-coverage 60 recordings/\n" +
			"  fleetio verify --format json --report junit=junit.xml --report sarif=fleetio.sarif recordings/ > report.json\n" +
			"  fleetio verify --server https://gateway.example.com/fleetio session.har.gz\n" +
			"  fleetio verify --spec api/openapi.yaml --suggest overlay.yaml - < session.har\n" +
			"  fleetio verify --shard 2/4 --report json=shard-2.json recordings/",
		Args: needs(aPath),
		RunE: func(cmd *cobra.Command, paths []string) error {
			o, err := shardOptions(cmd, shard)
			if err != nil {
				return err
			}
			recordings, err := traffic.Files(paths...)
			if err != nil {
				return err
			}
			if err := v.prepare(cmd, c, slices.Concat(recordings, paths)); err != nil {
				return err
			}
			o.Deviating = v.deviating()
			r, err := check(cmd.Context(), c, v.spec.contract, o, recordings)
			if err != nil {
				return err
			}
			if r.Exchanges == 0 && shard == "" {
				v.noteHosts(c, r)
				return nothingChecked(r.Summary)
			}
			return v.conclude(cmd.Context(), c, r)
		},
	}
	v.addFlags(cmd)
	serverFlag(cmd, &v.servers)
	cmd.Flags().StringVar(&shard, "shard", "",
		"check only part `I/N` of the exchanges, 1/N to N/N; fleetio merge adds up the reports")
	return cmd
}

// shardOptions parses --shard, and rejects the flags that need the whole run.
func shardOptions(cmd *cobra.Command, shard string) (conformance.Options, error) {
	var o conformance.Options
	if !cmd.Flags().Changed("shard") {
		return o, nil
	}
	left, right, _ := strings.Cut(shard, "/")
	i, errI := strconv.Atoi(left)
	n, errN := strconv.Atoi(right)
	if errI != nil || errN != nil || i < 1 || i > n {
		return o, fmt.Errorf("--shard must be I/N, 1/N to N/N, not %q", shard)
	}
	for _, flag := range []string{"known", "min-coverage", "suggest", "suggest-documented"} {
		if cmd.Flags().Changed(flag) {
			return o, fmt.Errorf("--%s is about the whole run, not a shard; use it with fleetio merge", flag)
		}
	}
	o.Shard, o.Shards = i, n
	return o, nil
}

// check checks the recordings at the paths.
func check(ctx context.Context, c *console, contract *conformance.Contract, o conformance.Options,
	paths []string,
) (*conformance.Report, error) {
	var warned warnings
	o.Warn = warned.add
	defer warned.print(c)
	if p := c.startProgress(); p != nil {
		defer p.end()
		total := sizeOf(paths)
		o.Progress = func(at conformance.Progress) {
			p.show(func(elapsed time.Duration) string { return progressLine(at, total, elapsed) })
		}
	}
	defer collectLess()()
	var pool traffic.Pool
	o.Release = pool.Put
	report, err := contract.Verify(pool.Read(ctx, c.stdin, paths...), o)
	if ctx.Err() != nil {
		return nil, errInterrupted
	}
	return report, err
}

// collectLess collects garbage half as often until its result is called, unless the environment says how often: exchanges
// are short-lived and the heap is small, so that a larger one costs a few megabytes and saves CPU.
func collectLess() (restore func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(200)
	return func() { debug.SetGCPercent(before) }
}

// warnings are the warnings of a run, which are printed when there is no progress line any more.
type warnings struct {
	first []error
	more  int
}

// maxWarnings is how many warnings are printed: a folder may have thousands of recordings that all give the same.
const maxWarnings = 20

func (w *warnings) add(err error) {
	if len(w.first) < maxWarnings {
		w.first = append(w.first, err)
	} else {
		w.more++
	}
}

func (w *warnings) print(c *console) {
	for _, err := range w.first {
		c.warnf("%v", err)
	}
	if w.more > 0 {
		c.warnf("%d more such warnings", w.more)
	}
}

// progressLine formats the progress of a run. total is 0 if the size of the recordings is unknown.
func progressLine(at conformance.Progress, total int64, elapsed time.Duration) string {
	line := fmt.Sprintf("%.1f MB", float64(at.Bytes)/1e6)
	if total > 0 {
		line += fmt.Sprintf(" of %.1f MB (%d%%)", float64(total)/1e6, 100*min(at.Bytes, total)/total)
	}
	line += fmt.Sprintf(", %d exchanges, %d findings", at.Exchanges, at.Findings)
	if total > 0 && at.Bytes > 0 {
		line += fmt.Sprintf(", %s left", remaining(elapsed, at.Bytes, total))
	}
	return line
}

// sizeOf returns the total size of files; 0 if it is unknown because one is not a regular file.
func sizeOf(paths []string) int64 {
	var total int64
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			return 0
		}
		total += info.Size()
	}
	return total
}
