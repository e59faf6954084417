package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/importer"
	faults "github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

func createCommand(c *console) *cobra.Command {
	var s service
	cmd := &cobra.Command{
		Use:   "create [flags] [-]",
		Short: "Create one fault",
		Long: "create creates one fault and prints it as JSON as the service keeps it. What the fault is stands in flags, or, with -\n" +
			"for standard input, in one JSON object there, whose members have the names on the wire (vehicle_id, code, ...).\n" +
			"It is checked before it is sent. On a live account this makes a real record.\n\n" + credentials + "\n\n" +
			"Exit status: 0 created, 1 not created, and standard error says why, 2 the command could not run, the fault was created\n" +
			"and the response is bad, or the outcome is unknown: no response, or one that a gateway may send after the fault was\n" +
			"stored (3xx, 408, 5xx, a 4xx of no standard). Read standard error, and check in Fleetio, before you run it again after a 2.",
		Example: "  fleetio create --vehicle-id 4711 --code P0420 --status open\n" +
			"  echo '{\"vehicle_id\": 4711, \"code\": \"P0420\"}' | fleetio create --credentials keys.env -",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && args[0] != "-" {
				return errors.New("create takes flags, or - for a JSON object on standard input, and no other argument")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			fault, err := faultToCreate(cmd, c, len(args) == 1)
			if err != nil {
				return err
			}
			client, err := s.client()
			if err != nil {
				return err
			}
			return create(cmd.Context(), c, client, fault)
		},
	}
	for i := range fleetioapi.FaultCreateFields {
		f := &fleetioapi.FaultCreateFields[i]
		end := "By default, none."
		if f.Required {
			end = "Required. By default, none, and no fault."
		}
		cmd.Flags().String(flagName(f.Name), "", f.Name+", "+limits(f)+". "+end)
	}
	s.addFlags(cmd)
	return cmd
}

func flagName(field string) string { return strings.ReplaceAll(field, "_", "-") }

// limits says in words what a field takes.
func limits(f *fleetioapi.Field) string {
	switch {
	case f.Type == "integer" && f.Minimum == 1:
		return "a whole `NUMBER` from 1"
	case f.Type == "integer":
		return "a whole `NUMBER`"
	case f.Format == "date-time":
		return "a `TIME` such as 2026-03-14T13:46:27-06:00 (RFC 3339)"
	case f.Enum != nil:
		return "a `WORD`: " + strings.Join(f.Enum, ", ")
	case f.MaxLength < 1<<20:
		return fmt.Sprintf("a `TEXT` of at most %d characters", f.MaxLength)
	default:
		return "a `TEXT`"
	}
}

// faultToCreate takes the fault from the flags or from standard input. A fault that breaks the contract is no error yet.
func faultToCreate(cmd *cobra.Command, c *console, fromStdin bool) (faults.FaultCreate, error) {
	values := map[string]string{}
	for i := range fleetioapi.FaultCreateFields {
		name := fleetioapi.FaultCreateFields[i].Name
		if flag := cmd.Flags().Lookup(flagName(name)); flag.Changed {
			if fromStdin {
				return faults.FaultCreate{}, fmt.Errorf("--%s and - exclude each other", flag.Name)
			}
			values[name] = flag.Value.String()
		}
	}
	if !fromStdin {
		return importer.FaultOfTexts(values)
	}
	text, err := interruptible(cmd.Context(), func() ([]byte, error) { return io.ReadAll(io.LimitReader(c.stdin, importer.MaxRow+1)) })
	if err != nil {
		return faults.FaultCreate{}, err
	}
	if len(text) > importer.MaxRow {
		return faults.FaultCreate{}, importer.ErrTooLong
	}
	fault, err := importer.FaultOfObject(text)
	if err != nil {
		return fault, fmt.Errorf("standard input: %w", err)
	}
	return fault, nil
}

// create sends the fault and prints what it has become.
func create(ctx context.Context, c *console, client *faults.Client, f faults.FaultCreate) error {
	finishing.RLock()
	fault, err := client.CreateFault(ctx, f)
	finishing.RUnlock()
	if err != nil {
		if importer.OutcomeOf(err) == importer.OutcomeAmbiguous || importer.OutcomeOf(err) == importer.OutcomeCreated {
			return errors.New(importer.Plain(err))
		}
		_, _ = fmt.Fprintf(c.stderr, "fleetio: not created: %s\n", importer.Plain(err))
		return errFindings
	}
	text, err := json.MarshalIndent(fault, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(c.stdout, "%s\n", text)
	}
	if err != nil {
		return fmt.Errorf("the fault was created (id %d), and cannot be printed: %w", fault.ID, err)
	}
	return nil
}
