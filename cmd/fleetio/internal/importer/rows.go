package importer

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// MaxRow is the maximum size of a row in bytes, far more than any fault needs.
const MaxRow = 1 << 20

// ErrTooLong is the error of a row of more than [MaxRow] bytes.
var ErrTooLong = fmt.Errorf("more than %d KiB, which no fault needs", MaxRow>>10)

// row is one fault of a file.
type row struct {
	number int // from 1, without header and blank lines
	line   int // that it begins on, from 1
	fault  fleetio.FaultCreate
	sum    string // SHA-256 of the JSON of the row, in hexadecimal
	given  string // the external_id that import gives the fault, as the row has none
	err    error  // why it cannot be sent; fault and sum are empty then
}

func (r *row) note(message string) Note { return Note{r.line, r.number, message} }

// newRow checks the fault of a row. err is the reason why there is none.
func newRow(number, line int, fault fleetio.FaultCreate, err error) row {
	if err == nil {
		err = fleetio.Check(fault)
	}
	if invalid, ok := errors.AsType[*fleetio.InvalidError](err); ok {
		var problems []string
		for _, v := range invalid.Violations {
			problems = append(problems, v.String())
		}
		err = errors.New(strings.Join(problems, "; "))
	}
	if err != nil {
		return row{number: number, line: line, err: err}
	}
	text, err := json.Marshal(fault)
	return row{number: number, line: line, fault: fault, sum: fmt.Sprintf("%x", sha256.Sum256(text)), err: err}
}

// readRows reads a file of faults: NDJSON if it starts with a brace, otherwise CSV. An invalid row is a row with an
// error. An error of the sequence ends it, because the start of the next row is unknown.
func readRows(file io.Reader, name string, m Mapping) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		b := bufio.NewReader(file)
		start, err := b.Peek(b.Size())
		if bom := []byte("\ufeff"); bytes.HasPrefix(start, bom) {
			start = start[len(bom):]
			_, _ = b.Discard(len(bom))
		}
		switch {
		case err != nil && !errors.Is(err, io.EOF):
		case bytes.HasPrefix(start, []byte("\x1f\x8b")):
			err = fmt.Errorf("%s: a gzip file; unpack it first", name)
		case bytes.HasPrefix(bytes.TrimSpace(start), []byte("{")):
			err = readNDJSON(b, name, m, yield)
		default:
			err = readCSV(b, name, m, yield)
		}
		if err != nil {
			yield(row{}, err)
		}
	}
}

// readNDJSON reads one JSON object a line. Blank lines are no rows.
func readNDJSON(file io.Reader, name string, m Mapping, yield func(row, error) bool) error {
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, MaxRow)
	number, line := 0, 0
	for lines.Scan() {
		line++
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		number++
		fault, err := m.FromJSON(text)
		if !yield(newRow(number, line, fault, err), nil) {
			return nil
		}
	}
	err := lines.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		err = ErrTooLong
	}
	if err != nil {
		return fmt.Errorf("%s:%d: %w", name, line+1, err)
	}
	return nil
}

