// Package known reads known failures: the deviations that a run expects.
package known

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Failure is an expected deviation. All given selectors must match, and one of Fingerprint, Rule, Pointer and Claim must
// be given. In the globs * stands for any text without a slash, ** between slashes for any number of tokens, and a
// position in a list for any position.
type Failure struct {
	File string // name of the file that it was read from
	Line int    // in the file, from 1

	Fingerprint string // of the conformance.Finding: 16 hexadecimal digits
	Rule        string // of the finding
	Pointer     string // glob for the pointer of the finding
	Claim       string // glob for the ID of the claim
	Operation   string // of the finding
	Status      int    // of the finding; 0 for any

	Until  time.Time // the last day, in UTC, on which it matches; zero for no end
	Reason string    // why it is expected (required)
}

// maxKnown is the maximum size of a file of known failures, in bytes.
const maxKnown = 1 << 20

// Read reads known failures, one a line. name is the file name for errors and problems. Blank lines and lines that start
// with # are ignored. A line has selectors, each a word and its value, an optional last day, and the reason:
//
//	rule minimum pointer /fault_rule_id because the page's example has 0, too (ticket 123)
//	fingerprint 9ac383b85c7a39ba until 2027-01-31 because the vendor fixes it in January
//	claim response.body#/**/required/* operation createFault status 201 because ...
//
// A value with a space is in double quotes, as a Go string. The error lists every invalid line.
func Read(r io.Reader, name string) ([]Failure, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxKnown+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(text) > maxKnown {
		return nil, fmt.Errorf("%s: larger than %d bytes", name, maxKnown)
	}
	var known []Failure
	var errs []error
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxKnown+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		k, err := parse(line)
		k.File, k.Line = name, n
		if err == nil {
			err = k.validate()
		}
		if err != nil {
			errs = append(errs, k.errorf("%w", err))
		}
		known = append(known, k)
	}
	if err := errors.Join(append(errs, lines.Err())...); err != nil {
		return nil, err
	}
	return known, nil
}

// errorf returns an error that starts with the file and line of the failure.
func (k *Failure) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: "+format, append([]any{k.File, k.Line}, args...)...)
}

func parse(line string) (k Failure, err error) {
	if !utf8.ValidString(line) || strings.ContainsFunc(strings.ReplaceAll(line, "\t", ""), unicode.IsControl) {
		return k, errors.New("a line must be UTF-8 without control characters")
	}
	given := map[string]bool{}
	for line != "" {
		var word, value string
		word, line = cutWord(line)
		if given[word] {
			return k, fmt.Errorf("duplicate %q", word)
		}
		given[word] = true
		if word == "because" {
			k.Reason = line
			return k, nil
		}
		if value, line, err = cutValue(line); err != nil {
			return k, fmt.Errorf("%q needs a value: %w", word, err)
		}
		if err := k.set(word, value); err != nil {
			return k, err
		}
	}
	return k, nil
}

// cutWord splits a line at its first space.
func cutWord(line string) (word, rest string) {
	end := strings.IndexFunc(line, unicode.IsSpace)
	if end < 0 {
		return line, ""
	}
	return line[:end], strings.TrimSpace(line[end:])
}

// cutValue is cutWord for a value that may be in quotes.
func cutValue(line string) (value, rest string, err error) {
	if !strings.HasPrefix(line, `"`) {
		if value, rest = cutWord(line); value == "" {
			return "", "", errors.New("the line ends")
		}
		return value, rest, nil
	}
	quoted, err := strconv.QuotedPrefix(line)
	if err != nil {
		return "", "", errors.New("the quotes are not closed")
	}
	if value, err = strconv.Unquote(quoted); err != nil || value == "" {
		return "", "", errors.New("the value in quotes is empty")
	}
	rest = line[len(quoted):]
	if trimmed := strings.TrimSpace(rest); trimmed != "" && trimmed == rest {
		return "", "", errors.New("no space after the quotes")
	}
	return value, strings.TrimSpace(rest), nil
}

var fingerprintForm = regexp.MustCompile(`^[0-9a-f]{16}$`)

// validate returns an error if the failure has invalid or missing fields.
func (k *Failure) validate() error {
	switch {
	case k.Fingerprint == "" && k.Rule == "" && k.Pointer == "" && k.Claim == "":
		return errors.New("a known failure needs a fingerprint, a rule, a pointer or a claim")
	case k.Fingerprint != "" && !fingerprintForm.MatchString(k.Fingerprint):
		return fmt.Errorf("invalid fingerprint %q; expected 16 hexadecimal digits in lower case", k.Fingerprint)
	case k.Pointer != "" && k.Pointer[0] != '/':
		return fmt.Errorf("invalid pointer %q; it starts with a slash", k.Pointer)
	case k.Status != 0 && (k.Status < 100 || k.Status > 599):
		return fmt.Errorf("invalid status %d; expected 100 to 599", k.Status)
	case strings.TrimSpace(k.Reason) == "":
		return errors.New(`a known failure needs a reason: "because" and why`)
	case k.Rule == "portability":
		return errors.New("portability is a note, which fails no run and is no known failure")
	}
	return nil
}

