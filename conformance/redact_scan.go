package conformance

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"io"
	"slices"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

const (
	mostBody     = 1 << 20
	mostLayers   = 3             // base64 within compressed data within base64
	mostOpen     = 16            // archives that overlap, in one text
	mostInflated = 16 * mostBody // of all archives in one text, in bytes
	openingCosts = 4 << 10       // of mostInflated: what looks like an archive may be none
)

// standsIn reports whether a credential of the set stands in any part of an exchange.
func (s *credentialSet) standsIn(ex *traffic.Exchange) bool {
	u := ex.URL
	texts := [][]byte{[]byte(ex.Source), []byte(ex.Method), []byte(u.String()), []byte(u.Path), ex.Request.Body, ex.Response.Body}
	for _, m := range []*traffic.Message{&ex.Request, &ex.Response} {
		for name, values := range m.Header {
			texts = append(texts, []byte(name))
			for _, value := range values {
				texts = append(texts, []byte(value))
			}
		}
	}
	return slices.ContainsFunc(texts, s.stands)
}

// stands reports whether a credential of the set stands in a text, in a form that redact replaces or in any of: taken apart
// by spaces or punctuation, within base64 at any offset, compressed. What cannot be looked through counts, too.
func (s *credentialSet) stands(text []byte) bool {
	if len(s.words) == 0 {
		return false
	}
	return s.search().all(text)
}

// isCompressed reports whether a credential of the set stands in compressed data. It cannot be replaced there even if it is
// readable, as compressors store short texts as they are: the length and the checksum would be wrong.
func (s *credentialSet) isCompressed(text []byte) bool {
	return len(s.words) > 0 && new(archives).write(s.search(), text, true, true, true)
}

func (s *credentialSet) search() *search {
	inflatable := mostInflated
	return &search{set: s, inflatable: &inflatable}
}

// search looks for credentials in a text that comes in pieces, and in what is encoded in it.
type search struct {
	set        *credentialSet
	depth      int  // of the text in others
	inflatable *int // how many bytes more may be decompressed

	begun  bool
	layers int // ways to read the text
	ways   [mostReadings]way
}

// way is one way to read a text.
type way struct {
	unescaper unescaper // of what the way before it reads
	forms     matcher
	runs      matcher
	squeezed  []byte
	base64    base64Runs
	archives  archives
}

func (s *search) all(text []byte) bool {
	for len(text) > pieceSize {
		if s.write(text[:pieceSize], false) {
			return true
		}
		text = text[pieceSize:]
	}
	return s.write(text, true)
}

// write takes the next piece, and reports whether a credential stands in what came so far. After the last piece another text
// may come.
func (s *search) write(text []byte, last bool) bool {
	if !s.begun {
		s.layers = mostReadings
		if last && !hasEscapes(text) {
			s.layers = 1
		}
	}
	first := !s.begun
	s.begun = !last
	piece := reading{text: text}
	for k := range s.layers {
		w := &s.ways[k]
		if k > 0 {
			piece = w.unescaper.write(piece, last)
		}
		if s.look(w, piece, first, last, k == 0 || w.unescaper.changed) {
			return true
		}
	}
	return false
}

// look looks into the next piece. It is new if the way before it does not read the same
// so far: what is in archives is looked through once.
func (s *search) look(w *way, piece reading, first, last, isNew bool) bool {
	none := func(int, int) bool { return false }
	w.forms.index, w.runs.index = s.set.forms, s.set.runs
	if !w.forms.write(piece, last, none) {
		return true
	}
	if s.depth == 0 {
		w.squeezed = squeezed(w.squeezed[:0], piece.text)
		if !w.runs.write(reading{text: w.squeezed, same: piece.same}, last, none) {
			return true
		}
	}
	return s.depth < mostLayers && (w.base64.write(s, piece, last) || w.archives.write(s, piece.text, first, last, isNew))
}

// below looks for credentials in what is encoded in the text.
func (s *search) below() *search {
	return &search{set: s.set, depth: s.depth + 1, inflatable: s.inflatable}
}

// base64Runs decodes what looks like base64 (RFC 4648, both alphabets), from each of the four places that a group may begin
// at, as text before it may look the same. Line breaks within it are left out.
type base64Runs struct {
	run     []byte // a run, as far as it is not decoded yet
	begun   bool   // a part of it is
	same    bool   // as the way before has it
	decoded []byte
	below   [4]*search
}

func (b *base64Runs) write(s *search, piece reading, last bool) bool {
	text := piece.text
	if piece.same && b.same && !b.begun {
		// The way before has looked into all but what goes on behind the piece.
		at := len(text)
		for at > 0 && base64Bytes[text[at-1]] != base64Other && !last {
			at--
		}
		if at > 0 || last {
			b.run, text = b.run[:0], text[at:]
		}
	}
	b.same = piece.same && (b.same || len(b.run) == 0)
	for i := 0; i < len(text); i++ {
		if len(b.run) == 0 && !b.begun {
			if i = runIn(text, i); i == len(text) {
				break
			}
		}
		c := base64Bytes[text[i]]
		switch c {
		case base64Blank:
			continue
		case base64Other:
			if !b.begun && len(b.run) < shortestBase64 {
				b.run = b.run[:0]
			} else if b.decode(s, true) {
				return true
			}
			continue
		}
		if b.run = append(b.run, c); len(b.run) == pieceSize && b.decode(s, false) {
			return true
		}
	}
	return last && len(b.run) > 0 && b.decode(s, true)
}

