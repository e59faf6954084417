package page

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// query is what the reader asks for by the address, so that it can be kept and passed on.
type query struct {
	Exchange int64 // the chosen one; 0 for none
	Before   int64 // the list has those with a lower number; 0 for the newest
	Only     bool  // the list has only those with findings
}

// readQuery returns what is wrong with an address, if anything is.
func readQuery(values url.Values) (q query, problem string) {
	for name, number := range map[string]*int64{"exchange": &q.Exchange, "before": &q.Before} {
		text := values.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			return query{}, fmt.Sprintf("The parameter %s is the number of an exchange, from 1.", name)
		}
		*number = n
	}
	switch values.Get("only") {
	case "":
	case "findings":
		q.Only = true
	default:
		return query{}, "The parameter only is findings, or is left out."
	}
	return q, ""
}

// String is the address, from that of the page.
func (q query) String() string {
	var parts []string
	if q.Only {
		parts = append(parts, "only=findings")
	}
	if q.Before != 0 {
		parts = append(parts, fmt.Sprintf("before=%d", q.Before))
	}
	if q.Exchange != 0 {
		parts = append(parts, fmt.Sprintf("exchange=%d", q.Exchange))
	}
	if parts == nil {
		return "./"
	}
	return "?" + strings.Join(parts, "&")
}

// Choose is the same list with another exchange chosen; 0 for none.
func (q query) Choose(exchange int64) string {
	q.Exchange = exchange
	return q.String()
}

// From is another page of the list; 0 for the newest.
func (q query) From(before int64) string { return query{Before: before, Only: q.Only}.String() }

// Switch is the newest page of the other list: with findings only, or of all.
func (q query) Switch() string { return query{Only: !q.Only}.String() }
