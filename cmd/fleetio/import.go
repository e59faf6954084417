package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	faults "github.com/fleetcontract/fleetio-go/fleetio"
)

// mostRejects is how many rows may be wrong before the file is taken for the wrong one.
const mostRejects = 10000

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
	names   mapping
	file    *os.File
	history *history
	report  importReport
}

func importCommand(c *console) *cobra.Command {
	i := importing{console: c}
	cmd := &cobra.Command{
		Use:   "import [flags] FILE",
		Short: "Create the faults of a CSV or NDJSON file, each once",
		Long: "import creates a fault for each row of FILE: CSV with a header row, or NDJSON, one object a line. Columns and members\n" +
			"have the names of the fields on the wire: " + fieldNames() + ".\n" +
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
			strconv.Itoa(mostInVain) + " rows in a row came to nothing. An interrupt lets rows that are on their way\n" +
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

// run reads the flags, checks the file, sends what is due, and prints what became of it.
func (i *importing) run(ctx context.Context, path string) (err error) {
	if !slices.Contains([]string{"text", "json"}, i.format) {
		return fmt.Errorf("--format is text or json, not %q", i.format)
	}
	if i.concurrency < 1 || i.concurrency > 100 {
		return fmt.Errorf("--concurrency is 1 to 100, not %d", i.concurrency)
	}
	if i.names, err = newMapping(i.maps, i.ignore); err != nil {
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
	i.report.File, i.report.DryRun = path, i.dryRun
	closeFile, err := i.open(ctx, path)
	if err != nil {
		return err
	}
	defer closeFile()
	keys, err := i.service.credentials()
	if i.dryRun {
		if err != nil && i.service.keysPath != "" {
			return err
		}
		if i.history, err = peekJournal(i.journalPath, i.service.url(), keys.AccountToken); err != nil {
			return err
		}
		i.warn()
		if err := i.plan(ctx); err != nil {
			return err
		}
		return i.conclude(nil)
	}
	if err != nil {
		return err
	}
	client, err := i.service.clientOf(keys)
	if err != nil {
		return err
	}
	j, err := openJournal(i.journalPath, i.service.url(), keys.AccountToken, i.console.now)
	if err != nil {
		return err
	}
	return i.send(ctx, client, j)
}

// warn tells what the journal lacks that an earlier version wrote.
func (i *importing) warn() {
	h := i.history
	if h.isForeign() {
		i.console.warnf("%s does not say which account it is of, as an earlier version made it: its rows are taken for sent to this one", i.journalPath)
	}
	if len(h.torn) > 0 {
		i.console.warnf("%s:%d: half an event (%d in all), as a full disk left it: rows that the journal has after it are ambiguous",
			i.journalPath, h.torn[0], len(h.torn))
	}
}

// send is the run that is not dry.
func (i *importing) send(ctx context.Context, client *faults.Client, j *journal) error {
	i.history = j.history
	i.warn()
	if err := i.plan(ctx); err != nil {
		return errors.Join(err, j.close())
	}
	_, _ = fmt.Fprintf(i.console.stderr, "%d of %d rows to send to %s\n", i.report.ToSend, i.report.Rows, i.service.host())
	s := &sender{importing: i, journal: j}
	stopped := s.send(ctx, client)
	if stopped == nil && i.report.ToSend != 0 {
		stopped = fmt.Errorf("%s was changed while it was read: run the import again", i.report.File)
	}
	return i.conclude(errors.Join(stopped, j.close()))
}

// conclude prints the report. A report that nobody got is no success.
func (i *importing) conclude(stopped error) error {
	if stopped != nil {
		i.report.Stopped = stopped.Error()
	}
	if err := i.report.write(i.console.stdout, i.format); err != nil || stopped != nil {
		return errors.Join(stopped, err)
	}
	if !i.report.clean() {
		return errFindings
	}
	return nil
}

// open opens the file, and sets standard input aside in one, as all is checked before the first row is sent.
func (i *importing) open(ctx context.Context, path string) (func(), error) {
	var err error
	if path != "-" {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is no regular file: use - and redirect it", path)
		}
		i.file, err = os.Open(path)
		return func() { _ = i.file.Close() }, err
	}
	i.file, err = leavesBehind(func() (*os.File, error) { return os.CreateTemp("", "fleetio-*") }, removeFile)
	if err != nil {
		return nil, err
	}
	done := func() {
		_ = i.file.Close()
		_ = os.Remove(i.file.Name())
	}
	if _, err = interruptible(ctx, func() (int64, error) { return io.Copy(i.file, i.console.stdin) }); err != nil {
		done()
		return nil, err
	}
	return done, nil
}

// rows reads the file from its beginning.
func (i *importing) rows() iter.Seq2[row, error] {
	if _, err := i.file.Seek(0, io.SeekStart); err != nil {
		return func(yield func(row, error) bool) { yield(row{}, err) }
	}
	return readRows(i.file, i.names)
}

// plan checks the file and counts what is to be done.
func (i *importing) plan(ctx context.Context) error {
	settled := 0
	for r, err := range i.rows() {
		if err != nil {
			return fmt.Errorf("%s: %w: nothing was sent", i.report.File, err)
		}
		if ctx.Err() != nil {
			return errInterrupted
		}
		i.report.Rows++
		send, err := i.isDue(&r)
		if err != nil {
			return err
		}
		was := i.history.rows[r.number]
		if was.settled() {
			settled++
		}
		switch {
		case send:
			i.report.ToSend++
		case r.err != nil:
			i.report.Rejected = append(i.report.Rejected, note(&r, r.err.Error()))
		case was.last == outcomeCreated:
			i.report.Skipped++
		default:
			i.report.Ambiguous = append(i.report.Ambiguous, note(&r, "an earlier run sent it and does not know what became of it"))
		}
		if len(i.report.Rejected) > mostRejects {
			return fmt.Errorf("%s: more than %d rows are wrong, on line %d this: %w", i.report.File, mostRejects, r.line, r.err)
		}
	}
	for _, was := range i.history.rows {
		if was.settled() {
			settled--
		}
	}
	switch {
	case settled != 0:
		return fmt.Errorf("%s has rows that are not in %s any more: it is the journal of another file, or rows were removed",
			i.journalPath, i.report.File)
	case i.report.Rows == 0:
		return fmt.Errorf("%s: there is no row to import", i.report.File)
	}
	return nil
}

// isDue reports whether a row is to be sent. A row that was sent must be the same as it was, so that the journal speaks of
// it.
func (i *importing) isDue(r *row) (bool, error) {
	was := i.history.rows[r.number]
	switch {
	case was.settled() && (r.err != nil || was.sum != r.sum && was.sum != [len(was.sum)]byte{}):
		return false, fmt.Errorf("%s: line %d is not what was sent as row %d by %s: nothing is sent until it is as it was, or another journal is named",
			i.report.File, r.line, r.number, i.journalPath)
	case was.last == outcomeCreated:
		return false, nil
	default:
		return r.err == nil && (i.retryAmbiguous || !was.settled()), nil
	}
}