// selectors returns the selectors as in the line, with a space after each value.
func (k *Failure) selectors() string {
	var b strings.Builder
	add := func(word, value string) {
		if value == "" {
			return
		}
		if quoted := strconv.Quote(value); value[0] == '"' || quoted != `"`+value+`"` || strings.ContainsFunc(value, unicode.IsSpace) {
			value = quoted
		}
		b.WriteString(word + " " + value + " ")
	}
	add("fingerprint", k.Fingerprint)
	add("rule", k.Rule)
	add("pointer", k.Pointer)
	add("claim", k.Claim)
	add("operation", k.Operation)
	if k.Status != 0 {
		add("status", strconv.Itoa(k.Status))
	}
	return b.String()
}

// Deviation has the fields of a deviation that the selectors of a [Failure] match.
type Deviation struct {
	Fingerprint, Rule, Operation, Pointer, Claim string
	Status                                       int
}

// matches reports whether all selectors match a deviation.
func (k *Failure) matches(d Deviation) bool {
	return (k.Fingerprint == "" || k.Fingerprint == d.Fingerprint) &&
		(k.Rule == "" || k.Rule == d.Rule) &&
		(k.Operation == "" || k.Operation == d.Operation) &&
		(k.Status == 0 || k.Status == d.Status) &&
		(k.Pointer == "" || matchGlob(k.Pointer, d.Pointer)) &&
		(k.Claim == "" || d.Claim != "" && matchGlob(k.Claim, d.Claim))
}

// Apply matches failures with the deviations of a run. reasons has, for the fingerprints of the known deviations, the reason
// of the first failure that matches. Each problem is a failure that expired before today (UTC), and so matches nothing, or
// that matches nothing and should be deleted. The error joins those of failures that are not valid.
func Apply(failures []Failure, deviations []Deviation, today time.Time) (reasons map[string]string, problems []string, err error) {
	var errs []error
	for i := range failures {
		if err := failures[i].validate(); err != nil {
			errs = append(errs, failures[i].errorf("%w", err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, err
	}
	today = today.UTC().Truncate(24 * time.Hour)
	reasons = map[string]string{}
	for i := range failures {
		k := &failures[i]
		text := k.selectors() + "because " + k.Reason
		if !k.Until.IsZero() && k.Until.UTC().Before(today) {
			problems = append(problems, k.errorf("the known failure expired on %s: %s", k.Until.UTC().Format(time.DateOnly), text).Error())
			continue
		}
		occurs := false
		for _, d := range deviations {
			if k.matches(d) {
				occurs = true
				reasons[d.Fingerprint] = cmp.Or(reasons[d.Fingerprint], k.Reason)
			}
		}
		if !occurs {
			problems = append(problems, k.errorf("the known failure matched nothing: delete the line, or correct it: %s", text).Error())
		}
	}
	return reasons, problems, nil
}

// matchGlob matches a pointer with a glob, token by token.
func matchGlob(pattern, pointer string) bool {
	tokens := strings.Split(pointer, "/")
	reached := make([]bool, len(tokens)+1) // reached[i]: the pattern so far matches the first i tokens
	reached[0] = true
	for p := range strings.SplitSeq(pattern, "/") {
		next := make([]bool, len(tokens)+1)
		for i := range reached {
			switch {
			case p == "**":
				next[i] = reached[i] || i > 0 && next[i-1]
			case i > 0 && reached[i-1]:
				next[i] = isPosition(p) && isPosition(tokens[i-1]) || matchToken(p, tokens[i-1])
			}
		}
		reached = next
	}
	return reached[len(tokens)]
}

func isPosition(token string) bool {
	_, err := strconv.Atoi(token)
	return err == nil
}

// matchToken matches a token with a glob.
func matchToken(pattern, token string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == token
	}
	last := parts[len(parts)-1]
	token, ok := strings.CutPrefix(token, parts[0])
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(token, part)
		if i < 0 {
			return false
		}
		token = token[i+len(part):]
	}
	return ok && strings.HasSuffix(token, last)
}

func (k *Failure) set(word, value string) (err error) {
	switch word {
	case "fingerprint":
		k.Fingerprint = value
	case "rule":
		k.Rule = value
	case "pointer":
		k.Pointer = value
	case "claim":
		k.Claim = value
	case "operation":
		k.Operation = value
	case "status":
		if k.Status, err = strconv.Atoi(value); err != nil || k.Status == 0 {
			return fmt.Errorf("invalid status %q; expected a number", value)
		}
	case "until":
		if k.Until, err = time.Parse(time.DateOnly, value); err != nil || k.Until.IsZero() {
			return fmt.Errorf("invalid day %q; expected one like 2027-01-31", value)
		}
	default:
		return fmt.Errorf("unknown word %q; use fingerprint, rule, pointer, claim, operation, status, until or because", word)
	}
	return nil
}
