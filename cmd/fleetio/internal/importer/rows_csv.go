package importer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// readCSV reads rows below a header of column names (RFC 4180). An empty cell is an absent field. A row with another
// number of cells than the header cannot be sent. Wrong quotes end the rows, as they leave open where a row ends.
func readCSV(file io.Reader, names Mapping) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		rationed := &rationed{Reader: file}
		table := csv.NewReader(rationed)
		table.FieldsPerRecord = -1
		table.ReuseRecord = true
		next := func() ([]string, int, error) {
			rationed.left = MaxRow
			cells, err := table.Read()
			if err != nil {
				return nil, 0, inCSV(err, table)
			}
			line, _ := table.FieldPos(0)
			return cells, line, nil
		}
		cells, line, err := next()
		if errors.Is(err, io.EOF) {
			err = errors.New("there is no header row")
		}
		var fields []string
		if err == nil {
			if fields, err = columns(cells, names); err != nil {
				err = fmt.Errorf("line %d: %w", line, err)
			}
		}
		for number := 1; err == nil; number++ {
			if cells, line, err = next(); err != nil {
				break
			}
			r := row{number: number, line: line}
			if len(cells) == len(fields) {
				r.check(compose(valuesOf(fields, cells)))
			} else {
				r.err = fmt.Errorf("%d cells, and the header has %d", len(cells), len(fields))
			}
			if !yield(r, nil) {
				return
			}
		}
		if !errors.Is(err, io.EOF) {
			yield(row{}, err)
		}
	}
}

// valuesOf returns the cells that are not empty by their fields.
func valuesOf(fields, cells []string) map[string]string {
	values := make(map[string]string, len(cells))
	for i, cell := range cells {
		if fields[i] != "" && cell != "" {
			values[fields[i]] = cell
		}
	}
	return values
}

// columns returns the field of each column, "" for those to ignore.
func columns(header []string, names Mapping) ([]string, error) {
	var fields, trimmed []string
	from := map[string]string{}
	for i, column := range header {
		column = strings.TrimSpace(column)
		trimmed = append(trimmed, column)
		if column == "" {
			return nil, fmt.Errorf("column %d has no name", i+1)
		}
		field, err := names.field(column)
		if err != nil {
			return nil, fmt.Errorf("column %d: %w: map or ignore it", i+1, err)
		}
		fields = append(fields, field)
		if field == "" {
			continue
		}
		if other, twice := from[field]; twice {
			return nil, fmt.Errorf("the columns %q and %q are both %s", other, column, field)
		}
		from[field] = column
	}
	for i := range fleetioapi.FaultCreateFields {
		if f := &fleetioapi.FaultCreateFields[i]; f.Required && from[f.Name] == "" {
			return nil, fmt.Errorf("there is no column %s, which every fault needs: name one by --map COLUMN=%s", f.Name, f.Name)
		}
	}
	return fields, names.unused(trimmed)
}

// inCSV words an error of the table.
func inCSV(err error, table *csv.Reader) error {
	var syntax *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return err
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d (of the row that begins on line %d): %w", syntax.Line, syntax.StartLine, syntax.Err)
	default:
		return fmt.Errorf("after byte %d: %w", table.InputOffset(), err)
	}
}

// rationed lets no more bytes through than are left, as a quote that is never closed makes a row of the rest of the file.
type rationed struct {
	io.Reader

	left int
}

// Read implements [io.Reader].
func (r *rationed) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, ErrTooLong
	}
	n, err := r.Reader.Read(p[:min(len(p), r.left)])
	r.left -= n
	return n, err
}
