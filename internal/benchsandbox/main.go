// Command benchsandbox measures how many creates a second the sandbox takes, beside two other servers of the same call:
// what nobody could beat, a bare handler that only decodes and encodes the JSON; and what people usually put together.
//
//	make bench-sandbox
//	go run ./internal/benchsandbox -count 10 -servers bare,sandbox > new.txt; benchstat new.txt
//
// Each round starts a server in a process of its own and loads it from another one over loopback. The rounds go around
// the servers, each in another order, so that a machine that slows down slows all of them. What an answer promises is
// checked: each is a 201, and a store holds as many faults as were answered.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// config is what the flags say.
type config struct {
	serve string // the server to be, in a process that is one
	load  string // the address to load, in a process that does that

	servers []string
	conns   []int
	count   int
	time    time.Duration
	warmUp  time.Duration
	dir     string
	profile string
}

// run returns the exit code: 0, 1 if something failed or was wrong with an answer, 2 if it was called wrongly.
func run(ctx context.Context, args []string, in *os.File, out, talk io.Writer) int {
	c, err := parse(args, talk)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		_, _ = fmt.Fprintln(talk, "benchsandbox:", err)
		return 2
	case c.serve != "":
		err = serve(ctx, &c, in, out)
	case c.load != "":
		runtime.GOMAXPROCS(1) // is enough for so little work, and leaves more of the machine to the server
		err = load(ctx, &c, out)
	default:
		err = bench(ctx, &c, out, talk)
	}
	if err != nil {
		_, _ = fmt.Fprintln(talk, "benchsandbox:", err)
		return 1
	}
	return 0
}

func parse(args []string, talk io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("benchsandbox", flag.ContinueOnError)
	flags.SetOutput(talk)
	servers := flags.String("servers", strings.Join(serverNames(false), ","), "the servers to measure; there is also bare-tuned, the bare one with the settings of the sandbox")
	conns := flags.String("conns", "64,256", "how many connections load a server at a time, one number for each benchmark")
	flags.IntVar(&c.count, "count", 3, "how many rounds, each over all servers")
	flags.DurationVar(&c.time, "d", 2*time.Second, "how long a server is measured in a round")
	flags.DurationVar(&c.warmUp, "warm-up", 500*time.Millisecond, "how long it is loaded before that")
	flags.StringVar(&c.dir, "dir", os.TempDir(), "the directory for the stores, which should lie on a real disk")
	flags.StringVar(&c.profile, "cpuprofile", "", "write the servers' CPU profiles to this name with -SERVER-CONNS-ROUND.pprof after it")
	flags.StringVar(&c.serve, "serve", "", "be this server until the end of a pipe on standard input, or a signal; -cpuprofile is then the file")
	flags.StringVar(&c.load, "load", "", "load the server at this address once, and print what came of it as JSON")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("%q: there is nothing but flags", flags.Arg(0))
	}
	c.servers = strings.Split(*servers, ",")
	named := c.servers
	if c.serve != "" {
		named = []string{c.serve}
	}
	for _, name := range named {
		if !slices.Contains(serverNames(true), name) {
			return c, fmt.Errorf("%q is none of the servers %s", name, strings.Join(serverNames(true), ", "))
		}
	}
	for text := range strings.SplitSeq(*conns, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 10_000 {
			return c, fmt.Errorf("-conns %q is no number from 1 to 10000", text)
		}
		c.conns = append(c.conns, n)
	}
	if c.count < 1 || c.time <= 0 || c.warmUp < 0 {
		return c, errors.New("-count and -d must be more than 0, and -warm-up not less")
	}
	if c.load != "" && len(c.conns) != 1 {
		return c, errors.New("-load takes one number of -conns")
	}
	return c, nil
}
