// Command fleetio checks traffic against the contract of Fleetio's Create Fault operation, and creates faults.
//
// Exit codes: 0 the traffic conforms, or everything was created; 1 findings, or something was not created; 2 could
// not run.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/importer"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// softMemory is how many bytes the process tries not to exceed: beyond it the collector works harder. Large bodies
// are held a few times over while they are read, and the garbage of that would be as much again.
const softMemory = 256 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	context.AfterFunc(ctx, exitSoon)
	code := run(ctx, os.Args[1:], thisConsole())
	finishing.RLock() // for good: the command has ended by itself, and exitSoon must not
	os.Exit(code)
}

const (
	exitConforms = 0
	exitFindings = 1
	exitNotRun   = 2
)

var (
	errFindings    = errors.New("there are findings") // of a command that ran well and exits with 1
	errInterrupted = importer.ErrInterrupted
)

// exitCodes ends the help of the commands that check.
const exitCodes = "Exit codes: 0 the traffic conforms, 1 findings, 2 could not run."

// version is that of the module, or of the commit, that the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

// run is main without the process, so that tests see what a shell sees. It ends early when ctx does, unless it waits
// for a read or write that blocks.
func run(ctx context.Context, args []string, c *console) int {
	stdout, stderr := printable.NewWriter(c.stdout), printable.NewWriter(c.stderr)
	defer func() { _ = errors.Join(stdout.Flush(), stderr.Flush()) }()
	escaping := *c
	escaping.stdout, escaping.stderr = stdout, stderr
	c = &escaping
	root := commands(c) //nolint:contextcheck // what takes long, the commands' RunE, gets it from their Context
	root.SetArgs(args)
	switch asked, err := root.ExecuteContextC(ctx); {
	case err == nil:
		return exitConforms
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.Is(err, errInterrupted):
		c.fail(err)
		return exitNotRun
	default:
		if asked.Name() == "help" {
			asked = root
		}
		c.fail(err)
		_, _ = fmt.Fprintf(c.stderr, "Try '%s --help'.\n", asked.CommandPath())
		return exitNotRun
	}
}

// commands returns the command line.
func commands(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:   "fleetio",
		Short: "Check traffic against the contract of Fleetio's Create Fault operation, and create faults",
		Long: "fleetio checks traffic against the contract of Fleetio's Create Fault operation, and creates faults.\n\n" +
			exitCodes +
			"\ncreate, import and sandbox have their own exit codes; see 'fleetio COMMAND --help'.",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown command %q", args[0])
			}
			return errors.New("a command is missing")
		},
		// Without a Run, cobra would print the help and report success.
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	root.AddCommand(verifyCommand(c), mergeCommand(c), claimsCommand(c), redactCommand(c), createCommand(c),
		importCommand(c), sandboxCommand(c))
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{ // which fails for an unknown command, unlike cobra's own
		Use:   "help [command]",
		Short: "Print the help of a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("unknown command %q", strings.Join(args, " "))
			}
			return about.Help()
		},
	})
	root.SetIn(c.stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	return root
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no %q", cmd.Name(), args[0])
	}
	return nil
}

// needs is for commands that take one argument or more.
func needs(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("%s needs %s", cmd.Name(), what)
		}
		return nil
	}
}

// aPath is the argument of the commands that read recordings.
const aPath = "a PATH: a recording, a folder of them, or - for standard input"

// formatFlag adds --format.
func formatFlag(cmd *cobra.Command, format *string, formats string) {
	cmd.Flags().StringVar(format, "format", "text", "output `FORMAT`: "+formats)
}

// checkFormat is for the commands that print text and JSON.
func checkFormat(format string) error {
	if format != "text" && format != "json" {
		return fmt.Errorf("--format must be text or json, not %q", format)
	}
	return nil
}
