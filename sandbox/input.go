package sandbox

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// input is a request's body, read.
type input struct {
	fault fleetioapi.FaultCreate
	// occurred is last_occurred_at as it was sent: with its offset, and with digits that a time.Time does not have.
	occurred string
	hasCode  bool                // a text was sent, blank or not
	problems map[string][]string // by field, in the words of the answer; nil where there are none

	// What the pointers in fault lead to, by field: room that comes with the call.
	texts   [len(fleetioapi.FaultCreateFields)]string
	numbers [len(fleetioapi.FaultCreateFields)]int64
	status  fleetioapi.FaultStatus
	when    time.Time
}

// inputOf makes an input of a fault that Go code wrote.
func inputOf(f *fleetioapi.FaultCreate) *input {
	in := &input{fault: *f}
	if f.LastOccurredAt != nil {
		in.occurred = f.LastOccurredAt.Format(time.RFC3339Nano)
	}
	return in
}

func (in *input) problem(field, message string) {
	if in.problems == nil {
		in.problems = map[string][]string{}
	}
	in.problems[field] = append(in.problems[field], message)
}

// read takes in what a body says and notes what the contract has against it, by the checks that are generated from it.
func (in *input) read(body []byte) {
	m, twice, why := readMembers(body)
	if why != "" {
		in.problem("base", why)
		return
	}
	for i := range m {
		in.member(i, m[i])
	}
	for _, name := range twice {
		in.problem(name, "is there more than once")
	}
}

// member reads one member. What cannot be read stays absent.
func (in *input) member(i int, raw string) {
	f := &fleetioapi.FaultCreateFields[i]
	switch {
	case raw == "":
		if f.Required {
			in.problem(f.Name, "can't be blank")
		}
	case raw[0] == 'n' && f.Required:
		in.problem(f.Name, "can't be blank")
	case raw[0] == 'n':
		in.problem(f.Name, "can't be null")
	case f.Type == "integer":
		in.integer(i, raw)
	case raw[0] != '"':
		in.problem(f.Name, "must be a string")
	default:
		in.texts[i] = unquote(raw)
		in.text(i)
	}
}

func (in *input) text(i int) {
	f, s := &fleetioapi.FaultCreateFields[i], &in.texts[i]
	if f.Required && strings.TrimSpace(*s) == "" {
		in.problem(f.Name, "can't be blank")
	}
	found := f.CheckText(nil, *s)
	for _, v := range found {
		in.problem(f.Name, message(v))
	}
	to := &in.fault
	switch f.Name {
	case "code":
		to.Code, in.hasCode = *s, true
	case "description":
		to.Description = s
	case "external_id":
		to.ExternalID = s
	case "last_occurred_at":
		var err error
		if in.when, err = time.Parse(time.RFC3339, *s); err != nil || !dateTimeShaped(*s) {
			in.problem(f.Name, "is not a date and time such as 2026-03-14T13:46:27-06:00")
			return
		}
		to.LastOccurredAt, in.occurred = &in.when, *s
	case "name":
		to.Name = s
	case "source":
		to.Source = s
	case "status":
		if in.status = fleetioapi.FaultStatus(*s); found == nil {
			to.Status = &in.status
		}
	default:
		panic("the contract has a text that the sandbox does not know: " + f.Name) // a test reads every field
	}
}

// dateTimeShaped tells whether a text that Go takes for RFC 3339 has its shape (section 5.6), as Go takes more: an hour of one
// digit, a comma before the fraction, an offset of a day.
func dateTimeShaped(s string) bool {
	const digits, offset = len("2006-01-02T15:04:05"), len("-07:00")
	if len(s) <= digits || s[len("2006-01-02T15")] != ':' || s[digits] == ',' {
		return false
	}
	if s[len(s)-1] == 'Z' {
		return true
	}
	zone := s[len(s)-offset+1:] // Go has seen that it is there
	return zone[:2] < "24" && zone[3:] < "60"
}

func (in *input) integer(i int, raw string) {
	f, n := &fleetioapi.FaultCreateFields[i], &in.numbers[i]
	var err error
	*n, err = wholeNumber(raw)
	beyond := errors.Is(err, errTooBig) || errors.Is(err, errTooSmall)
	if err == nil || beyond { // n is then the number that is nearest, and the contract may have a bound before that
		for _, v := range f.CheckInteger(nil, *n) {
			in.problem(f.Name, message(v))
		}
	}
	if err != nil {
		if in.problems[f.Name] == nil {
			in.problem(f.Name, err.Error())
		}
		return
	}
	switch f.Name {
	case "count":
		in.fault.Count = n
	case "vehicle_id":
		in.fault.VehicleID = *n
	default:
		panic("the contract has an integer that the sandbox does not know: " + f.Name) // a test reads every field
	}
}

// message says a violation as a Rails validation does (page "Response Codes").
func message(v fleetioapi.Violation) string {
	switch v.Rule {
	case "minLength":
		return "is too short (minimum is " + v.Limit + " characters)"
	case "maxLength":
		return "is too long (maximum is " + v.Limit + " characters)"
	case "minimum":
		return "must be greater than or equal to " + v.Limit
	case "maximum":
		return "must be less than or equal to " + v.Limit
	case "enum":
		return "is not included in the list"
	default:
		return "is invalid"
	}
}

var (
	errNoNumber  = errors.New("is not a number")
	errNoInteger = errors.New("must be an integer")
	errTooBig    = errors.New("must be less than or equal to 9223372036854775807")
	errTooSmall  = errors.New("must be greater than or equal to -9223372036854775808")
)

// wholeNumber reads a JSON value that must be an integer of 64 bits. As in JSON Schema, 3.0 and 3e2 are integers.
func wholeNumber(raw string) (int64, error) {
	if raw[0] != '-' && !isDigit(raw[0]) {
		return 0, errNoNumber
	}
	n, err := strconv.ParseInt(raw, 10, 64)
	if err == nil {
		return n, nil
	}
	digits, negative := strings.CutPrefix(raw, "-")
	digits, exponent, _ := strings.Cut(strings.ToLower(digits), "e")
	whole, fraction, _ := strings.Cut(digits, ".")
	// The number is digits, without a zero at either end, times ten to the power.
	digits = strings.TrimLeft(whole+fraction, "0")
	power := powerOf(exponent) - len(fraction)
	power += len(digits) - len(strings.TrimRight(digits, "0"))
	switch digits = strings.TrimRight(digits, "0"); {
	case digits == "":
		return 0, nil
	case power < 0:
		return 0, errNoInteger
	case len(digits)+power <= len("9223372036854775807"):
		sign := ""
		if negative {
			sign = "-"
		}
		if n, err = strconv.ParseInt(sign+digits+strings.Repeat("0", power), 10, 64); err == nil {
			return n, nil
		}
	}
	if negative {
		return math.MinInt64, errTooSmall
	}
	return math.MaxInt64, errTooBig
}

// powerOf reads an exponent. One beyond its bound is far beyond what the digits of a body can make up for.
func powerOf(exponent string) int {
	const most = 1 << 30
	n, err := strconv.Atoi(exponent)
	switch {
	case exponent == "":
		return 0
	case err != nil && exponent[0] == '-' || n < -most:
		return -most
	case err != nil || n > most:
		return most
	}
	return n
}
