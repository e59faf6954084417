package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	journalVersion = 1
	eventJournal   = "journal" // the first line: what the journal is of
	eventSending   = "sending" // is about to be sent
	mostOfEvent    = 64 << 10
)

// event is a line of a journal.
type event struct {
	Event   string `json:"event"` // or an outcome
	Version int    `json:"version,omitempty"`
	URL     string `json:"url,omitempty"` // of the server
	Row     int    `json:"row,omitempty"`
	Line    int    `json:"line,omitempty"`
	SHA256  string `json:"sha256,omitempty"` // of the JSON that is sent
	ID      int64  `json:"id,omitempty"`     // of the fault, 0 where not known
	Message string `json:"message,omitempty"`
	Time    string `json:"time,omitempty"`
}

// entry is what a journal says of a row.
type entry struct {
	sum  [sha256.Size]byte
	last string // event
}

// settled reports whether the row must not be sent again on its own. That it was being sent, and no more, says that
// nobody knows what became of it.
func (e entry) settled() bool {
	return e.last == outcomeCreated || e.last == outcomeAmbiguous || e.last == eventSending
}

// history is what a journal says.
type history struct {
	url   string
	rows  map[int]entry
	whole int64 // bytes of the lines that are complete
}

// readHistory reads a journal. What follows the last line break was being written when the process died: nothing was sent
// after it, so a row whose sending it was to tell was not sent, and one whose outcome it was to tell has none.
func readHistory(r io.Reader) (*history, error) {
	h := &history{rows: map[int]entry{}}
	lines := bufio.NewReaderSize(r, mostOfEvent)
	for n := 1; ; n++ {
		text, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && n == 1 && !tornHeader(text):
			return nil, errors.New("this is no journal")
		case errors.Is(err, io.EOF):
			return h, nil
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("line %d: too long for a journal", n)
		case err != nil:
			return nil, err
		}
		if err := h.add(n, text); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		h.whole += int64(len(text))
	}
}

// tornHeader reports whether a text may be the beginning of a first line, so that no other file is cut for a journal.
func tornHeader(text []byte) bool {
	const start = `{"event":"journal",`
	return strings.HasPrefix(start, string(text)) || bytes.HasPrefix(text, []byte(start))
}

func (h *history) add(n int, text []byte) error {
	var e event
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return fmt.Errorf("no line of a journal: %w", err)
	}
	if d.More() {
		return errors.New("no line of a journal: more than one object")
	}
	if n == 1 {
		if e.Event != eventJournal || e.URL == "" {
			return errors.New("this is no journal")
		}
		if e.Version != journalVersion {
			return fmt.Errorf("a journal of version %d, and this program knows version %d", e.Version, journalVersion)
		}
		h.url = e.URL
		return nil
	}
	row, known := h.rows[e.Row]
	switch e.Event {
	case eventSending:
		if e.Row < 1 {
			return errors.New("a row is missing")
		}
		if row.last == outcomeCreated {
			return fmt.Errorf("row %d is sent again, which was created", e.Row)
		}
		sum, err := hex.DecodeString(e.SHA256)
		if err != nil || len(sum) != len(row.sum) {
			return errors.New("sha256 is no SHA-256")
		}
		copy(row.sum[:], sum)
	case outcomeCreated, outcomeRejected, outcomeNotCreated, outcomeAmbiguous:
		if !known || row.last != eventSending {
			return fmt.Errorf("row %d has an outcome, and was not sent", e.Row)
		}
	default:
		return errors.New("an event that this program does not know")
	}
	row.last = e.Event
	h.rows[e.Row] = row
	return nil
}
