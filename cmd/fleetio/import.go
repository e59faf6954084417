package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/importer"
)

// importing is one run of an import.
type importing struct {
	service        service
	format         string
	journalPath    string
	maps, ignore   []string
	concurrency    int
	dryRun         bool
	retryAmbiguous bool

	console *console
}

func importCommand(c *console) *cobra.Command {
	i := importing{console: c}
	cmd := &cobra.Command{
		Use:   "import [flags] FILE",
		Short: "Create the faults of a CSV or NDJSON file, each once",
		Long: "import creates a fault for each row of FILE: CSV with a header row, or NDJSON, one object a line. Columns and members\n" +
			"have the names of the fields on the wire: " + importer.FieldNames() + ".\n" +
			"An empty cell and a null count as absent. - is standard input, and needs --dry-run or --journal.\n\n" +
			"The whole file is checked first. Rows that are wrong are rejected, and listed with their lines; the others are sent.\n" +
			"On a live account each makes a real record. --dry-run checks, and sends nothing.\n\n" +
			"The journal, FILE.journal, has each row before it is sent, and what became of it. Run the same import again to go on\n" +
			"where one stopped: what was created is skipped, what was rejected or not created is sent again. A row of which nobody\n" +
			"knows whether it was created is ambiguous, and never sent again on its own: look it up in Fleetio, and then use\n" +
			"--retry-ambiguous, or leave it. Rows that were sent must stay as and where they are in FILE. A journal is for one\n" +
			"server and one account, which --dry-run checks, too, if it is given credentials.\n\n" +
			"It stops when the credentials are refused, when the journal cannot be written, when waiting two minutes for the rate\n" +
			"limit does not help, and when " +
			strconv.Itoa(importer.MaxFailures) + " rows in a row came to nothing. An interrupt lets rows that are on their way\n" +
			"come to their end; a second one ends the command at once, without a report, and they are ambiguous.\n\n" + credentials + "\n\n" +
			"Exit status: 0 all rows are created, 1 some were rejected, not created or are ambiguous, 2 the import could not run, or\n" +
			"stopped before the end; what it did until then is printed all the same.",
		Example: "  fleetio import --dry-run faults.csv\n" +
			"  fleetio import --credentials keys.env --map 'Vehicle=vehicle_id' --map DTC=code --ignore Driver faults.csv\n" +
			"  zcat faults.ndjson.gz | fleetio import --journal faults.journal --format json -",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("import needs one FILE, or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return i.run(cmd.Context(), args[0]) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&i.dryRun, "dry-run", false, "check every row, and send nothing; needs no credentials. By default, what is right is sent.")
	flags.StringArrayVar(&i.maps, "map", nil, "take a column for a field, `COLUMN=FIELD`; may be given several times. By default, columns have the fields' names.")
	flags.StringArrayVar(&i.ignore, "ignore", nil, "leave a `COLUMN` out; may be given several times. By default, a column that is no field is an error.")
	flags.StringVar(&i.journalPath, "journal", "", "`FILE` that keeps what was sent. By default, the name of the file with .journal after it.")
	flags.BoolVar(&i.retryAmbiguous, "retry-ambiguous", false, "send ambiguous rows again, which may double them. By default, they are only listed.")
	flags.IntVar(&i.concurrency, "concurrency", 4, "how many rows, a `NUMBER`, may be on their way at once. By default, 4.")
	flags.Lookup("concurrency").DefValue = "0" // the text has it
	formatFlag(cmd, &i.format, "text or json")
	i.service.addFlags(cmd)
	return cmd
}

// run reads the flags, imports the file, and prints what became of it.
func (i *importing) run(ctx context.Context, path string) error {
	if !slices.Contains([]string{"text", "json"}, i.format) {
		return fmt.Errorf("--format is text or json, not %q", i.format)
	}
	if i.concurrency < 1 || i.concurrency > 100 {
		return fmt.Errorf("--concurrency is 1 to 100, not %d", i.concurrency)
	}
	names, err := importer.NewMapping(i.maps, i.ignore)
	if err != nil {
		return err
	}
	switch {
	case path == "-" && i.journalPath == "" && !i.dryRun:
		return errors.New("an import from standard input needs --journal, as it can be run again only with one")
	case path != "-" && i.journalPath == "":
		i.journalPath = path + ".journal"
	}
	if i.journalPath != "" {
		if err := checkOutputs([]string{i.journalPath}, []string{path, i.service.keysPath}); err != nil {
			return err
		}
	}
	file, closeFile, err := i.open(ctx, path)
	if err != nil {
		return err
	}
	defer closeFile()
	keys, err := i.service.credentials()
	if err != nil && (!i.dryRun || i.service.keysPath != "") {
		return err
	}
	o := importer.Options{File: path, Input: file, Mapping: names, Journal: i.journalPath, URL: i.service.url(), AccountToken: keys.AccountToken,
		Concurrency: i.concurrency, DryRun: i.dryRun, RetryAmbiguous: i.retryAmbiguous}
	if !i.dryRun {
		if o.Client, err = i.service.clientOf(keys); err != nil {
			return err
		}
	}
	return i.report(ctx, o)
}

// report runs the import and prints its report. A report that nobody got is no success.
func (i *importing) report(ctx context.Context, o importer.Options) error {
	var p *progress
	end := func() {}
	o.Warn = func(message string) { i.console.warnf("%s", message) }
	o.Start = func(r *importer.Report) {
		_, _ = fmt.Fprintf(i.console.stderr, "%d of %d rows to send to %s\n", r.ToSend, r.Rows, i.service.host())
		finishing.RLock()
		end = finishing.RUnlock
		if i.console.live {
			p = newProgress(i.console, 0)
			end = func() { p.end(); finishing.RUnlock() }
		}
	}
	o.Progress = func(done, total int) { p.rows(done, total) }
	report, stopped := importer.Run(ctx, o)
	end()
	if report == nil {
		return stopped
	}
	if err := report.Write(i.console.stdout, i.format); err != nil || stopped != nil {
		return errors.Join(stopped, err)
	}
	if !report.Clean() {
		return errFindings
	}
	return nil
}

// open opens the file, and sets standard input aside in one, as all is checked before the first row is sent.
func (i *importing) open(ctx context.Context, path string) (*os.File, func(), error) {
	if path != "-" {
		info, err := os.Stat(path)
		if err != nil {
			return nil, nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, nil, fmt.Errorf("%s is no regular file: use - and redirect it", path)
		}
		f, err := os.Open(path)
		return f, func() { _ = f.Close() }, err
	}
	f, err := leavesBehind(func() (*os.File, error) { return os.CreateTemp("", "fleetio-*") }, removeFile)
	if err != nil {
		return nil, nil, err
	}
	done := func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
	if _, err = interruptible(ctx, func() (int64, error) { return io.Copy(f, i.console.stdin) }); err != nil {
		done()
		return nil, nil, err
	}
	return f, done, nil
}
