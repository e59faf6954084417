package importer

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	journalVersion = 1
	eventJournal   = "journal" // the first line: the server and the account
	eventSending   = "sending" // a row is about to be sent
	maxEvent       = 64 << 10
)

// event is a line of a journal.
type event struct {
	Event   string `json:"event"` // or an outcome
	Version int    `json:"version,omitempty"`
	URL     string `json:"url,omitempty"` // of the server
	Row     int    `json:"row,omitempty"`
	Line    int    `json:"line,omitempty"`
	SHA256  string `json:"sha256,omitempty"` // of the JSON of the row
	// ExternalID is the one that import gave the fault, as the row has none.
	ExternalID string `json:"external_id,omitempty"`
	ID         int64  `json:"id,omitempty"` // of the fault, 0 if unknown
	Message    string `json:"message,omitempty"`
	HMACKey    []byte `json:"hmac_key,omitempty"`
	Account    []byte `json:"account,omitempty"` // HMAC-SHA256 of the Account-Token
	Time       string `json:"time,omitempty"`
}

// entry is the state of a row in a journal.
type entry struct {
	sum   string    // "" if unknown
	last  string    // event
	given string    // external_id, "" if import gave it none
	sent  time.Time // zero if unknown
}

// mayExist reports whether the fault was created, or may have been: the row must not be sent again by itself. A row
// of which the journal has the sending and no outcome is such a row.
func (e entry) mayExist() bool {
	return e.last == OutcomeCreated || e.isOpen()
}

// isOpen reports whether it is unknown whether the fault was created.
func (e entry) isOpen() bool {
	return e.last == OutcomeAmbiguous || e.last == OutcomeNotFound || e.last == eventSending
}

// account distinguishes an Account-Token from others without revealing it. The key is random, so that no table of
// digests finds the token, and two journals do not show that they are of one account.
type account struct {
	key, digest []byte // of sha256.Size bytes; nil before the first header
}

func newAccount(token string) account {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // which never fails
	return account{key, digestToken(key, token)}
}

func (a account) hasToken(token string) bool {
	return a.digest != nil && hmac.Equal(a.digest, digestToken(a.key, token))
}

func digestToken(key []byte, token string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(token))
	return h.Sum(nil)
}

// history is the content of a journal.
type history struct {
	url     string
	account account
	created bool         // a fault may have been, since the account was named
	open    map[int]bool // rows with a sending and no outcome since then
	rows    map[int]entry
	ids     map[int64]int // rows by the id of their fault
	size    int64         // bytes of the complete lines
}

var errNoJournal = errors.New(
	"not a journal, or a damaged one; restore it, or use another --journal if no row was sent yet")

// readHistory reads a journal. It ignores an incomplete last line, which was being written when the process died.
// Nothing was sent afterwards: a row with an incomplete sending was not sent, and one with an incomplete outcome has
// none.
//
// It fails for the journal of another server or account, where the same rows are other faults. token is "" if the
// account is not known.
func readHistory(r io.Reader, path, url, token string) (*history, error) {
	h := &history{rows: map[int]entry{}, open: map[int]bool{}, ids: map[int64]int{}}
	lines := bufio.NewReaderSize(r, maxEvent)
	for n := 1; ; n++ {
		text, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && n == 1 && !isTornHeader(text):
			return nil, fmt.Errorf("%s: %w", path, errNoJournal)
		case errors.Is(err, io.EOF):
			return h, h.check(path, url, token)
		case errors.Is(err, bufio.ErrBufferFull):
			err = errors.New("too long for a journal")
		case err != nil:
			return nil, err
		default:
			err = h.addLine(n, text)
		}
		if err != nil && n > 1 {
			err = fmt.Errorf("%w; restore the journal, as rows would be sent again without this line. Nothing was sent", err)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		h.size += int64(len(text))
	}
}

func (h *history) check(path, url, token string) error {
	switch {
	case h.url != "" && h.url != url:
		return fmt.Errorf("%s is the journal of an import to %s; use another --journal for another server", path, h.url)
	case token != "" && h.isBound() && !h.account.hasToken(token):
		return fmt.Errorf("%s is the journal of another account; use the Account-Token of that one, or another --journal",
			path)
	}
	return nil
}

// isTornHeader reports whether text may be the start of a journal's first line, so that no other file is truncated.
func isTornHeader(text []byte) bool {
	const start = `{"event":"journal",`
	return strings.HasPrefix(start, string(text)) || bytes.HasPrefix(text, []byte(start))
}

// addLine adds the event of a line.
func (h *history) addLine(n int, line []byte) error {
	e, err := decodeEvent(line)
	switch {
	case n == 1 && (err != nil || e.Event != eventJournal):
		return errNoJournal
	case err != nil:
		return errors.New("not a line of a journal")
	case e.Event == eventJournal:
		return h.addHeader(&e)
	}
	return h.add(&e)
}

func decodeEvent(text []byte) (event, error) {
	var e event
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return e, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return e, errors.New("more than one object")
	}
	return e, nil
}

// isBound reports whether the journal is of one account and no other. A token with which no fault can have been
// created, such as a mistyped one, binds nothing.
func (h *history) isBound() bool { return h.created || len(h.open) > 0 }

// addHeader adds the first line, or a later one, which names another account than one that binds nothing.
func (h *history) addHeader(e *event) error {
	switch {
	case e.URL == "":
		return errNoJournal
	case e.Version != journalVersion:
		return fmt.Errorf("a journal of version %d, and this program knows version %d", e.Version, journalVersion)
	case h.url != "" && (h.url != e.URL || h.isBound() && !bytes.Equal(h.account.digest, e.Account)):
		return errors.New("the header of another journal")
	case len(e.HMACKey) != sha256.Size || len(e.Account) != sha256.Size:
		return errors.New("hmac_key or account is not a SHA-256")
	}
	if !bytes.Equal(h.account.digest, e.Account) {
		h.created, h.open = false, map[int]bool{}
	}
	h.url, h.account = e.URL, account{e.HMACKey, e.Account}
	return nil
}

// add adds an event about a row.
func (h *history) add(e *event) error {
	row := h.rows[e.Row]
	if e.Row < 1 {
		return errors.New("no row")
	}
	switch e.Event {
	case eventSending:
		if row.last == OutcomeCreated {
			return fmt.Errorf("row %d, which was created, is sent again", e.Row)
		}
		if sum, err := hex.DecodeString(e.SHA256); err != nil || len(sum) != sha256.Size {
			return errors.New("sha256 is not a SHA-256")
		}
		row.sum, row.given = e.SHA256, e.ExternalID
		row.sent, _ = time.Parse(time.RFC3339, e.Time) // zero for none
	case OutcomeCreated, OutcomeRejected, OutcomeNotCreated, OutcomeAmbiguous, OutcomeNotFound:
		if !row.isOpen() {
			return fmt.Errorf("row %d has an outcome, and was not sent", e.Row)
		}
	default:
		return errors.New("an event that this program does not know")
	}
	if e.Event == eventSending {
		h.open[e.Row] = true
	} else {
		delete(h.open, e.Row)
		h.created = h.created || e.Event != OutcomeRejected && e.Event != OutcomeNotCreated
	}
	if e.Event == OutcomeCreated && e.ID != 0 {
		h.ids[e.ID] = e.Row
	}
	row.last = e.Event
	h.rows[e.Row] = row
	return nil
}
