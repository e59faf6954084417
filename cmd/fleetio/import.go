package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/importer"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// importing holds the flags of an import, and what it imports.
type importing struct {
	importer.Options

	service service
	format  string
	dryRun  bool
	console *console
}

func importCommand(c *console) *cobra.Command {
	i := importing{console: c}
	var pairs, ignore []string
	cmd := &cobra.Command{
		Use:   "import [flags] FILE",
		Short: "Create the faults of a CSV or NDJSON file, each once",
		Long: "import creates a fault for each row of FILE: CSV with a header row, or NDJSON, one object a line.\n" +
			"Columns and properties are named as in the API:\n" + importer.FieldNames() + ".\n" +
			"An empty cell and a null count as absent. - is standard input, and needs --dry-run or --journal.\n\n" +
			"The whole file is checked first. Invalid rows are rejected and listed with their lines; the others are\n" +
			"sent. On a live account each makes a real record. --dry-run checks the file and sends nothing.\n\n" +
			"The journal, FILE.journal, records each row before it is sent, and the outcome. Run the same import\n" +
			"again to continue: rows that were created are skipped, rejected and not created ones are sent again. Do\n" +
			"not edit or reorder rows that were already sent. A journal is for one server and one account; --dry-run\n" +
			"checks the account, too, if it has credentials.\n\n" +
			"A row whose outcome is unknown, as the connection was lost, is looked up by its external_id, by the next\n" +
			"run if necessary. A row without one gets one. If the fault is there, the row is created. If it is not,\n" +
			"and again not after --look-up-delay, the row is \"not found\". If it cannot be looked up, for example\n" +
			"because the API key may not read faults, the row is ambiguous: check in Fleetio. Neither is sent again\n" +
			"without --retry-not-found or --retry-ambiguous.\n\n" +
			"import stops when the credentials are refused, when the journal cannot be written, when waiting two\n" +
			"minutes for the rate limit does not help, and after " + strconv.Itoa(importer.MaxFailures) +
			" consecutive failures. An interrupt lets\n" +
			"rows in flight complete; a second one ends the command at once, without a report, and those rows are\n" +
			"ambiguous.\n\n" + credentials + "\n\n" +
			"Exit codes:\n" +
			"  0  all rows are created\n" +
			"  1  some rows are rejected, not created, not found or ambiguous\n" +
			"  2  could not run, or stopped before the end; it prints the report of what it did",
		Example: "  fleetio import --dry-run faults.csv\n" +
			"  fleetio import --credentials keys.env --map 'Vehicle=vehicle_id' --map DTC=code --ignore Driver faults.csv\n" +
			"  zcat faults.ndjson.gz | fleetio import --journal faults.journal --format json -",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("import needs one FILE, or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if i.Mapping, err = importer.NewMapping(pairs, ignore); err != nil {
				return err
			}
			return i.run(cmd.Context(), args[0])
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&i.dryRun, "dry-run", false, "check every row and send nothing; needs no credentials")
	flags.StringArrayVar(&pairs, "map", nil, "map a column to a field, `COLUMN=FIELD`; repeatable")
	flags.StringArrayVar(&ignore, "ignore", nil, "ignore a `COLUMN`; repeatable")
	flags.StringVar(&i.Journal, "journal", "", "record the rows that are sent in `JOURNAL` (default FILE.journal)")
	flags.BoolVar(&i.RetryAmbiguous, "retry-ambiguous", false,
		"send ambiguous rows and rows that were not found again, which may create their faults twice")
	flags.BoolVar(&i.RetryNotFound, "retry-not-found", false,
		"send rows again whose outcome was unknown and whose fault was not found")
	flags.IntVar(&i.Concurrency, "concurrency", 4, "`NUMBER` of rows in flight, 1 to 100")
	formatFlag(cmd, &i.format, "text or json")
	i.service.addFlags(cmd)
	return cmd
}

// run checks the flags, opens the file and imports it.
func (i *importing) run(ctx context.Context, path string) error {
	if err := checkFormat(i.format); err != nil {
		return err
	}
	if i.Concurrency < 1 || i.Concurrency > 100 {
		return fmt.Errorf("--concurrency must be 1 to 100, not %d", i.Concurrency)
	}
	switch {
	case path == "-" && i.Journal == "" && !i.dryRun:
		return errors.New("an import from standard input needs --journal, without which it cannot be run again")
	case path != "-" && i.Journal == "":
		i.Journal = path + ".journal"
	}
	if i.Journal != "" {
		if err := checkOutputs([]string{i.Journal}, []string{path, i.service.keysPath}); err != nil {
			return err
		}
	}
	file, err := i.open(path)
	if err != nil {
		return err
	}
	defer func() {
		_ = file.Close()
		if path == "-" {
			_ = os.Remove(file.Name())
		}
	}()
	keys, err := i.service.credentials()
	if err != nil && (!i.dryRun || i.service.keysPath != "") {
		return err
	}
	if !i.dryRun {
		if i.Client, err = i.service.client(keys); err != nil {
			return err
		}
	}
	i.File, i.Input, i.URL, i.AccountToken = path, file, i.service.url(), keys.AccountToken
	return i.report(ctx)
}

// open opens the file, and copies standard input to one, as all rows are checked before the first is sent.
func (i *importing) open(path string) (*os.File, error) {
	if path != "-" {
		return os.Open(path)
	}
	f, err := createTemp("", "fleetio-*")
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(f, i.console.stdin); err != nil {
		_, _ = f.Close(), os.Remove(f.Name())
		return nil, err
	}
	return f, nil
}

// report runs the import and prints its report. A report that cannot be printed is a failure.
func (i *importing) report(ctx context.Context) error {
	var p *progress
	checked := i.console.during("checking " + printable.Text(i.File))
	sent := func() {}
	i.Start = func(r *importer.Report) {
		checked()
		_, _ = fmt.Fprintf(i.console.stderr, "%d of %d rows to send to %s\n", r.ToSend, r.Rows, i.URL)
		finishing.RLock()
		sent = finishing.RUnlock
		p = i.console.startProgress()
	}
	i.Progress = func(completed, toSend int) {
		p.show(func(elapsed time.Duration) string {
			return fmt.Sprintf("%d of %d rows (%d%%), %s left", completed, toSend, 100*completed/max(toSend, 1),
				remaining(elapsed, int64(completed), int64(toSend)))
		})
	}
	report, stopped := importer.Run(ctx, i.Options)
	checked()
	p.end()
	sent()
	if report == nil {
		return stopped
	}
	if err := report.Write(i.console.stdout, i.format); err != nil || stopped != nil {
		return errors.Join(stopped, err)
	}
	if !report.Complete() {
		return errFindings
	}
	return nil
}
