package traffic

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// maxSize bounds one exchange in a recording, in bytes: an exchange is held in memory as a whole. 64 MiB is far more than
// the responses of any API, and still fits a small CI machine.
const maxSize = 64 << 20

var errTooLarge = fmt.Errorf("larger than the limit of %d MiB", maxSize>>20)

// Read yields the exchanges of all recordings at the paths, in the order of the paths.
//
// A file is read as HAR, NDJSON or a cassette, any of them compressed by gzip, or as a zip file of HAR files, see the
// package's documentation: whatever its extension, its first bytes tell the format. A folder stands for the files in it and
// below it whose names end in ".har", ".ndjson" or ".jsonl", in any case and with ".gz" after it or not, those in ".yaml",
// ".yml" or ".json" that are cassettes, and those in ".zip" that have a HAR file, sorted by path; links to folders are not
// followed below it. The path "-" stands for stdin, whose name in [Exchange.Source] and errors is "-"; stdin may be nil if
// no path is "-". A file that two paths lead to is read twice.
//
// Each exchange is yielded as soon as its last byte is there. At most one recording is open at a time, and none is left
// open, however the iteration ends. An exchange that cannot be read is an [*EntryError] beside a nil exchange, and the
// iteration goes on. It ends at any other error, which the last pair holds: the error of ctx, or an [*Error] for a
// recording that cannot be read, such as one that is cut off, a path that does not exist ([io/fs.ErrNotExist]), a folder
// without a recording, or a second "-", which is found before anything is read. A read from stdin that blocks when ctx ends
// is left behind.
func Read(ctx context.Context, stdin io.Reader, paths ...string) iter.Seq2[*Exchange, error] {
	return new(Pool).Read(ctx, stdin, paths...)
}

// Read yields exchanges as the function [Read] does, in the memory of those that were put back.
func (p *Pool) Read(ctx context.Context, stdin io.Reader, paths ...string) iter.Seq2[*Exchange, error] {
	return func(yield func(*Exchange, error) bool) {
		err := p.readAll(ctx, stdin, paths, yield)
		switch {
		case err == nil, errors.Is(err, errStopped):
		case ctx.Err() != nil:
			yield(nil, ctx.Err())
		default:
			yield(nil, err)
		}
	}
}

// errStopped unwinds a reader when its consumer has stopped.
var errStopped = errors.New("stopped")

func (p *Pool) readAll(ctx context.Context, stdin io.Reader, paths []string, yield func(*Exchange, error) bool) error {
	if i := slices.Index(paths, "-"); i >= 0 {
		switch {
		case slices.Contains(paths[i+1:], "-"):
			return pathError("-", errors.New("standard input can be read only once"))
		case stdin == nil:
			return pathError("-", errors.New("there is no standard input"))
		}
	}
	for _, path := range paths {
		files, err := filesAt(path)
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := p.readFile(ctx, stdin, file, yield); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Pool) readFile(ctx context.Context, stdin io.Reader, path string, yield func(*Exchange, error) bool) error {
	r := &recording{ctx: ctx, pool: p, name: path, yield: yield, attachments: noFiles{}}
	if path == "-" {
		in, out := io.Pipe() // its reader can be closed while a read from stdin blocks
		defer func() { _ = in.Close() }()
		defer context.AfterFunc(ctx, func() { _ = in.Close() })()
		go func() {
			_, err := io.Copy(out, stdin)
			_ = out.CloseWithError(err)
		}()
		return r.read(in, formatUnknown)
	}
	f, err := os.Open(path)
	if err != nil {
		return pathError(path, err)
	}
	defer func() { _ = f.Close() }() // nothing was written that an error could be about
	r.file, r.attachments = f, os.DirFS(filepath.Dir(path))
	return r.read(readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return f.Read(p)
	}), formatUnknown)
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// recording is a file that is being read.
type recording struct {
	ctx   context.Context //nolint:containedctx // it is that of one call
	pool  *Pool
	name  string
	yield func(*Exchange, error) bool

	file        *os.File  // nil for standard input
	attachments fs.FS     // has the bodies that a HAR file names
	packed      *position // in the file, if it is compressed
	nested      bool      // it comes out of a compressed file

	skipped int64 // the bytes before the first that is no blank
	lines   int   // in them
	index   int   // the index of the next exchange
	source  []byte
	counted int64 // the offset up to which exchanges were yielded
}

// yieldExchange yields the exchange that ends at that offset, at that place of the recording.
func (r *recording) yieldExchange(e *Exchange, place string, n int, end int64) error {
	r.source = strconv.AppendInt(append(append(r.source[:0], r.name...), place...), int64(n), 10)
	e.Source = string(r.source)
	e.Size = r.count(end)
	return r.pass(e, nil)
}

// yieldUnreadable yields an error for the exchange that ends at that offset.
func (r *recording) yieldUnreadable(e *EntryError, end int64) error {
	e.Size = r.count(end)
	return r.pass(nil, e)
}

