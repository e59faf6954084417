// Package known reads the deviations that a run expects: known failures.
package known

import (
	"bufio"
	"bytes"
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

// Failure is a deviation that is expected for now. Whatever selectors are given must all match; one of Fingerprint,
// Rule, Pointer and Claim must be. Pointers and claims are globs: * stands for any text without a slash, ** between
// slashes for any number of tokens, and one position in a list is as good as another.
type Failure struct {
	File string // name of the file that it was read from
	Line int    // in the file, counted from 1

	Fingerprint string // see Finding of package conformance; 16 hexadecimal digits
	Rule        string // likewise
	Pointer     string // glob of pointers, likewise
	Claim       string // glob of IDs, see Claim of package conformance
	Operation   string // likewise
	Status      int    // likewise; 0 for any

	Until  time.Time // the last day, in UTC, on which it is known; zero for no end
	Reason string    // why it is expected (required)
}

// maxKnown bounds a file of known failures, in bytes.
const maxKnown = 1 << 20

// Read reads known failures, one a line; name is the file's, for errors and problems. Blank lines and lines that
// begin with # are ignored. A line is selectors, each a word and its value, then perhaps the last day on which the failure
// is known, and the reason:
//
//	rule minimum pointer /fault_rule_id because the page's example has 0, too (ticket 123)
//	fingerprint 9ac383b85c7a39ba until 2027-01-31 because the vendor mends it in January
//	claim response.body#/**/required/* operation createFault status 201 because ...
//
// A value with a space in it is in double quotes, as a Go string. The error lists every line that cannot be read.
func Read(r io.Reader, name string) ([]Failure, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxKnown+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(text) > maxKnown {
		return nil, fmt.Errorf("%s: more than %d bytes of known failures", name, maxKnown)
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
			err = k.Validate()
		}
		if err != nil {
			errs = append(errs, k.Errorf("%w", err))
		}
		known = append(known, k)
	}
	if err := errors.Join(append(errs, lines.Err())...); err != nil {
		return nil, err
	}
	return known, nil
}

// String writes the failure as the line that [Read] reads.
func (k *Failure) String() string {
	var b strings.Builder
	b.WriteString(k.Selectors())
	if !k.Until.IsZero() {
		b.WriteString("until " + k.Until.UTC().Format(time.DateOnly) + " ")
	}
	return b.String() + "because " + k.Reason
}

// Errorf returns an error that begins with the line of the failure.
func (k *Failure) Errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: "+format, append([]any{k.File, k.Line}, args...)...)
}

func parse(line string) (k Failure, err error) {
	if !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) && strings.ContainsFunc(
		strings.ReplaceAll(line, "\t", ""), unicode.IsControl) {
		return k, errors.New("a line is text in UTF-8, without control characters")
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
			return k, fmt.Errorf("%q has no value that can be read: %w", word, err)
		}
		if err := k.set(word, value); err != nil {
			return k, err
		}
	}
	return k, nil
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
			return fmt.Errorf("a status is a number, not %q", value)
		}
	case "until":
		if k.Until, err = time.Parse(time.DateOnly, value); err != nil || k.Until.IsZero() {
			return fmt.Errorf("%q is no day such as 2027-01-31", value)
		}
	default:
		return fmt.Errorf("unknown word %q; there are fingerprint, rule, pointer, claim, operation, status, until and because", word)
	}
	return nil
}

// cutWord splits a line at its first space.
func cutWord(line string) (word, rest string) {
	end := strings.IndexFunc(line, unicode.IsSpace)
	if end < 0 {
		return line, ""
	}
	return line[:end], strings.TrimSpace(line[end:])
}

// cutValue is cutWord for what may stand in quotes.
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
		return "", "", errors.New("the quotes hold nothing")
	}
	rest = line[len(quoted):]
	if trimmed := strings.TrimSpace(rest); trimmed != "" && trimmed == rest {
		return "", "", errors.New("no space after the quotes")
	}
	return value, strings.TrimSpace(rest), nil
}

var fingerprintForm = regexp.MustCompile(`^[0-9a-f]{16}$`)

// Validate finds what is wrong with a line by itself.
func (k *Failure) Validate() error {
	switch {
	case k.Fingerprint == "" && k.Rule == "" && k.Pointer == "" && k.Claim == "":
		return errors.New("a known failure needs a fingerprint, a rule, a pointer or a claim")
	case k.Fingerprint != "" && !fingerprintForm.MatchString(k.Fingerprint):
		return fmt.Errorf("a fingerprint is 16 hexadecimal digits in lower case, not %q", k.Fingerprint)
	case k.Pointer != "" && k.Pointer[0] != '/':
		return fmt.Errorf("a pointer begins with a slash, not as %q", k.Pointer)
	case k.Status != 0 && (k.Status < 100 || k.Status > 599):
		return fmt.Errorf("a status is from 100 to 599, not %d", k.Status)
	case strings.TrimSpace(k.Reason) == "":
		return errors.New(`a known failure needs a reason: "because" and why`)
	case k.Rule == "portability":
		return errors.New("a note fails no run, so that none is a known failure")
	}
	return nil
}

// Selectors writes what the failure selects by.
func (k *Failure) Selectors() string {
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

// Deviation is what a failure is matched with.
type Deviation struct {
	Fingerprint, Rule, Operation, Pointer, Claim string
	Status                                       int
}

// Matches reports whether the failure stands for a deviation.
func (k *Failure) Matches(d Deviation) bool {
	return (k.Fingerprint == "" || k.Fingerprint == d.Fingerprint) &&
		(k.Rule == "" || k.Rule == d.Rule) &&
		(k.Operation == "" || k.Operation == d.Operation) &&
		(k.Status == 0 || k.Status == d.Status) &&
		(k.Pointer == "" || globFits(k.Pointer, d.Pointer)) &&
		(k.Claim == "" || d.Claim != "" && globFits(k.Claim, d.Claim))
}

// globFits matches a glob of pointers against one, token by token.
func globFits(pattern, pointer string) bool {
	tokens := strings.Split(pointer, "/")
	reached := make([]bool, len(tokens)+1) // whether the pattern so far matches as many tokens
	reached[0] = true
	for p := range strings.SplitSeq(pattern, "/") {
		next := make([]bool, len(tokens)+1)
		for i := range reached {
			switch {
			case p == "**":
				next[i] = reached[i] || i > 0 && next[i-1]
			case i > 0 && reached[i-1]:
				next[i] = isPosition(p) && isPosition(tokens[i-1]) || fitsToken(p, tokens[i-1])
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

// fitsToken matches a glob within a token.
func fitsToken(pattern, token string) bool {
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
