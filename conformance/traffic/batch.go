package traffic

import (
	"strconv"
	"sync"

	"go.yaml.in/yaml/v4"
)

// Batch is a run of records that share a buffer. Its owner calls Release when it is done with them; then the buffer is
// used again.
type Batch struct {
	buf   *buffer // nil once released
	bytes int64
}

// Records returns the records in the order of the traffic. They are valid until Release, after which there are none.
func (b *Batch) Records() []Record {
	if b.buf == nil {
		return nil
	}
	return b.buf.records
}

// Bytes returns how many bytes of the recordings the batch stands for, which is what progress is measured in. What stands
// behind the last record of a file is in no batch.
func (b *Batch) Bytes() int64 { return b.bytes }

// Release gives the buffer back. The records, and the views of them, must not be used any more. A batch that is never
// released costs its memory, no more; a second call does nothing.
func (b *Batch) Release() {
	buf := b.buf
	b.buf = nil
	if buf == nil || len(buf.data) != batchSize {
		return // a buffer that one large record made grow would be held for nothing
	}
	clear(buf.records)
	buf.records = buf.records[:0]
	buffers.Put(buf)
}

// batchSize is the size of a buffer in bytes: large enough that handing batches over costs nothing, and small enough that
// a record is still in the cache of the processor when it is decoded.
const batchSize = 256 << 10

// buffer is what a batch is made of.
type buffer struct {
	data    []byte
	records []Record
}

var buffers = sync.Pool{New: func() any { return &buffer{data: make([]byte, batchSize)} }}

func newBuffer() *buffer {
	buf, _ := buffers.Get().(*buffer)
	return buf
}

// Record is one recorded exchange, not yet decoded. It is valid until its batch is released.
type Record struct {
	// Index is the position in the whole traffic, from 0, counted over all paths.
	Index int64

	raw   []byte // an entry, a line, or an item, in the buffer of the batch
	at    int64  // the offset of raw in the file
	entry int    // from 0, in the file
	line  int    // from 1, in an NDJSON file
	file  *file
	item  *yaml.Node // in raw, where raw is a cassette that was parsed as a whole
}

// file is what the records of a file have in common.
type file struct {
	name   string
	format format
}

// Source says where the record stands, as [Exchange.Source] does.
func (r *Record) Source() string {
	switch r.file.format {
	case formatNDJSON:
		return r.file.name + "#L" + strconv.Itoa(r.line)
	case formatCassette:
		return r.file.name + "#/interactions/" + strconv.Itoa(r.entry)
	default:
		return r.file.name + "#/log/entries/" + strconv.Itoa(r.entry)
	}
}

// Exchange decodes the record as a whole. The exchange shares no memory with the batch. The error is an [*Error].
func (r *Record) Exchange() (*Exchange, error) {
	var e *Exchange
	var at int64
	var err error
	switch r.file.format {
	case formatNDJSON:
		e, at, err = parseLine(r.raw)
	case formatCassette:
		e, at, err = parseInteraction(r.raw, r.item)
	default:
		e, at, err = parseHAREntry(r.raw)
	}
	if err != nil {
		return nil, r.fail(at, err)
	}
	e.Source = r.Source()
	return e, nil
}

// View fills v, whose buffers are used again, without allocating, and reports whether it did so. It does not for a record
// that is unusual in any way, which is no fault of the record: call Exchange then. Where it does, v says exactly what
// Exchange would say, which then has no error.
func (r *Record) View(v *View) bool {
	switch r.file.format {
	case formatHAR:
		return v.readHAR(r.raw)
	case formatNDJSON:
		return v.readLine(r.raw)
	default:
		return false
	}
}

// fail makes an error at a byte of the record.
func (r *Record) fail(at int64, err error) error {
	if r.file.format == formatNDJSON {
		err = &lineError{line: r.line, err: err}
	}
	return &Error{File: r.file.name, Entry: r.entry, Offset: r.at + at, Err: err}
}