func (r *recording) pass(e *Exchange, err error) error {
	r.index++
	if !r.yield(e, err) {
		return errStopped
	}
	return r.ctx.Err()
}

// count returns how many bytes of the file were read since the last call, up to that offset in the recording.
func (r *recording) count(end int64) int64 {
	if r.packed != nil {
		end = r.packed.offset
	}
	size := end - r.counted
	r.counted = end
	return size
}

// failEntry makes an error about the exchange that is being read, at an offset in the file.
func (r *recording) failEntry(offset int64, err error) *Error {
	return &Error{File: r.name, Entry: r.index, Offset: offset, Err: err}
}

// fail makes an error about the file.
func (r *recording) fail(offset int64, err error) error {
	return &Error{File: r.name, Entry: -1, Offset: offset, Err: err}
}

// format is how a recording is written.
type format int

const (
	formatUnknown format = iota
	formatHAR
	formatNDJSON
	formatCassette
	formatGzip
	formatZip
)

// read reads the recording in that format, or in the one that its first bytes tell.
func (r *recording) read(file io.Reader, as format) error {
	head := bufio.NewReaderSize(file, headSize)
	if err := r.skipBlanks(head); err != nil {
		return err
	}
	if as == formatUnknown {
		as = detect(head)
	}
	if r.nested && (as == formatGzip || as == formatZip) {
		return r.fail(0, errors.New("compressed twice"))
	}
	switch as {
	case formatGzip:
		return r.readGzip(head)
	case formatZip:
		return r.readZip(head)
	case formatNDJSON:
		return r.readNDJSON(head)
	case formatCassette:
		return r.readCassette(head)
	default:
		if seen, _ := head.Peek(2); len(seen) == 2 {
			switch start := string(seen); {
			case start == "\xff\xfe", start == "\xfe\xff":
				return r.fail(r.skipped, errors.New("text in UTF-16; convert it to UTF-8"))
			case start[0] == 0:
				return r.fail(r.skipped, errors.New("binary data"))
			case start[0] == '<':
				return r.fail(r.skipped, errors.New("HTML or XML instead of a recording"))
			}
		}
		return r.readHAR(head)
	}
}

// skipBlanks skips a byte order mark and the blanks before the first other byte.
func (r *recording) skipBlanks(head *bufio.Reader) error {
	if mark, err := head.Peek(3); len(mark) == 0 {
		if errors.Is(err, io.EOF) {
			err = errors.New("the file is empty")
		}
		return r.fail(0, err)
	} else if string(mark) == byteOrderMark {
		r.skipped = 3
		_, _ = head.Discard(3)
	}
	for {
		c, err := head.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return r.fail(r.skipped, err)
		case c == '\n':
			r.lines++
		case c != ' ' && c != '\t' && c != '\r':
			return head.UnreadByte()
		}
		r.skipped++
	}
}

const byteOrderMark = "\ufeff"

// headSize is how many bytes of a recording are looked at, at most, for its format.
const headSize = 64 << 10

// detect tells the format of a recording by how it starts. What might be anything is taken for HAR, whose reader says
// what is wrong with it.
func detect(head *bufio.Reader) format {
	for n := 1; ; n = head.Buffered() + 1 {
		_, err := head.Peek(min(n, headSize))
		seen, _ := head.Peek(head.Buffered())
		if found := formatOf(seen); found != formatUnknown {
			return found
		}
		if err != nil || n > headSize {
			return formatHAR
		}
	}
}

var cassetteStart = regexp.MustCompile(`^(---|#|%|- |("\w+"|'\w+'|[A-Za-z_]\w*)[ \t]*:(\s|$))`)

// formatOf tells the format by the first bytes of a recording, or formatUnknown if more of them might.
func formatOf(seen []byte) format {
	switch {
	case len(seen) == 0:
		return formatUnknown
	case bytes.HasPrefix(seen, []byte(gzipStart)):
		return formatGzip
	case bytes.HasPrefix(seen, []byte(zipStart)):
		return formatZip
	case seen[0] == '{':
		return formatOfObject(seen)
	case cassetteStart.Match(seen):
		return formatCassette
	case bytes.IndexByte(seen, '\n') < 0:
		return formatUnknown
	default:
		return formatHAR
	}
}

// formatOfObject tells the format by the first name that just one of the formats has.
func formatOfObject(seen []byte) format {
	d := strictjson.NewDecoder(seen)
	_, _ = d.Next()
	for {
		name, err := d.Next()
		if err != nil || name.Kind != '"' {
			return formatUnknown
		}
		var text string
		_ = json.Unmarshal(name.Raw, &text)
		switch text {
		case "log":
			return formatHAR
		case "method", "url", "status", "request", "response":
			return formatNDJSON
		case "interactions", "http_interactions":
			return formatCassette
		}
		if d.Skip() != nil {
			return formatUnknown
		}
	}
}
