package traffic

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// readCassette reads a cassette of go-vcr (github.com/dnaeon/go-vcr). What go-vcr writes is split into its interactions
// by their indentation; a cassette that is written in another style is held in memory as a whole.
func readCassette(w *window, head *bufio.Reader) error {
	seen, _ := head.Peek(headSize) // an error comes again with the bytes behind
	n, indent := blockHead(seen)
	if n == 0 {
		return readDocument(w)
	}
	rest := bytes.Clone(seen[:n])
	if _, err := parseCassette(rest, false); err != nil {
		if errors.Is(err, errVersion) {
			return w.cassetteError(rest, err)
		}
		return readDocument(w)
	}
	_, _ = head.Discard(n)
	w.at += int64(n)
	s := &itemSplitter{indent: indent, begin: -1}
	if err := w.split(s); err != nil {
		return err
	}
	if s.tooLarge || errors.Is(w.err, errTooLarge) {
		return &Error{File: w.file.name, Entry: w.entry, Offset: w.at, Err: errTooLarge}
	}
	if w.err != nil && !errors.Is(w.err, io.EOF) {
		return &Error{File: w.file.name, Entry: w.entry, Offset: w.at + int64(len(w.rest())), Err: w.err}
	}

	// The document without its interactions must be one by itself.
	end := w.at
	tail, err := readBounded(w.remaining())
	if err != nil {
		return &Error{File: w.file.name, Entry: -1, Offset: end + int64(len(tail)), Err: err}
	}
	if _, err := parseCassette(append(rest, tail...), false); err != nil {
		if fault, ok := errors.AsType[*yamlError](err); ok {
			err = fault.err
		}
		return &Error{File: w.file.name, Entry: -1, Offset: end, Err: err}
	}
	return nil
}

// readDocument reads a cassette as a whole.
func readDocument(w *window) error {
	text, err := readBounded(w.r)
	if err != nil {
		return &Error{File: w.file.name, Entry: -1, Offset: w.at + int64(len(text)), Err: err}
	}
	items, err := parseCassette(text, true)
	if err != nil {
		return w.cassetteError(text, err)
	}
	size := w.at + int64(len(text))
	for _, item := range items {
		r := Record{Index: w.out.index, raw: text, at: w.at, item: item, entry: w.entry, file: w.file}
		w.out.index++
		w.entry++
		batch := &Batch{buf: &buffer{records: []Record{r}}, bytes: size}
		size = 0 // the first stands for all
		if !w.out.yield(batch, nil) {
			return errStopped
		}
	}
	return nil
}

// readBounded reads to the end, with an error if there is too much; with any error comes what was read.
func readBounded(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxValue+1))
	if err == nil && len(text) > maxValue {
		return nil, errTooLarge
	}
	return text, err
}

func (w *window) cassetteError(text []byte, err error) error {
	at, err := locate(text, err)
	return &Error{File: w.file.name, Entry: -1, Offset: w.at + at, Err: err}
}

var (
	errNoCassette = errors.New("no list of interactions, so no go-vcr cassette; what can be read is HAR, NDJSON and go-vcr cassettes")
	errVersion    = errors.New("a go-vcr cassette of another version than 1 or 2; what can be read is HAR, NDJSON and go-vcr cassettes of these versions")
)

// parseCassette parses the document of a cassette. Either it holds interactions, which are returned, or they have been
// taken out of it, all of them.
func parseCassette(text []byte, whole bool) ([]*yaml.Node, error) {
	doc, err := parseYAML(text)
	if err != nil {
		return nil, err
	}
	version, interactions := yamlValue{}, yamlValue{}
	if doc.node != nil && doc.node.Kind == yaml.MappingNode {
		err = doc.members(func(key string, v yamlValue) error {
			switch key {
			case "version":
				version = v.named(key)
			case "interactions":
				interactions = v.named(key)
			}
			return nil
		})
	}
	switch {
	case err != nil:
		return nil, err
	case interactions.node == nil:
		return nil, errNoCassette
	case version.node == nil:
		return nil, doc.fail(errors.New("version: missing, so no go-vcr cassette; what can be read is HAR, NDJSON and go-vcr cassettes"))
	case version.node.Value != "1" && version.node.Value != "2":
		return nil, version.fail(errVersion)
	case whole:
		return interactions.elements()
	case !interactions.isNull():
		return nil, interactions.fail(errors.New("more of them, which are not indented as those before"))
	}
	return nil, nil
}