// runIn returns where, from i on, a run may begin that is long enough, or is cut off.
func runIn(text []byte, i int) int {
	for i+shortestBase64 <= len(text) {
		at := i + shortestBase64 - 1
		for at >= i && base64Bytes[text[at]] != base64Other {
			at--
		}
		if at < i {
			break
		}
		i = at + 1
	}
	return i
}

const (
	base64Other = iota // ends a run
	base64Blank        // is left out
)

// shortestBase64 is the length of the shortest secret in base64.
const shortestBase64 = (shortestSecret*8 + 5) / 6

// base64Bytes has for each byte the one that it stands for in the standard alphabet, or one of these.
var base64Bytes = func() (table [256]byte) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		table[c] = c
	}
	table['-'], table['_'] = '+', '/'
	for _, c := range []byte("\r\n\t ") {
		table[c] = base64Blank
	}
	return table
}()

// decode decodes what there is of a run, but for what might continue; all of it where that is the end.
func (b *base64Runs) decode(s *search, end bool) bool {
	whole := (len(b.run) - len(b.below) + 1) / 4 * 4
	for start := range b.below {
		if len(b.run) < start || !b.begun && len(b.run)-start < shortestBase64 {
			break
		}
		group := b.run[start:]
		if !end {
			group = group[:whole]
		} else if len(group)%4 == 1 {
			group = group[:len(group)-1] // no byte ends there
		}
		var err error
		if b.decoded, err = base64.RawStdEncoding.AppendDecode(b.decoded[:0], group); err != nil {
			panic(err) // there is nothing else in it
		}
		if b.below[start] == nil {
			b.below[start] = s.below()
		}
		if b.below[start].write(b.decoded, end) {
			return true
		}
	}
	if b.begun = !end; end {
		whole = len(b.run)
	}
	b.run = b.run[:copy(b.run, b.run[whole:])]
	return false
}

// Compressed data is looked into when there is so much of it, and then again with more. Where mostArchive does not hold the end,
// it cannot be looked through.
const (
	firstLook   = 4 << 10
	mostArchive = 2 * mostBody
)

// archives finds gzip (RFC 1952) wherever it begins in a text, and zlib (RFC 1950) at its start.
type archives struct {
	seen []byte // the last bytes, which gzip may begin with
	open []archive
}

type archive struct {
	data   []byte
	read   func(io.Reader) (io.Reader, error)
	enough int // data to look into it
}

func openGzip(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
func openZlib(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }

var gzipMagic = []byte{0x1f, 0x8b, 8}

func (a *archives) write(s *search, text []byte, first, last, isNew bool) bool {
	for i := range a.open {
		a.open[i].data = append(a.open[i].data, text...)
	}
	if first && len(text) >= 2 && text[0] == 0x78 && (uint(text[0])<<8|uint(text[1]))%31 == 0 {
		a.open = append(a.open, archive{bytes.Clone(text), openZlib, firstLook})
	}
	a.seen = append(a.seen, text...)
	for rest := a.seen; ; rest = rest[1:] {
		i := bytes.Index(rest, gzipMagic)
		if i < 0 {
			break
		}
		rest = rest[i:]
		a.open = append(a.open, archive{bytes.Clone(rest), openGzip, firstLook})
		if len(a.open) > mostOpen {
			return true
		}
	}
	a.seen = a.seen[:copy(a.seen, a.seen[max(0, len(a.seen)-len(gzipMagic)+1):])]
	if last {
		a.seen = a.seen[:0]
	}
	for i := 0; i < len(a.open); {
		of := &a.open[i]
		if len(of.data) < of.enough && !last {
			i++
			continue
		}
		ended, stands := of.holds(s, last, isNew)
		switch {
		case stands:
			return true
		case ended || last:
			a.open = slices.Delete(a.open, i, i+1)
		case len(of.data) > mostArchive:
			return true
		default:
			of.enough *= 8
			i++
		}
	}
	return false
}

// holds reports whether a credential stands in compressed data, or may stand in it, and whether it has come to its end: what
// is no archive nearly always does so soon.
func (a *archive) holds(s *search, last, isNew bool) (ended, stands bool) {
	var data []byte
	r, err := a.read(bytes.NewReader(a.data))
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(r, mostBody+1)) // of a broken one, what there is
	}
	if isNew {
		*s.inflatable -= openingCosts + len(data)
	}
	if *s.inflatable < 0 || len(data) > mostBody {
		return true, true
	}
	if !last && (err == nil || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)) {
		return false, false
	}
	return true, isNew && s.below().all(data)
}
