package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
)

// benchFile has the output of the benchmarks, for benchstat, too.
var benchFile = filepath.Join(resultsFolder, "bench.txt")

// measured is a benchmark: the samples of its units, by round.
type measured map[string][]float64

// report writes docs/benchmarks.md from the output of the benchmarks.
func report(context.Context) error {
	f, err := os.Open(benchFile)
	if err != nil {
		return err
	}
	defer f.Close()
	var groups []string // in the order of the benchmarks
	tools, samples := map[string][]string{}, map[string]measured{}
	processor := ""
	lines := benchfmt.NewReader(f, benchFile)
	for lines.Scan() {
		result, ok := lines.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		processor = result.GetConfig("cpu")
		name := strings.TrimSuffix(result.Name.String(), fmt.Sprintf("-%d", runtime.GOMAXPROCS(0)))
		group, tool, _ := strings.Cut(name, "/tool=")
		if tools[group] == nil {
			groups = append(groups, group)
		}
		if samples[name] == nil {
			tools[group] = append(tools[group], tool)
			samples[name] = measured{}
		}
		for _, v := range result.Values {
			samples[name][v.Unit] = append(samples[name][v.Unit], v.Value)
		}
	}
	if err := lines.Err(); err != nil || len(groups) == 0 {
		return fmt.Errorf("%s: no benchmarks: %w", benchFile, err)
	}
	slices.SortStableFunc(groups, func(a, b string) int { return cmp.Compare(order(a), order(b)) })
	var doc strings.Builder
	fmt.Fprintf(&doc, benchmarksHead, cmp.Or(processor, "unknown processor"), runtime.GOMAXPROCS(0), runtime.GOOS, runtime.GOARCH, runtime.Version(), printed("node", "--version"))
	for _, of := range []string{"github.com/getkin/kin-openapi", "github.com/pb33f/libopenapi-validator", "github.com/go-resty/resty/v2",
		"github.com/hashicorp/go-retryablehttp", "github.com/oapi-codegen/nethttp-middleware", "ajv", "@redocly/cli", "@stoplight/prism-cli"} {
		fmt.Fprintf(&doc, "- %s %s\n", of, version(of))
	}
	for _, group := range groups {
		fmt.Fprintf(&doc, "\n## %s\n\n| tool | time | spread | ratio | allocations |\n|---|--:|--:|--:|--:|\n", strings.TrimPrefix(strings.NewReplacer("/", ", ", "=", ": ").Replace(group), "Benchmark"))
		var own float64
		for i, tool := range tools[group] {
			of := samples[group+"/tool="+tool]
			elapsed := summary(of["sec/op"])
			if i == 0 {
				own = elapsed.Center
			}
			allocations := ""
			if of["allocs/op"] != nil {
				allocations = fmt.Sprintf("%.0f", summary(of["allocs/op"]).Center)
			}
			fmt.Fprintf(&doc, "| %s | %s | %s | %.2f | %s |\n", tool, short(elapsed.Center), elapsed.PctRangeString(), elapsed.Center/own, allocations)
		}
	}
	return os.WriteFile("../docs/benchmarks.md", []byte(doc.String()), 0o644)
}

// order sorts the groups as the parts of the project.
func order(group string) int {
	for i, part := range []string{"Check", "Recording", "Client", "Server"} {
		if strings.HasPrefix(strings.TrimPrefix(group, "Benchmark"), part) {
			return i
		}
	}
	return -1
}

// summary is the median, with its confidence interval of 95 %.
func summary(values []float64) benchmath.Summary {
	return benchmath.AssumeNothing.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), 0.95)
}

// short is a duration with three digits.
func short(seconds float64) string {
	d := time.Duration(seconds * 1e9)
	switch {
	case d < time.Microsecond:
		return d.String()
	case d < time.Millisecond:
		return fmt.Sprintf("%.3g µs", seconds*1e6)
	}
	return fmt.Sprintf("%.3g ms", seconds*1e3)
}

const benchmarksHead = `# Benchmarks

` + "`make bench`" + ` measures this, and writes this page; do not edit it. The machine: %s, %d processors, %s/%s, %s, Node %s.

A time is the median of six rounds, in each of which all benchmarks run once. The spread is the interval of the median with
a confidence of 95 %%, as benchstat has it, and the ratio is to the first tool: above 1, the tool is slower. The output for
benchstat is in bench/results/bench.txt.

- **Check** checks one exchange of Create Fault: one that conforms, one with an undocumented property, and one with two
  violations. Only this project reports the undocumented property. json.Valid and ajv get the two bodies alone; kin-openapi
  and libopenapi-validator also need the messages of net/http to be made.
- **Recording** is a command over a HAR file with 20,000 exchanges, its start included; the time is that of an exchange.
- **Client** creates a fault over loopback, and with a transport that responds at once. net/http is what one writes by
  hand: a timeout, a bounded read, the media type and the status. Only this project checks request and response.
- **Server** responds to Create Fault over loopback: to one client, and to eight for each processor. bare responds without
  looking at the request. composition is the generated server behind the validating middleware, with a map for faults. Only
  the sandbox keeps a history, checks credentials, limits and failures.

Peers:

`
