// Command fleetio weighs recorded traffic against the contract of Fleetio's Create Fault operation.
//
// Exit status: 0 the traffic conforms, 1 there are findings, 2 the command could not run.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// The exit statuses, and errFindings, by which a command that ran well asks for the second.
const (
	exitConforms = 0
	exitFindings = 1
	exitNotRun   = 2
)

var errFindings = errors.New("there are findings")

// version is that of the module, or of the commit, that the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

// run is main without the process, so that tests see what a shell sees.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:   "fleetio",
		Short: "Weigh traffic against the contract of Fleetio's Create Fault operation",
		Long: "fleetio weighs traffic against the contract of Fleetio's Create Fault operation.\n\n" +
			"Exit status: 0 the traffic conforms, 1 there are findings, 2 the command could not run.",
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
	root.AddCommand(verifyCommand())
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(helpCommand())
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	switch err := root.Execute(); {
	case err == nil:
		return exitConforms
	case errors.Is(err, errFindings):
		return exitFindings
	default:
		_, _ = fmt.Fprintf(stderr, "fleetio: %v\nTry 'fleetio --help'.\n", err)
		return exitNotRun
	}
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