var interactionsKey = regexp.MustCompile(`^(interactions|"interactions"|'interactions')[ \t]*:[ \t]*(#.*)?$`)

// blockHead returns the length of what comes before the first interaction of a cassette in block style, and how far its
// dash is indented; or 0 if the cassette is of another style, or does not get to its interactions in time.
func blockHead(seen []byte) (n, indent int) {
	inside := false
	for n < len(seen) {
		i := bytes.IndexByte(seen[n:], '\n')
		if i < 0 {
			i = len(seen) - n - 1
		}
		line := bytes.TrimRight(seen[n:n+i+1], " \t\r\n")
		switch first := bytes.TrimLeft(line, " "); {
		case !inside:
			inside = interactionsKey.Match(line)
		case len(first) == 0 || first[0] == '#':
		case isItem(first):
			return n, len(line) - len(first)
		default:
			return 0, 0
		}
		n += i + 1
	}
	return 0, 0
}

// isItem reports whether a line, less its indentation, starts an item of a list.
func isItem(line []byte) bool {
	return len(line) > 0 && line[0] == '-' && (len(line) == 1 || strings.IndexByte(" \t\r\n", line[1]) >= 0)
}

// itemSplitter finds the items of a list, all of whose lines but the first are indented further than the dash. Within a
// quoted text they need not be; such an item is cut in two, both of which then are no YAML.
type itemSplitter struct {
	indent   int
	begin    int // of the item whose end is looked for, or -1
	pos      int // of the first line that was not looked at
	seen     int // up to where there is no end of it
	tooLarge bool
}

func (s *itemSplitter) split(rest []byte, last bool) (begin, end, line int, found step) {
	for s.pos < len(rest) {
		s.seen = max(s.seen, s.pos)
		i := bytes.IndexByte(rest[s.seen:], '\n')
		next := s.seen + i + 1
		if i < 0 {
			if next = len(rest); !last {
				s.seen = len(rest)
				break
			}
		}
		kind := s.kindOf(rest[s.pos:next])
		if kind != lineWithin {
			if s.begin >= 0 {
				return s.item(s.pos)
			}
			if kind == lineBehind {
				return 0, 0, 0, stepStop
			}
			s.begin = s.pos
		}
		s.pos = next
	}
	switch {
	case !last:
		return 0, 0, 0, stepMore
	case s.begin >= 0:
		return s.item(len(rest))
	default:
		return 0, 0, 0, stepStop
	}
}

// item is the item up to end.
func (s *itemSplitter) item(end int) (int, int, int, step) {
	begin := s.begin
	s.begin, s.pos, s.seen = -1, 0, 0
	if end-begin > maxValue {
		s.tooLarge = true
		return 0, 0, 0, stepStop
	}
	return begin, end, 0, stepRecord
}

// lineKind is what a line is to a list.
type lineKind int

const (
	lineWithin lineKind = iota // of an item, or blank, or a comment
	lineItem                   // the first of an item
	lineBehind                 // behind the list
)

func (s *itemSplitter) kindOf(line []byte) lineKind {
	text := bytes.TrimLeft(line, " ")
	blank := len(bytes.TrimSpace(text)) == 0
	switch indent := len(line) - len(text); {
	case blank, text[0] == '#', indent > s.indent:
		return lineWithin
	case indent == s.indent && isItem(text):
		return lineItem
	default:
		return lineBehind
	}
}
