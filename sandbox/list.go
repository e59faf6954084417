package sandbox

import (
	"cmp"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// listing is what a List Faults request asks for.
type listing struct {
	filters    []filter
	sorts      []sorting
	filteredBy []string // the filters as JSON objects
	sortedBy   []string // the order as JSON objects
	perPage    int
	cursor     *string // nil for the first page
	after      int64   // the id of the fault before the page; 0 for none
	externalID string  // of all faults of the list; "" for any
}

// filter is a condition on a property.
type filter struct {
	property string
	holds    func(stored scalar) bool
	kind     kind
}

// sorting is a property to sort by.
type sorting struct {
	property   string
	kind       kind
	descending bool
}

// Names of the parameters of a list, from which it takes the property and the operator.
var (
	filterName = regexp.MustCompile(`^filter\[([^\]]+)\]\[([^\]]+)\]$`)
	sortName   = regexp.MustCompile(`^sort\[([^\]]+)\]$`)
)

// operators compare a stored value with those of a filter.
var operators = map[string]func(stored scalar, wanted []scalar) bool{
	"eq": func(s scalar, wanted []scalar) bool { return s.compare(wanted[0]) == 0 },
	"include": func(s scalar, wanted []scalar) bool {
		return slices.ContainsFunc(wanted, func(w scalar) bool { return s.compare(w) == 0 })
	},
	"like": func(s scalar, wanted []scalar) bool {
		return strings.Contains(strings.ToLower(s.text), strings.ToLower(wanted[0].text))
	},
	"lt":  func(s scalar, wanted []scalar) bool { return s.compare(wanted[0]) < 0 },
	"lte": func(s scalar, wanted []scalar) bool { return s.compare(wanted[0]) <= 0 },
	"gt":  func(s scalar, wanted []scalar) bool { return s.compare(wanted[0]) > 0 },
	"gte": func(s scalar, wanted []scalar) bool { return s.compare(wanted[0]) >= 0 },
}

// newListing reads the parameters of a request. problem is "" if they are valid.
func newListing(c *exchange) (l *listing, problem string) {
	l = &listing{}
	for _, p := range c.operation.Parameters {
		if p.Name == "per_page" {
			l.perPage, _ = strconv.Atoi(p.Schema.Typed().Default)
		}
	}
	for _, a := range c.arguments {
		filtered, sorted := filterName.FindStringSubmatch(a.Name), sortName.FindStringSubmatch(a.Name)
		switch {
		case filtered != nil && operators[filtered[2]] == nil:
			return nil, "The sandbox does not know the operator of the parameter " + a.Name + "."
		case filtered != nil:
			l.filter(a, filtered[1], filtered[2])
		case sorted != nil:
			l.sorts = append(l.sorts, sorting{sorted[1], kindOf(cmp.Or(faultObject.property(sorted[1]).Schema, &fleetioapi.Schema{})), a.texts[0] == "desc"})
			l.sortedBy = append(l.sortedBy, "{"+quote(sorted[1])+":"+a.value+"}")
		case a.Name == "per_page":
			l.perPage, _ = strconv.Atoi(integer(a.value))
		case a.Name == "start_cursor":
			l.cursor = &a.texts[0]
		}
	}
	if l.sorts == nil {
		l.sorts, l.sortedBy = []sorting{{"id", number, true}}, []string{`{"id":"desc"}`}
	}
	if l.cursor != nil && !l.start(c.account) {
		return nil, "The parameter start_cursor is no next_cursor of this list."
	}
	query, _ := readQuery(c.request.URL.RawQuery)
	for _, pair := range query {
		if (strings.HasPrefix(pair.name, "filter[") || strings.HasPrefix(pair.name, "sort[")) &&
			!slices.ContainsFunc(c.arguments, func(a argument) bool { return a.Name == pair.name }) {
			// Do not repeat its name, which may be anything.
			return nil, "A filter or sort of the request is not in the contract. Without it, the list would be another."
		}
	}
	l.perPage = max(l.perPage, 1)
	return l, ""
}

// filter adds a condition.
func (l *listing) filter(a argument, property, operator string) {
	f := filter{property: property, kind: kindOf(a.Schema)}
	var wanted []scalar
	for _, text := range a.texts {
		if s, ok := f.kind.parse(quote(text)); ok {
			wanted = append(wanted, s)
		}
	}
	f.holds = func(stored scalar) bool { return len(wanted) > 0 && operators[operator](stored, wanted) }
	if text := a.texts[0]; property == "external_id" && operator == "eq" && quote(text) == `"`+text+`"` { // without escapes
		l.externalID = text
	}
	l.filters = append(l.filters, f)
	l.filteredBy = append(l.filteredBy, "{"+quote(property)+":{"+quote(operator)+":"+a.value+"}}")
}

// storeOrder reports whether the list has the order of the store.
func (l *listing) storeOrder() bool {
	return l.sorts[0].property == "id" && l.sorts[0].descending
}

// match reports whether all filters hold for a fault, and returns the values that it is sorted by.
func (l *listing) match(r Record) (keys []scalar, ok bool) {
	if l.filters == nil && l.storeOrder() {
		return nil, true
	}
	values := r.values()
	for _, f := range l.filters {
		if stored, has := f.kind.parse(values[f.property]); !has || !f.holds(stored) {
			return nil, false
		}
	}
	for _, s := range l.sorts {
		key, _ := s.kind.parse(values[s.property])
		keys = append(keys, key)
	}
	return keys, true
}

// compare compares the values that two faults are sorted by. A fault without a value comes last.
func (l *listing) compare(a, b []scalar) int {
	for i, s := range l.sorts {
		order := a[i].compare(b[i])
		if s.descending && a[i].kind != "" && b[i].kind != "" {
			order = -order
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

// kind is how values are compared.
type kind string

const (
	number  kind = "number"
	instant kind = "instant"
	word    kind = "word" // strings and booleans
)

// kindOf returns the kind of the values of a schema, or of the items of a list.
func kindOf(s *fleetioapi.Schema) kind {
	if items := itemsOf(s); items != nil {
		return kindOf(items)
	}
	switch t := s.Typed().Type; {
	case t == "integer" || t == "number":
		return number
	case s.Typed().Format == "date-time":
		return instant
	}
	return word
}

// scalar is a value that can be compared with others of its kind.
type scalar struct {
	kind    kind // "" for no value
	text    string
	number  *big.Rat
	instant time.Time
}

// parse returns a JSON value as a scalar; false if it is null, absent or of another kind.
func (k kind) parse(raw string) (s scalar, ok bool) {
	if raw == "" || raw == "null" {
		return scalar{}, false
	}
	s.kind, s.text = k, raw
	if unquoted, isString := unquote(raw); isString {
		s.text = unquoted
	}
	var err error
	switch k {
	case number:
		// An exponent of many digits would take long, and no fault has one.
		if _, exponent, _ := strings.Cut(strings.ToLower(s.text), "e"); len(exponent) > 4 {
			return scalar{}, false
		}
		s.number, ok = new(big.Rat).SetString(s.text)
	case instant:
		s.instant, err = time.Parse(time.RFC3339, s.text)
		ok = err == nil
	case word:
		ok = true
	}
	if !ok {
		return scalar{}, false
	}
	return s, true
}

// compare compares scalars of one kind; one without a value comes after all others.
func (s scalar) compare(other scalar) int {
	switch {
	case s.kind == "" || other.kind == "":
		return cmp.Compare(len(other.kind), len(s.kind))
	case s.kind == number:
		return s.number.Cmp(other.number)
	case s.kind == instant:
		return s.instant.Compare(other.instant)
	}
	return strings.Compare(s.text, other.text)
}
