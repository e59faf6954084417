package traffic

import (
	"bytes"
	"io"
)

// output is where the batches of all paths go.
type output struct {
	yield func(*Batch, error) bool
	index int64 // of the next record
}

// step is what a splitter found in the bytes that it was shown.
type step int

const (
	stepMore   step = iota // no end of a record: it must see more
	stepRecord             // a whole record
	stepStop               // something that is no record
)

// splitter finds the records in a recording. It is shown the bytes behind the last record that it found, and, when it
// asked for more, the same ones with more behind them; last says that there are no others. The record starts at begin and
// ends at end.
type splitter interface {
	split(rest []byte, last bool) (begin, end, line int, found step)
}

// window is the part of a recording that is being split. It lies in the buffer of the batch that is being made.
type window struct {
	out   *output
	file  *file
	r     io.Reader
	err   error // that r ended with
	buf   *buffer
	n     int   // bytes in buf
	start int   // of the rest, which is in no record yet
	at    int64 // the offset of the rest in the file
	since int64 // the offset up to which batches stand for the file
	entry int   // of the next record

	blankLines int // before the first byte of r
}

// split hands out the records that the splitter finds, as batches, until it stops, or wants more than there is.
// The batch is handed out before more is read, so that whoever watches a pipe sees each exchange when it is there.
func (w *window) split(s splitter) error {
	if w.buf == nil {
		w.buf = newBuffer()
	}
	for {
		begin, end, line, found := s.split(w.rest(), w.err == io.EOF) //nolint:errorlint // as io.Reader has it
		switch {
		case found == stepRecord:
			w.add(Record{raw: w.rest()[begin:end:end], at: w.at + int64(begin), line: line}, end)
			continue
		case w.flush() != nil:
			return errStopped
		case found == stepStop, w.err != nil:
			return nil //nolint:nilerr // who called looks at w.err, with the rest
		}
		w.fill()
	}
}

// close gives the buffer back. The batches that were handed out have others.
func (w *window) close() {
	if w.buf != nil {
		(&Batch{buf: w.buf}).Release()
		w.buf = nil
	}
}

func (w *window) rest() []byte { return w.buf.data[w.start:w.n] }

// add puts a record into the batch; size is that of the rest up to its end.
func (w *window) add(r Record, size int) {
	r.Index, r.entry, r.file = w.out.index, w.entry, w.file
	w.buf.records = append(w.buf.records, r)
	w.out.index++
	w.entry++
	w.start += size
	w.at += int64(size)
}

// single hands out a copy of one record, which starts at that offset in the file, as a batch of its own.
func (w *window) single(raw []byte, at int64) error {
	end := at + int64(len(raw))
	r := Record{Index: w.out.index, raw: bytes.Clone(raw), at: at, entry: w.entry, file: w.file}
	w.out.index++
	w.entry++
	batch := &Batch{buf: &buffer{records: []Record{r}}, bytes: end - w.since}
	w.since = end
	if !w.out.yield(batch, nil) {
		return errStopped
	}
	return nil
}

// flush hands out the batch if there is something in it, and carries the rest over to the next.
func (w *window) flush() error {
	if len(w.buf.records) == 0 {
		return nil
	}
	full, rest := w.buf, w.rest()
	w.buf = newBuffer()
	if len(rest) > len(w.buf.data) {
		w.buf.data = make([]byte, len(rest)+batchSize)
	}
	w.n, w.start = copy(w.buf.data, rest), 0
	batch := &Batch{buf: full, bytes: w.at - w.since}
	w.since = w.at
	if !w.out.yield(batch, nil) {
		return errStopped
	}
	return nil
}

// fill reads once behind the rest. The buffer grows with a record that does not fit, up to the largest that may be.
func (w *window) fill() {
	if w.n == len(w.buf.data) {
		if w.n > maxValue {
			w.err = errTooLarge
			return
		}
		grown := make([]byte, min(2*w.n, maxValue+batchSize))
		copy(grown, w.buf.data)
		w.buf.data = grown
	}
	for range 100 {
		n, err := w.r.Read(w.buf.data[w.n:])
		w.n += n
		w.err = err
		if n > 0 || err != nil {
			return
		}
	}
	w.err = io.ErrNoProgress
}

// remaining reads what is in no record: the rest, then what was not read yet, or the error that reading ended with.
func (w *window) remaining() io.Reader {
	rest := w.rest()
	i := 0
	return readerFunc(func(p []byte) (int, error) {
		if i < len(rest) {
			n := copy(p, rest[i:])
			i += n
			return n, nil
		}
		if w.err != nil && w.err != errTooLarge { //nolint:errorlint // it is ours
			return 0, w.err
		}
		return w.r.Read(p)
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
