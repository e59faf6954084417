package importer

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	faults "github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// MaxRow bounds the memory that one row takes. No fault needs as much.
const MaxRow = 1 << 20

// ErrTooLong is the error of a row of more than MaxRow bytes.
var ErrTooLong = fmt.Errorf("more than %d KiB: no fault is as long", MaxRow>>10)

// row is one fault of a file.
type row struct {
	number int // from 1, without header and blank lines
	line   int // that it begins on, from 1
	fault  faults.FaultCreate
	sum    [sha256.Size]byte // of what would be sent
	err    error             // why it cannot be sent; the rest is empty then
}

// check completes a row that was read.
func (r *row) check(fault faults.FaultCreate, found problems) {
	if r.err = found.errorOf(""); r.err != nil {
		return
	}
	if invalid, ok := errors.AsType[*faults.InvalidError](faults.Check(fault)); ok {
		for _, v := range invalid.Violations {
			found = append(found, v.String())
		}
		r.err = found.errorOf("")
		return
	}
	text, err := json.Marshal(fault)
	r.fault, r.sum, r.err = fault, sha256.Sum256(text), err
}

// mapping says which field a column of a CSV file or a member of a JSON object is.
type Mapping struct {
	fields map[string]string // by column; "" for a column to ignore
}

// NewMapping reads what --map and --ignore say.
func NewMapping(pairs, ignore []string) (Mapping, error) {
	m := Mapping{map[string]string{}}
	for _, pair := range pairs {
		at := strings.LastIndexByte(pair, '=') // a column's name may have one
		if at < 1 || typeOf(pair[at+1:]) == "" {
			return m, fmt.Errorf("--map is COLUMN=FIELD, with one of the fields %s, not %q", FieldNames(), pair)
		}
		if _, twice := m.fields[pair[:at]]; twice {
			return m, fmt.Errorf("--map has the column %q twice", pair[:at])
		}
		m.fields[pair[:at]] = pair[at+1:]
	}
	for _, column := range ignore {
		if _, twice := m.fields[column]; twice {
			return m, fmt.Errorf("--ignore has the column %q, which is mapped or ignored already", column)
		}
		m.fields[column] = ""
	}
	return m, nil
}

// field returns the name of a column's field, or "" if it is to be ignored.
func (m Mapping) field(column string) (string, error) {
	if field, mapped := m.fields[column]; mapped {
		return field, nil
	}
	if typeOf(column) == "" {
		return "", fmt.Errorf("%q is no field of a fault (%s)", brief(column), FieldNames())
	}
	return column, nil
}

// unused finds a column that was named and is not there, most likely a slip.
func (m Mapping) unused(header []string) error {
	for _, column := range slices.Sorted(maps.Keys(m.fields)) {
		if !slices.Contains(header, column) {
			return fmt.Errorf("there is no column %q to map or ignore", column)
		}
	}
	return nil
}

// FieldNames lists the fields of a fault.
func FieldNames() string {
	var names []string
	for i := range fleetioapi.FaultCreateFields {
		names = append(names, fleetioapi.FaultCreateFields[i].Name)
	}
	return strings.Join(names, ", ")
}

// brief cuts a name that a message repeats.
func brief(name string) string {
	if len(name) > 40 {
		return strings.ToValidUTF8(name[:40], "") + "..."
	}
	return name
}

// readRows reads a file of faults: NDJSON if it begins with a brace, else CSV. A row that cannot be sent is a row with an
// error. An error ends the rows: where the next one begins is not known.
func readRows(file io.Reader, names Mapping) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		b := bufio.NewReader(file)
		if start, _ := b.Peek(3); string(start) == "\ufeff" {
			_, _ = b.Discard(3)
		}
		read := readCSV
		if first, err := firstByte(b); err != nil {
			yield(row{}, err)
			return
		} else if first == '{' {
			read = readNDJSON
		}
		for r, err := range read(b, names) {
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// firstByte looks for the first byte that is no space as far as the buffer reaches; 0 where there is none.
func firstByte(b *bufio.Reader) (byte, error) {
	start, err := b.Peek(b.Size())
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if start = bytes.TrimLeft(start, " \t\r\n"); len(start) > 0 {
		return start[0], nil
	}
	return 0, nil
}

// readNDJSON reads one JSON object a line. Blank lines are no rows.
func readNDJSON(file io.Reader, names Mapping) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, MaxRow)
		at := row{}
		for lines.Scan() {
			at.line++
			text := bytes.TrimSpace(lines.Bytes())
			if len(text) == 0 {
				continue
			}
			at.number++
			r := row{number: at.number, line: at.line}
			r.check(faultOfObject(text, names))
			if !yield(r, nil) {
				return
			}
		}
		err := lines.Err()
		if errors.Is(err, bufio.ErrTooLong) {
			err = ErrTooLong
		}
		if err != nil {
			yield(row{}, fmt.Errorf("line %d: %w", at.line+1, err))
		}
	}
}
