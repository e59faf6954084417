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
		Long: "create creates one fault and prints it as JSON as the server stores it. The fault is given by flags\n" +
			"or, with -, by a JSON object on standard input, whose properties are named as in the API (vehicle_id,\n" +
			"code, ...). It is checked before it is sent. On a live account this makes a real record.\n\n" +
			credentials + "\n\n" +
			"Exit codes:\n" +
			"  0  created\n" +
			"  1  not created; the error says why\n" +
			"  2  could not run, or the outcome is unknown, or the fault was created and the response is bad; see the\n" +
			"     error, and check in Fleetio before retrying. The outcome is unknown without a response, and with one\n" +
			"     that a gateway may send after the fault was stored (3xx, 408, 5xx, a 4xx of no standard)",
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
			keys, err := s.credentials()
			if err != nil {
				return err
			}
			client, err := s.client(keys)
			if err != nil {
				return err
			}
			return create(cmd.Context(), c, client, fault)
		},
	}
	for i := range fleetioapi.FaultCreateFields {
		f := &fleetioapi.FaultCreateFields[i]
		usage := f.Name + " of the fault, " + limits(f)
		if f.Required {
			usage += " (required)"
		}
		cmd.Flags().String(flagName(f.Name), "", usage)
	}
	s.addFlags(cmd)
	return cmd
}

func flagName(field string) string { return strings.ReplaceAll(field, "_", "-") }

// limits says in words what a field takes.
func limits(f *fleetioapi.Field) string {
	s := f.Schema
	switch {
	case s.Type == "integer" && s.Minimum == "1":
		return "a whole `NUMBER` from 1"
	case s.Type == "integer":
		return "a whole `NUMBER`"
	case s.Format == "date-time":
		return "a `TIME` such as 2026-03-14T13:46:27-06:00 (RFC 3339)"
	case s.Enum != nil:
		return "a `WORD`: " + strings.Join(s.Choices(), ", ")
	case s.MaxLength != nil:
		return fmt.Sprintf("a `TEXT` of up to %d characters", *s.MaxLength)
	default:
		return "a `TEXT`"
	}
}

// faultToCreate reads the fault from the flags or from standard input. It may still violate the contract.
func faultToCreate(cmd *cobra.Command, c *console, fromStdin bool) (faults.FaultCreate, error) {
	var none faults.FaultCreate
	texts := map[string]string{}
	for i := range fleetioapi.FaultCreateFields {
		name := fleetioapi.FaultCreateFields[i].Name
		if flag := cmd.Flags().Lookup(flagName(name)); flag.Changed {
			if fromStdin {
				return none, fmt.Errorf("--%s and - exclude each other", flag.Name)
			}
			texts[name] = flag.Value.String()
		}
	}
	if !fromStdin {
		return importer.FromTexts(texts)
	}
	text, err := io.ReadAll(io.LimitReader(c.stdin, importer.MaxRow+1))
	if err != nil {
		return none, err
	}
	if len(text) > importer.MaxRow {
		return none, importer.ErrTooLong
	}
	fault, err := importer.Mapping{}.FromJSON(text)
	if err != nil {
		return none, fmt.Errorf("standard input: %w", err)
	}
	return fault, nil
}

// create sends the fault and prints it as the server stores it.
func create(ctx context.Context, c *console, client *faults.Client, f faults.FaultCreate) error {
	finishing.RLock()
	fault, err := client.CreateFault(ctx, f)
	finishing.RUnlock()
	if err != nil {
		if outcome := importer.OutcomeOf(err); outcome == importer.OutcomeAmbiguous || outcome == importer.OutcomeCreated {
			return errors.New(importer.Message(err))
		}
		_, _ = fmt.Fprintf(c.stderr, "fleetio: not created: %s\n", importer.Message(err))
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
