package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"
)

// round is what came of one server, loaded over one number of connections, once.
type round struct {
	loaded

	serverCPU time.Duration // user and system, per answer, its start and end included
	loadCPU   time.Duration // likewise
	loadShare float64       // of the time that the load ran, in which it used its one processor
}

// String returns the numbers of a line for benchstat.
func (r *round) String() string {
	return fmt.Sprintf("\t%8d\t%8.0f ns/op\t%8.0f req/s\t%8.2f p50-ms\t%8.2f p99-ms\t%8d server-cpu-ns/op\t%8d load-cpu-ns/op",
		r.Measured, 1e9/r.perSecond(), r.perSecond(), milliseconds(r.P50), milliseconds(r.P99), r.serverCPU, r.loadCPU)
}

// perSecond is how many creates were answered in a second.
func (r *round) perSecond() float64 { return float64(r.Measured) / r.Took.Seconds() }

const pkg = "github.com/fleetcontract/fleetio-go/internal/benchsandbox"

// bench goes around the servers, prints a line for each as Go's benchmarks do, and in the end what they say together.
func bench(ctx context.Context, c *config, out, talk io.Writer) error {
	dir, err := os.MkdirTemp(c.dir, "benchsandbox")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system empties the directory some time
	_, err = fmt.Fprintf(out, "goos: %s\ngoarch: %s\npkg: %s\nUnit req/s better=higher\n", runtime.GOOS, runtime.GOARCH, pkg)
	if err != nil {
		return err
	}
	disk, err := timeFsync(dir)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(talk, disk); err != nil {
		return err
	}
	all := results{}
	for number := range c.count {
		for _, conns := range c.conns {
			for _, name := range order(c.servers, number) {
				r, err := c.round(ctx, dir, serverOf(name), conns, number+1)
				if err != nil {
					return fmt.Errorf("%s with %d connections: %w", name, conns, err)
				}
				if _, err := fmt.Fprintf(out, "BenchmarkCreate/server=%s/conns=%d%s\n", name, conns, r); err != nil {
					return err
				}
				all.add(name, conns, r)
			}
		}
	}
	_, err = fmt.Fprint(talk, all.summary(c))
	return err
}

// order turns the servers around in every second round, and lets another one begin after that: so none always follows the
// same one.
func order(servers []string, round int) []string {
	first := round / 2 % len(servers)
	list := slices.Concat(servers[first:], servers[:first])
	if round%2 == 1 {
		slices.Reverse(list)
	}
	return list
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// round starts a server with a store of its own, loads it, ends it, and looks whether it told the truth.
func (c *config) round(ctx context.Context, dir string, s server, conns, number int) (*round, error) {
	dir, err := os.MkdirTemp(dir, s.name)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // bench tries again; this keeps the disk from holding the stores of all rounds
	args := []string{"-serve", s.name, "-dir", dir}
	if c.profile != "" {
		args = append(args, "-cpuprofile", fmt.Sprintf("%s-%s-%d-%d.pprof", c.profile, s.name, conns, number))
	}
	child, err := c.start(ctx, args...)
	if err != nil {
		return nil, err
	}
	err = probe(ctx, child.address, s.checks)
	var all loaded
	var loadCPU time.Duration
	if err == nil {
		all, loadCPU, err = c.loadServer(ctx, child.address, conns)
	}
	serverCPU, stopErr := child.stop()
	if err := errors.Join(err, stopErr); err != nil {
		return nil, err
	}
	if err := verify(ctx, s, storeFile(dir), all); err != nil {
		return nil, err
	}
	return &round{
		loaded: all, serverCPU: serverCPU / time.Duration(all.Answered), loadCPU: loadCPU / time.Duration(all.Answered),
		loadShare: float64(loadCPU) / float64(c.warmUp+all.Took),
	}, nil
}
