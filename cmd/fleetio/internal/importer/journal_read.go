package importer

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	journalVersion = 2         // 1 has no account
	eventJournal   = "journal" // the first line: what the journal is of
	eventSending   = "sending" // is about to be sent
	mostOfEvent    = 64 << 10
)

// rowEvents are the events about a row.
var rowEvents = []string{eventSending, OutcomeCreated, OutcomeRejected, OutcomeNotCreated, OutcomeAmbiguous}

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
	HMACKey []byte `json:"hmac_key,omitempty"`
	Account []byte `json:"account,omitempty"` // HMAC-SHA256 of the Account-Token
	Time    string `json:"time,omitempty"`
}

// entry is what a journal says of a row.
type entry struct {
	sum  [sha256.Size]byte // zero where not known
	last string            // event
}

// settled reports whether the row must not be sent again on its own. That it was being sent, and no more, says that
// nobody knows what became of it.
func (e entry) settled() bool {
	return e.last == OutcomeCreated || e.last == OutcomeAmbiguous || e.last == eventSending
}

// history is what a journal says.
type history struct {
	url     string
	account account
	created bool         // a fault may have been, since the account was named
	open    map[int]bool // rows of which a sending and no outcome was read since then
	rows    map[int]entry
	torn    []int // lines that have half an event
	damaged bool  // half an event was read, and no header since
	whole   int64 // bytes of the lines that are complete
}

var errNoJournal = errors.New("this is no journal, or one that was damaged: restore it, or name another file by --journal if no row was sent yet")

// readHistory reads a journal. What follows the last line break was being written when the process died: nothing was sent
// after it, so a row whose sending it was to tell was not sent, and one whose outcome it was to tell has none.
func readHistory(path string, r io.Reader) (*history, error) {
	h := &history{rows: map[int]entry{}, open: map[int]bool{}}
	lines := bufio.NewReaderSize(r, mostOfEvent)
	for n := 1; ; n++ {
		text, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && n == 1 && !tornHeader(text):
			return nil, fmt.Errorf("%s: %w", path, errNoJournal)
		case errors.Is(err, io.EOF):
			return h, nil
		case errors.Is(err, bufio.ErrBufferFull):
			err = errors.New("too long for a journal")
		case err != nil:
			return nil, err
		default:
			err = h.addLine(n, text)
		}
		if err != nil && n > 1 {
			err = fmt.Errorf("%w: nothing was sent; restore the journal or correct that line, as without it rows would be sent again", err)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		h.whole += int64(len(text))
	}
}

// tornHeader reports whether a text may be the beginning of a first line, so that no other file is cut for a journal.
func tornHeader(text []byte) bool {
	const start = `{"event":"journal",`
	return strings.HasPrefix(start, string(text)) || bytes.HasPrefix(text, []byte(start))
}

// halfSending is a sending that was not written to its end, and says of which row.
var halfSending = regexp.MustCompile(`^{"event":"sending","row":([0-9]{1,18}),`)

// addLine takes in a line: an event or, where an earlier version met a full disk, halves of events, and those that it
// appended to them.
//
// The journal is trusted up to the half. Each row that an event behind it is about is ambiguous, whatever the event says,
// and so is the row of the half itself. Other rows were not sent: after a failed write, that version wrote the outcomes of
// rows that were on their way, and no sending. A header ends this, which this version writes before it goes on.
func (h *history) addLine(n int, text []byte) error {
	const start = `{"e` // of each event, and nowhere else in one: a quote in a string is escaped, and no name follows its end
	for i, piece := range bytes.Split(text, []byte(start)) {
		if i > 0 {
			piece = append([]byte(start), piece...)
		} else if len(piece) == 0 {
			continue
		}
		e, err := decodeEvent(piece)
		switch {
		case n == 1 && err != nil:
			return errNoJournal
		case n == 1:
			err = h.addHeader(&e)
		case err == nil:
			err = h.add(&e)
		case errors.Is(err, io.ErrUnexpectedEOF) && piece[len(piece)-1] != '\n':
			h.torn, h.damaged = append(h.torn, n), true
			err = h.addHalf(piece)
		default:
			err = errors.New("no line of a journal")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func decodeEvent(text []byte) (event, error) {
	var e event
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&e)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return e, nil
		}
		err = errors.New("more than one object")
	}
	return e, err
}

// addHalf takes in an event that was not written to its end. Of a sending, the hash is not known.
func (h *history) addHalf(text []byte) error {
	sending := halfSending.FindSubmatch(text)
	if sending == nil {
		return nil
	}
	number, err := strconv.Atoi(string(sending[1]))
	if err != nil {
		return err
	}
	h.doubt(number)
	return nil
}

// doubt makes a row ambiguous, unless the journal has it as created before the damage.
func (h *history) doubt(number int) {
	h.created = true
	if row := h.rows[number]; row.last != OutcomeCreated {
		h.rows[number] = entry{sum: row.sum, last: OutcomeAmbiguous}
	}
}

// isBound reports whether the journal is of one account and no other. A token with which nothing can have been created, such as
// a mistyped one, binds nothing.
func (h *history) isBound() bool {
	return h.account.digest != nil && (h.created || len(h.open) > 0)
}

// isForeign reports whether rows may have been created for an account that the journal does not name, as an earlier version
// did not.
func (h *history) isForeign() bool {
	for _, row := range h.rows {
		if row.settled() {
			return !h.isBound()
		}
	}
	return false
}

// addHeader takes in the first line, or a later one, which adds the account to the journal of an earlier version or ends
// what is damaged.
func (h *history) addHeader(e *event) error {
	switch {
	case e.Event != eventJournal || e.URL == "":
		return errNoJournal
	case e.Version < 1 || e.Version > journalVersion:
		return fmt.Errorf("a journal of version %d, and this program knows versions up to %d", e.Version, journalVersion)
	case h.url != "" && (h.url != e.URL || h.isBound() && !bytes.Equal(h.account.digest, e.Account)):
		return errors.New("the header of another journal")
	case e.Version == 1 && e.HMACKey == nil && e.Account == nil:
	case len(e.HMACKey) != sha256.Size || len(e.Account) != sha256.Size:
		return errors.New("hmac_key or account is no SHA-256")
	}
	if !bytes.Equal(h.account.digest, e.Account) {
		h.created, h.open = false, map[int]bool{}
	}
	h.url, h.account, h.damaged = e.URL, account{e.HMACKey, e.Account}, false
	return nil
}

func (h *history) add(e *event) error {
	if e.Event == eventJournal {
		return h.addHeader(e)
	}
	if !slices.Contains(rowEvents, e.Event) {
		return errors.New("an event that this program does not know")
	}
	if e.Row < 1 {
		return errors.New("a row is missing")
	}
	row := h.rows[e.Row]
	switch {
	case e.Event == eventSending:
		if row.last == OutcomeCreated && !h.damaged {
			return fmt.Errorf("row %d is sent again, which was created", e.Row)
		}
		sum, err := hex.DecodeString(e.SHA256)
		if err != nil || len(sum) != len(row.sum) {
			return errors.New("sha256 is no SHA-256")
		}
		copy(row.sum[:], sum)
	case row.last != eventSending && !h.damaged:
		return fmt.Errorf("row %d has an outcome, and was not sent", e.Row)
	}
	if h.damaged {
		h.doubt(e.Row)
		return nil
	}
	delete(h.open, e.Row)
	switch e.Event {
	case eventSending:
		h.open[e.Row] = true
	case OutcomeCreated, OutcomeAmbiguous:
		h.created = true
	}
	row.last = e.Event
	h.rows[e.Row] = row
	return nil
}
