package main

import (
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/mutate"
)

// edit finds the steps that make what a mutant shows of any right answer, and not only of the one it was made of.
func edit(m *mutate.Mutant) ([]step, error) {
	if m.Base == nil {
		return nil, errors.New("nothing says what it was made of")
	}
	to, from := &m.Exchange.Response, &m.Base.Response
	switch {
	case m.Exchange.Status < http.StatusOK:
		return []step{{"never", "a status below 200 is not the last word (RFC 9110, section 15.2)"}}, nil
	case m.Exchange.Status != m.Base.Status:
		return []step{{"status", strconv.Itoa(m.Exchange.Status)}}, nil
	case m.Want.Part == conformance.RequestBody || m.Want.Part == conformance.RequestHeader:
		return []step{{"accept"}}, nil
	case m.Want.Rule == "criterion" && m.Want.Part == conformance.ResponseBody:
		return criterion(m)
	case m.Want.Rule == "criterion" && m.Want.Part == conformance.ResponseHeader:
		name := strings.TrimPrefix(m.Want.Pointer, "/")
		return headerCriterion(name, from.Header.Get(name), to.Header)
	}
	steps, err := body(from.Body, to.Body)
	steps = append(steps, headers(from.Header, to.Header)...)
	if err == nil && len(steps) == 0 {
		err = errors.New("it is no different from what it was made of")
	}
	return steps, err
}

func headers(from, to http.Header) []step {
	both := maps.Clone(from)
	maps.Copy(both, to)
	var steps []step
	for _, name := range slices.Sorted(maps.Keys(both)) {
		switch values := to[name]; {
		case slices.Equal(values, from[name]):
		case len(values) == 0:
			steps = append(steps, step{"no-header", name})
		default:
			steps = append(steps, step{"header", name, values[0]})
			for _, value := range values[1:] {
				steps = append(steps, step{"header-too", name, value})
			}
		}
	}
	return steps
}

// criterion finds the steps by which a criterion about a member does not hold. What that is depends on the request, so
// the values of the mutant alone will not do: the status that it drew may be the one that was sent.
func criterion(m *mutate.Mutant) ([]step, error) {
	at := m.Want.Pointer
	before, after := decode(m.Base.Response.Body), decode(m.Exchange.Response.Body)
	was, _ := lookup(before, tokens(at))
	is, there := lookup(after, tokens(at))
	switch {
	case m.Against != "":
		// Both, as the two are equal in an answer, or of today, whatever the mutant drew.
		against, _ := lookup(after, tokens(m.Against))
		return []step{{"set", at, encode(is)}, {"set", m.Against, encode(against)}}, nil
	case !there:
		return []step{{"remove", at}}, nil
	case !reflect.DeepEqual(is, was):
		return append(relative(at, was, is), step{"other", at, encode(is), encode(was)}), nil
	}
	sent, err := changed(&m.Base.Request, &m.Exchange.Request)
	return []step{{"other", at, encode(was), encode(sent)}}, err
}

// changed returns the value of the one member in which a request differs from another.
func changed(from, to *traffic.Message) (any, error) {
	before, isObject := decode(from.Body).(map[string]any)
	after, _ := decode(to.Body).(map[string]any)
	names := differing(before, after)
	if !isObject || len(names) != 1 {
		return nil, errors.New("it differs neither in its answer nor in one member of its request")
	}
	return after[names[0]], nil
}

var endsInID = regexp.MustCompile(`/[0-9]+$`)

func headerCriterion(name, was string, to http.Header) ([]step, error) {
	values := to[name]
	if len(values) != 1 {
		return nil, errors.New("the header is not there once")
	}
	if steps := relative(name, was, values[0]); steps != nil {
		return steps, nil
	}
	if endsInID.MatchString(values[0]) {
		return nil, errors.New("the header ends in a number, which may be the right one")
	}
	return []step{{"header", name, values[0]}}, nil
}

// relative describes how a value came of another, in a way that does as much for any value; nil where there is none.
func relative(at string, was, is any) []step {
	if n, isNumber := was.(json.Number); isNumber {
		if by, ok := difference(n, is); ok {
			return []step{{"plus", at, by}}
		}
		return nil
	}
	old, _ := was.(string)
	text, isText := is.(string)
	if !isText || old == "" || text == "" {
		return nil
	}
	shorter, _ := decode([]byte(encode(old[:len(old)-1]))).(string) // a byte less, which may leave half a character
	more, longer := strings.CutPrefix(text, old)
	before, front := strings.CutSuffix(text, old)
	zone, timed := strings.CutPrefix(text, strings.TrimSuffix(old, "Z"))
	switch {
	case longer:
		return []step{{"text-after", at, more}}
	case front:
		return []step{{"text-before", at, before}}
	case text == shorter:
		return []step{{"text-cut", at}}
	case text == swapCase(old):
		return []step{{"text-case", at}}
	case timed && strings.HasSuffix(old, "Z"):
		return []step{{"text-end", at, "Z", zone}}
	}
	return nil
}

// difference tells by how much an integer is another, if that is 1 or -1.
func difference(was json.Number, is any) (by string, ok bool) {
	n, _ := is.(json.Number)
	from, isInteger := new(big.Int).SetString(was.String(), 10)
	to, alsoInteger := new(big.Int).SetString(n.String(), 10)
	if !isInteger || !alsoInteger {
		return "", false
	}
	d := new(big.Int).Sub(to, from)
	return d.String(), d.IsInt64() && (d.Int64() == 1 || d.Int64() == -1)
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}
