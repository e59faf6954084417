// Command fleetio checks traffic against the contract of Fleetio's faults, and creates faults.
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
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/importer"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// softMemory is the memory limit of the process, in bytes, beyond which the garbage collector works harder. While a
// large body is read, several copies of it exist, and without a limit as much garbage.
const softMemory = 256 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	context.AfterFunc(ctx, exitSoon)
	code := run(ctx, os.Args[1:], thisConsole())
	finishing.RLock() // forever, so that exitSoon does not end the process
	os.Exit(code)
}

const (
	exitConforms = 0
	exitFindings = 1
	exitNotRun   = 2
)

var (
	errFindings    = errors.New("there are findings") // exits with 1 without a message
	errInterrupted = importer.ErrInterrupted
)

// exitCodes ends the help of the commands that check.
const exitCodes = "Exit codes: 0 the traffic conforms, 1 findings, 2 could not run."

// version returns the version of the module, or the commit, of the binary.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

// run runs a command and returns the exit code. It ends early when ctx does, unless it waits for a blocking read or
// write.
func run(ctx context.Context, args []string, c *console) int {
	stdout, stderr := printable.NewWriter(c.stdout), printable.NewWriter(c.stderr)
	defer func() { _ = errors.Join(stdout.Flush(), stderr.Flush()) }()
	escaping := *c
	escaping.stdout, escaping.stderr = stdout, stderr
	c = &escaping
	root := commands(c) //nolint:contextcheck // ExecuteContextC passes it on
	root.SetArgs(args)
	isRunning := false // the arguments are right
	root.PersistentPreRun = func(*cobra.Command, []string) { isRunning = true }
	switch asked, err := root.ExecuteContextC(ctx); {
	case err == nil:
		return exitConforms
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.Is(err, errInterrupted):
		c.fail(err)
		return exitNotRun
	default:
		c.fail(err)
		if asked.Name() == "help" {
			asked = root
		}
		if !isRunning {
			_, _ = fmt.Fprintf(c.stderr, "Try '%s --help'.\n", asked.CommandPath())
		}
		return exitNotRun
	}
}

// commands returns the command line.
func commands(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:   "fleetio",
		Short: "Check traffic against the contract of Fleetio's faults, and create faults",
		Long: "fleetio checks traffic against the contract of Fleetio's faults, and creates faults.\n\n" +
			exitCodes +
			"\ncreate, import, record and sandbox have their own exit codes; see 'fleetio COMMAND --help'.",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("a command is missing")
			}
			return unknownCommand(cmd, args)
		},
		// Without a Run, cobra would print the help and report success.
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	root.AddCommand(verifyCommand(c), probeCommand(c), recordCommand(c), replayCommand(c), testCommand(c), mergeCommand(c),
		claimsCommand(c), redactCommand(c), createCommand(c), importCommand(c), sandboxCommand(c), versionCommand(c))
	root.SuggestionsMinimumDistance = 2
	root.SetHelpCommand(&cobra.Command{ // unlike cobra's own, it fails for an unknown command
		Use:   "help [command]",
		Short: "Print the help of a command",
		Args: func(cmd *cobra.Command, args []string) error {
			if _, rest, err := cmd.Root().Find(args); err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, _, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			return about.Help()
		},
	})
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		text := strings.Replace(err.Error(), " flag: time: ", " flag: ", 1)
		if number, ok := errors.AsType[*strconv.NumError](err); ok { // whose text names a function of Go
			text = strings.Replace(text, number.Error(), number.Err.Error(), 1)
		}
		return errors.New(text)
	})
	root.SetIn(c.stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	return root
}

func unknownCommand(root *cobra.Command, args []string) error {
	text := fmt.Sprintf("unknown command %q", strings.Join(args, " "))
	if names := root.SuggestionsFor(args[0]); len(names) > 0 {
		text += "; did you mean " + strings.Join(names, " or ") + "?"
	}
	return errors.New(text)
}

func versionCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the versions of the program and of its spec",
		Long:    "version prints the version of the program, and the title, the version and the SHA-256 of the embedded spec.",
		Example: "  fleetio version",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			s, err := c.loadSpec("")
			if err != nil {
				return err
			}
			info := s.contract.Spec()
			_, err = fmt.Fprintf(c.stdout, "fleetio %s\nspec %s %s sha256:%s\n", version(), info.Title, info.Version, info.SHA256)
			return err
		},
	}
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no %q", cmd.Name(), args[0])
	}
	return nil
}

// needs returns a check that there is at least one argument.
func needs(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("%s needs %s", cmd.Name(), what)
		}
		return nil
	}
}

// aPath describes the argument of the commands that read recordings.
const aPath = "a PATH: a recording, a folder of them, or - for standard input"

// formatFlag adds --format.
func formatFlag(cmd *cobra.Command, format *string, formats string) {
	cmd.Flags().StringVar(format, "format", "text", "output `FORMAT`: "+formats)
}

// checkFormat checks --format of the commands that print text or JSON.
func checkFormat(format string) error {
	if format != "text" && format != "json" {
		return fmt.Errorf("--format must be text or json, not %q", format)
	}
	return nil
}
