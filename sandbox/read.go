package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// RetrieveFault implements [fleetioserver.ServerInterface].
func (o operations) RetrieveFault(w http.ResponseWriter, r *http.Request, id int64) {
	c := exchangeOf(w)
	fault, err := o.sandbox.record(r.Context(), c.account, id)
	switch {
	case errors.Is(err, errNoRecord):
		c.problem(http.StatusNotFound, fmt.Sprintf("The account has no fault %d.", id))
	case err != nil:
		o.sandbox.storeFailed(c, err)
	default:
		c.set(http.StatusOK, fault.JSON())
	}
}

var errNoRecord = errors.New("the account has no such fault")

// record returns a fault of an account.
func (s *Sandbox) record(ctx context.Context, a *account, id int64) (Record, error) {
	list, err := s.store.Records(ctx, Query{MaxID: id, Limit: 1})
	if err == nil && (len(list) == 0 || list[0].ID != id || list[0].Account != a.ID) {
		err = errNoRecord
	}
	if err != nil {
		return Record{}, err
	}
	return list[0], nil
}

// records returns the faults of a query without a limit, by descending id.
func (s *Sandbox) records(ctx context.Context, q Query) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		q.Limit = 500
		for {
			list, err := s.store.Records(ctx, q)
			if err != nil {
				yield(Record{}, err)
				return
			}
			for _, r := range list {
				if !yield(r, nil) {
					return
				}
			}
			if len(list) < q.Limit || list[len(list)-1].ID == 1 {
				return
			}
			q.MaxID = list[len(list)-1].ID - 1
		}
	}
}

var pageObject = objectOf(fleetioapi.FaultPageSchema)

// maxRemaining limits the estimated_remaining_count (page "List Faults").
const maxRemaining = 500

// ListFaults implements [fleetioserver.ServerInterface]. It takes the parameters from the exchange, so that a filter that
// the contract gains takes effect.
func (o operations) ListFaults(w http.ResponseWriter, r *http.Request, _ fleetioapi.ListFaultsParams) {
	c := exchangeOf(w)
	l, problem := newListing(c)
	if problem != "" {
		c.problem(http.StatusBadRequest, problem)
		return
	}
	matches, err := o.sandbox.matches(r.Context(), c.account, l)
	if err != nil {
		o.sandbox.storeFailed(c, err)
		return
	}
	page := matches[:min(l.perPage, len(matches))]
	remaining := matches[len(page):]
	records := make([]string, len(page))
	for i := range page {
		record, err := o.sandbox.record(r.Context(), c.account, page[i].id)
		if err != nil {
			o.sandbox.storeFailed(c, err)
			return
		}
		records[i] = string(record.JSON())
	}
	values := map[string]string{
		"per_page":                  strconv.Itoa(l.perPage),
		"estimated_remaining_count": strconv.Itoa(min(len(remaining), maxRemaining)),
		"filtered_by":               list(l.filteredBy),
		"sorted_by":                 list(l.sortedBy),
		"records":                   list(records),
	}
	if l.cursor != nil {
		values["start_cursor"] = quote(*l.cursor)
	}
	if len(remaining) > 0 {
		values["next_cursor"] = quote(l.cursorAfter(c.account, page[len(page)-1].id))
	}
	c.set(http.StatusOK, pageObject.write(values))
}

// list returns JSON values as a list.
func list(values []string) string { return "[" + strings.Join(values, ",") + "]" }

// match is a fault that has passed the filters, with the values that it is sorted by.
type match struct {
	id   int64
	keys []scalar
}

// matches returns the faults from the start of the page, in order. If that is the order of the store, it returns no
// more than the page and the count of the remaining ones need.
func (s *Sandbox) matches(ctx context.Context, a *account, l *listing) (list []match, err error) {
	q := Query{Account: a.ID, ExternalID: l.externalID}
	if l.storeOrder() {
		q.MaxID = l.after
	}
	for r, err := range s.records(ctx, q) {
		if err != nil {
			return nil, err
		}
		if l.storeOrder() && r.ID == l.after {
			continue
		}
		if keys, ok := l.match(r); ok {
			list = append(list, match{r.ID, keys})
		}
		if l.storeOrder() && len(list) == l.perPage+maxRemaining {
			break
		}
	}
	if !l.storeOrder() {
		slices.SortStableFunc(list, func(a, b match) int { return l.compare(a.keys, b.keys) })
		list = list[slices.IndexFunc(list, func(m match) bool { return m.id == l.after })+1:]
	}
	return list, nil
}

// cursorAfter returns the cursor of the page that begins after a fault. It holds the id, and a checksum over what the
// list is of, so that a cursor of another list, or one that no list had, is refused.
func (l *listing) cursorAfter(a *account, id int64) string {
	sum := sha256.Sum256(fmt.Append(nil, a.ID, " ", id, l.filteredBy, l.sortedBy))
	return base64.RawURLEncoding.EncodeToString(append(binary.BigEndian.AppendUint64(nil, uint64(id)), sum[:8]...)) //nolint:gosec // ids are positive
}

// start sets the fault after which the page of the cursor begins, and reports whether the cursor is one of this list.
func (l *listing) start(a *account) bool {
	text, err := base64.RawURLEncoding.DecodeString(*l.cursor)
	if err != nil || len(text) < 8 {
		return false
	}
	l.after = int64(binary.BigEndian.Uint64(text)) //nolint:gosec // the checksum refuses others
	return l.cursorAfter(a, l.after) == *l.cursor
}
