// Command fleetio weighs traffic against the contract of Fleetio's Create Fault operation, and creates faults.
//
// Exit status: 0 the traffic conforms, or all was created; 1 there are findings, or something was not created; 2 the
// command could not run.
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

// softMemory is what the process tries to get along with, in bytes: beyond it the collector works harder. Large bodies are
// held a few times over while they are read, and the garbage of that would be as much again.
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

// The exit statuses, and errFindings, by which a command that ran well asks for the second.
const (
	exitConforms = 0
	exitFindings = 1
	exitNotRun   = 2
)

var (
	errFindings    = errors.New("there are findings")
	errInterrupted = importer.ErrInterrupted
)

// exitTable ends the help of the commands that judge.
const exitTable = "Exit status: 0 the traffic conforms, 1 there are findings, 2 the command could not run."

// version is that of the module, or of the commit, that the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

// run is main without the process, so that tests see what a shell sees. It ends early when ctx does.
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
		Short: "Weigh traffic against the contract of Fleetio's Create Fault operation, and create faults",
		Long: "fleetio weighs traffic against the contract of Fleetio's Create Fault operation, and creates faults.\n\n" + exitTable +
			"\nWhat it says of create, import and sandbox, their own help tells.",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("there is no command %q", args[0])
			}
			return errors.New("a command is missing")
		},
		// Without a Run, cobra would print the help and report success.
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	root.AddCommand(verifyCommand(c), mergeCommand(c), claimsCommand(c), redactCommand(c),
		createCommand(c), importCommand(c), sandboxCommand(c))
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(helpCommand())
	root.SetIn(c.stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	return root
}

// helpCommand refuses what there is no help for, unlike cobra's own.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Print what a command does",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("there is no command %q", strings.Join(args, " "))
			}
			return about.Help()
		},
	}
}
