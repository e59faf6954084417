package traffic

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"regexp"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// format is how a recording is written.
type format int

const (
	formatUnknown format = iota
	formatHAR
	formatNDJSON
	formatCassette
)

// headSize is how many bytes of a recording are looked at, at most, for its format.
const headSize = 64 << 10

// readAs yields the exchanges of one recording, in that format, or in the one that it seems to have.
func readAs(r io.Reader, name string, as format) iter.Seq2[*Exchange, error] {
	return exchanges(func(yield func(*Batch, error) bool) {
		out := &output{yield: yield}
		if err := out.read(r, name, as); err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	})
}

// read reads one recording, in that format, or in the one that it seems to have. The error is an [*Error], or errStopped.
func (o *output) read(r io.Reader, name string, as format) error {
	head := bufio.NewReaderSize(r, headSize)
	w := window{out: o, r: head, file: &file{name: name, format: as}}
	mark, err := head.Peek(3)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return &Error{File: name, Entry: -1, Offset: int64(len(mark)), Err: err}
	case len(mark) == 0:
		return &Error{File: name, Entry: -1, Err: errors.New("the file is empty")}
	case bytes.Equal(mark, []byte("\xef\xbb\xbf")):
		w.at = 3
		_, _ = head.Discard(3)
	case bytes.HasPrefix(mark, []byte("\xfe\xff")), bytes.HasPrefix(mark, []byte("\xff\xfe")):
		return &Error{File: name, Entry: -1, Err: errors.New("encoded in UTF-16; a HAR file is UTF-8")}
	}
	if as == formatUnknown {
		w.file.format = w.detect(head)
	}
	defer func() { w.close() }()
	switch w.file.format {
	case formatNDJSON:
		return readLines(&w)
	case formatCassette:
		return readCassette(&w, head)
	default:
		h := harReader{window: &w}
		return h.read()
	}
}

// detect tells the format of a recording by how it starts, behind any number of blanks. What might be anything is taken for
// HAR, whose reader says what is wrong with it.
func (w *window) detect(head *bufio.Reader) format {
	for n := 1; ; n = head.Buffered() + 1 {
		_, err := head.Peek(min(n, headSize))
		seen, _ := head.Peek(head.Buffered())
		if found := formatOf(seen); found != formatUnknown {
			return found
		}
		switch {
		case err != nil:
			return formatHAR
		case n > headSize && skipBlanks(seen, 0) == len(seen):
			w.at += int64(len(seen))
			w.blankLines += bytes.Count(seen, []byte("\n"))
			_, _ = head.Discard(len(seen))
		case n > headSize:
			return formatHAR
		}
	}
}

// formatOf tells the format by the first bytes of a recording, or formatUnknown if more of them might.
func formatOf(seen []byte) format {
	i := skipBlanks(seen, 0)
	if i == len(seen) {
		return formatUnknown
	}
	if seen[i] == '{' {
		if j := skipBlanks(seen, i+1); j < len(seen) && seen[j] != '"' && yamlKey.Match(seen[j:]) {
			return formatCassette // a flow mapping, with names that JSON would have in quotes
		}
		return formatOfObject(seen[i:])
	}
	if seen[i] == '#' || seen[i] == '%' {
		return formatCassette // a comment, or a directive
	}
	line, _, whole := bytes.Cut(seen[i:], []byte("\n"))
	if !whole {
		return formatUnknown
	}
	if isItem(line) || bytes.HasPrefix(line, []byte("---")) || yamlKey.Match(line) {
		return formatCassette
	}
	return formatHAR
}

var yamlKey = regexp.MustCompile(`^("\w+"|'\w+'|[A-Za-z_]\w*)[ \t]*:(\s|$)`)

// formatOfObject tells the format by the first name that just one of the formats has.
func formatOfObject(seen []byte) format {
	d := strictjson.NewDecoder(seen)
	for depth, isName := 0, false; ; {
		token, err := d.Next()
		if err != nil {
			return formatUnknown
		}
		switch token.Kind {
		case '{', '[':
			depth++
			isName = depth == 1
			continue
		case '}', ']':
			depth--
		}
		if depth != 1 {
			if depth == 0 {
				return formatUnknown
			}
			continue
		}
		if isName {
			switch string(strictjson.Unquote(token.Raw)) {
			case "log":
				return formatHAR
			case "interactions":
				return formatCassette
			case "method", "url", "status", "request", "response":
				return formatNDJSON
			}
		}
		isName = !isName
	}
}

// exchanges decodes the records of batches, one after the other.
func exchanges(batches iter.Seq2[*Batch, error]) iter.Seq2[*Exchange, error] {
	return func(yield func(*Exchange, error) bool) {
		for batch, err := range batches {
			if err != nil {
				yield(nil, err)
				return
			}
			records := batch.Records()
			for i := range records {
				e, err := records[i].Exchange()
				if !yield(e, err) || err != nil {
					return
				}
			}
			batch.Release()
		}
	}
}
