package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/fleetcontract/fleetio-go/gen/fleetiodeviations"
)

// deviation is a way in which an answer is not what the spec says.
type deviation struct {
	name   string
	status int    // of the answer that it is an edit of
	accept bool   // the request has to be refused, and gets that answer all the same; there is nothing to edit
	never  string // why no server can show it; "" if one can
	steps  []step
}

// Deviations returns the names for [Deviate], sorted: each is a way in which an answer can break one claim of the spec, or
// have what no claim covers. A name begins with the status of the answer: "201/body/id/minimum/zero" is a fault whose id
// is 0, "429/header/Retry-After/required/missing" a limit that does not say how long. Those with "request" or "security"
// behind the status accept a request that has to be refused. "fleetio sandbox --list-trouble" prints them.
func Deviations() []string {
	var names []string
	for _, d := range deviations().all {
		if d.never == "" {
			names = append(names, d.name)
		}
	}
	return names
}

// findDeviation returns the deviation of a name. The error tells names that are close.
func findDeviation(name string) (*deviation, error) {
	list := deviations()
	i, known := list.index[name]
	if !known {
		return nil, fmt.Errorf("sandbox: there is no deviation %q; did you mean %s?", name, strings.Join(similar(name, Deviations()), ", "))
	}
	if why := list.all[i].never; why != "" {
		return nil, fmt.Errorf("sandbox: the deviation %q cannot be shown: %s", name, why)
	}
	return &list.all[i], nil
}

type deviationList struct {
	all   []deviation
	index map[string]int // by name
}

// deviations reads the list when it is first needed, as most tests need none.
var deviations = sync.OnceValue(func() deviationList {
	list := deviationList{index: map[string]int{}}
	for line := range strings.Lines(fleetiodeviations.Text) {
		d, err := parseDeviation(line)
		if err != nil {
			panic(fmt.Sprintf("the generated deviations: %q: %v", line, err)) // a test reads them all
		}
		list.index[d.name] = len(list.all)
		list.all = append(list.all, d)
	}
	return list
})

// parseDeviation reads a line of [fleetiodeviations.Text].
func parseDeviation(line string) (d deviation, err error) {
	fields, err := readFields(line)
	if err != nil || len(fields) < 2 {
		return d, errors.Join(errors.New("no name and step"), err)
	}
	d.name, fields = fields[0], fields[1:]
	if d.status, err = strconv.Atoi(strings.SplitN(d.name, "/", 2)[0]); err != nil {
		return d, err
	}
	for len(fields) > 0 {
		kind, known := stepKinds[fields[0]]
		if !known || len(fields) <= kind.arguments {
			return d, fmt.Errorf("the step %q is unknown or lacks an argument", fields[0])
		}
		arguments := fields[1 : 1+kind.arguments]
		switch fields[0] {
		case "accept":
			d.accept = true
		case "never":
			d.never = arguments[0]
		case "status":
			d.status = http.StatusCreated
			fallthrough
		default:
			d.steps = append(d.steps, step{kind.do, arguments})
		}
		fields = fields[1+kind.arguments:]
	}
	return d, nil
}

func readFields(line string) (fields []string, err error) {
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimLeft(line, " ") {
		var field string
		if line[0] == '"' || line[0] == '`' {
			quoted, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, err
			}
			line = line[len(quoted):]
			if field, err = strconv.Unquote(quoted); err != nil {
				return nil, err
			}
		} else {
			field, line, _ = strings.Cut(line, " ")
		}
		fields = append(fields, field)
	}
	return fields, nil
}

// edit makes the deviation of a right answer: one to a request with every field, as what is not asked for cannot be
// answered wrong. It does not write into the body and the values of the header that it gets. A header that must not be
// sent is there without a value, which keeps net/http from putting in its own.
func (d *deviation) edit(a *answer) {
	e := edition{answer: a, before: a.body}
	for _, s := range d.steps {
		s.do(&e, s.arguments)
	}
}

// similar returns up to three names that somebody may have meant: those that have the text in them, or else the most alike.
func similar(text string, names []string) []string {
	const most = 3
	var found []string
	for _, name := range names {
		if strings.Contains(name, text) && text != "" {
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		far := map[string]int{}
		for _, name := range names {
			far[name] = distance(text, name)
		}
		found = slices.SortedStableFunc(slices.Values(names), func(a, b string) int { return far[a] - far[b] })
	}
	return found[:min(most, len(found))]
}

// distance counts the letters by which two texts differ (Levenshtein). It looks at the first hundred only.
func distance(a, b string) int {
	a, b = a[:min(len(a), 100)], b[:min(len(b), 100)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost = 1 + min(last, row[j], row[j+1])
			}
			last, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
