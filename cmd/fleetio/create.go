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
	flagOf := map[string]string{} // by field
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
			"     that a gateway may send after the fault was stored (3xx, 408, 5xx, a 4xx of no standard); then the\n" +
			"     fault is looked up by its external_id, and printed if it is there",
		Example: "  fleetio create --vehicle-id 4711 --code P0420 --status open\n" +
			"  echo '{\"vehicle_id\": 4711, \"code\": \"P0420\"}' | fleetio create --credentials keys.env -",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && args[0] != "-" {
				return errors.New("create takes flags, or - for a JSON object on standard input, and no other argument")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			fault, err := faultToCreate(cmd, c, flagOf, len(args) == 1)
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
	s.addFlags(cmd)
	for _, f := range importer.Fields() {
		usage := f.Name + " of the fault, " + limits(f.Schema.Typed())
		if f.Required {
			usage += " (required)"
		}
		name := strings.ReplaceAll(f.Name, "_", "-")
		for cmd.Flags().Lookup(name) != nil || name == "help" {
			name = "fault-" + name
		}
		if f.Schema.Typed().Type == "array" {
			cmd.Flags().StringArray(name, nil, usage)
		} else {
			cmd.Flags().String(name, "", usage)
		}
		flagOf[f.Name] = name
	}
	return cmd
}

// limits says in words what a field takes.
func limits(s *fleetioapi.Schema) string {
	var text string
	switch {
	case s.Enum != nil:
		text = "a `WORD`: " + strings.Join(s.Choices(), ", ")
	case s.Type == "integer":
		text = "a whole `NUMBER`"
	case s.Type == "number":
		text = "a `NUMBER`"
	case s.Type == "boolean":
		text = "a `WORD`: true, false"
	case s.Type == "array":
		text = "a `LIST`: a flag for each item, items with commas between them, or a JSON array"
	case s.Type == "object":
		text = "an object as `JSON`"
	case s.Type == "":
		text = "any value as `JSON`"
	case s.Format == "date-time":
		text = "a `TIME` such as 2026-03-14T13:46:27-06:00 (RFC 3339)"
	case s.Format == "date":
		text = "a `DATE` such as 2026-03-14"
	default:
		text = "a `TEXT`"
	}
	if s.Minimum != "" {
		text += " from " + s.Minimum
	}
	if s.Maximum != "" {
		text += " up to " + s.Maximum
	}
	if s.MaxLength != nil {
		text += fmt.Sprintf(" of up to %d characters", *s.MaxLength)
	}
	if s.Nullable {
		text += ", or null"
	}
	return text
}

// faultToCreate reads the fault from the flags of its fields or from standard input. It may still violate the contract.
func faultToCreate(cmd *cobra.Command, c *console, flagOf map[string]string, fromStdin bool) (faults.FaultCreate, error) {
	var none faults.FaultCreate
	texts := map[string][]string{}
	for _, f := range importer.Fields() {
		flag := cmd.Flags().Lookup(flagOf[f.Name])
		if !flag.Changed {
			continue
		}
		if fromStdin {
			return none, fmt.Errorf("--%s and - exclude each other", flag.Name)
		}
		texts[f.Name] = []string{flag.Value.String()}
		if list, isList := flag.Value.(interface{ GetSlice() []string }); isList {
			texts[f.Name] = list.GetSlice()
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
		switch importer.OutcomeOf(err) {
		case importer.OutcomeAmbiguous, importer.OutcomeNotFound, importer.OutcomeCreated:
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