// readCSV reads rows below a header of column names (RFC 4180). An empty cell is an absent field. A row with another
// number of cells than the header is invalid. A quoting error ends the sequence, because the end of the row is unknown.
func readCSV(file io.Reader, name string, m Mapping, yield func(row, error) bool) error {
	limited := &io.LimitedReader{R: file} // as a quote that is never closed makes a row of the rest of the file
	table := csv.NewReader(limited)
	table.FieldsPerRecord = -1
	table.ReuseRecord = true
	next := func() ([]string, int, error) {
		limited.N = MaxRow
		cells, err := table.Read()
		syntax, isSyntax := errors.AsType[*csv.ParseError](err)
		switch {
		case limited.N <= 0:
			return nil, 0, fmt.Errorf("%s: after byte %d: %w", name, table.InputOffset(), ErrTooLong)
		case errors.Is(err, io.EOF):
			return nil, 0, err
		case isSyntax:
			return nil, 0, fmt.Errorf("%s:%d: %w, in the row that begins on line %d",
				name, syntax.Line, syntax.Err, syntax.StartLine)
		case err != nil:
			return nil, 0, fmt.Errorf("%s: after byte %d: %w", name, table.InputOffset(), err)
		}
		line, _ := table.FieldPos(0)
		return cells, line, nil
	}
	header, line, err := next()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: no header row", name)
	} else if err != nil {
		return err
	}
	fields, err := m.columns(header)
	if err != nil {
		return fmt.Errorf("%s:%d: %w", name, line, err)
	}
	for number := 1; ; number++ {
		cells, line, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var fault fleetio.FaultCreate
		if len(cells) != len(fields) {
			err = fmt.Errorf("%d cells, and the header has %d", len(cells), len(fields))
		} else {
			texts := map[string][]string{}
			for i, cell := range cells {
				if fields[i] != "" && cell != "" {
					texts[fields[i]] = []string{cell}
				}
			}
			fault, err = FromTexts(texts)
		}
		if !yield(newRow(number, line, fault, err), nil) {
			return nil
		}
	}
}

// Mapping maps the names of CSV columns or JSON properties to fields, where they differ; "" for one to ignore.
type Mapping map[string]string

// NewMapping returns the mapping of pairs COLUMN=FIELD, and of columns to ignore.
func NewMapping(pairs, ignore []string) (Mapping, error) {
	m := Mapping{}
	for _, pair := range pairs {
		at := strings.LastIndexByte(pair, '=') // a column's name may have one
		if at < 1 || fieldOf(pair[at+1:]) == nil {
			return nil, fmt.Errorf("--map must be COLUMN=FIELD, with one of the fields %s, not %q", FieldNames(), pair)
		}
		if _, duplicate := m[pair[:at]]; duplicate {
			return nil, fmt.Errorf("--map has the column %q twice", pair[:at])
		}
		m[pair[:at]] = pair[at+1:]
	}
	for _, column := range ignore {
		if _, duplicate := m[column]; duplicate {
			return nil, fmt.Errorf("--ignore has the column %q, which is already mapped or ignored", column)
		}
		m[column] = ""
	}
	return m, nil
}

// field returns the name of a column's field, "" for one to ignore.
func (m Mapping) field(column string) (string, error) {
	if field, mapped := m[column]; mapped {
		return field, nil
	}
	if fieldOf(column) == nil {
		if len(column) > 40 {
			column = strings.ToValidUTF8(column[:40], "") + "..."
		}
		return "", fmt.Errorf("%q is not a field of a fault (%s)", column, FieldNames())
	}
	return column, nil
}

// columns returns the field of each column of a CSV file, "" for those to ignore.
func (m Mapping) columns(header []string) ([]string, error) {
	fields := make([]string, len(header))
	columnOf, unused := map[string]string{}, map[string]bool{}
	for column := range m {
		unused[column] = true
	}
	for i, column := range header {
		column = strings.TrimSpace(column)
		if column == "" {
			return nil, fmt.Errorf("column %d has no name", i+1)
		}
		delete(unused, column)
		field, err := m.field(column)
		if err != nil {
			return nil, fmt.Errorf("column %d: %w; use --map or --ignore", i+1, err)
		}
		if other, duplicate := columnOf[field]; duplicate && field != "" {
			return nil, fmt.Errorf("the columns %q and %q are both %s", other, column, field)
		}
		fields[i], columnOf[field] = field, column
	}
	for _, f := range Fields() {
		if f.Required && columnOf[f.Name] == "" {
			return nil, fmt.Errorf("no column %s, which is required; name one with --map COLUMN=%s", f.Name, f.Name)
		}
	}
	for _, column := range slices.Sorted(maps.Keys(unused)) { // most likely a typing error
		return nil, fmt.Errorf("no column %q, which --map or --ignore names", column)
	}
	return fields, nil
}
