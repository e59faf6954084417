// Package ecma matches the regular expressions of the keyword pattern, which are those of ECMA-262 with the flag u.
package ecma

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/dlclark/regexp2/v2"
)

const (
	// maxPattern is the maximum length of a pattern, in bytes: the parser of a hostile one needs a multiple of it.
	maxPattern = 1 << 14
	// maxTime bounds one match of a pattern that backtracks; regexp2 measures it in steps of 100 ms.
	maxTime = 100 * time.Millisecond
	// maxStack bounds the memory of such a match: 8 bytes each.
	maxStack = 1 << 20
)

// Pattern is a compiled pattern. It is safe for concurrent use.
type Pattern struct {
	linear    *regexp.Regexp  // nil if the pattern needs backtracking
	backtrack *regexp2.Regexp // nil otherwise
}

// Compile compiles a pattern. Package regexp takes linear time, and serves all that it can express; look-around, back
// references, properties other than categories, and more than 1000 repetitions need package regexp2. Escapes that only the
// syntax without the flag u has are allowed for punctuation. The error says why neither package has the pattern.
func Compile(pattern string) (*Pattern, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("longer than %d bytes", maxPattern)
	}
	t := translate(pattern)
	if t.err != "" {
		return nil, errors.New(t.err)
	}
	if linear, err := t.compile(); err == nil {
		return &Pattern{linear: linear}, nil
	}
	backtrack, err := regexp2.Compile(t.strict.String(), regexp2.ECMAScript, regexp2.Unicode,
		regexp2.OptionMaxBacktrackingStackSize(maxStack))
	if err != nil {
		return nil, err
	}
	backtrack.MatchTimeout = maxTime
	return &Pattern{backtrack: backtrack}, nil
}

// Translate returns a pattern in the syntax of package regexp. The error says why that package does not have it.
func Translate(pattern string) (string, error) {
	t := translate(pattern)
	if t.err != "" {
		return "", errors.New(t.err)
	}
	linear, err := t.compile()
	if err != nil {
		return "", err
	}
	return linear.String(), nil
}

func (t *translation) compile() (*regexp.Regexp, error) {
	if t.backtracks {
		return nil, errors.New("look-around, a back reference or a property, which Go's regular expressions do not have")
	}
	return regexp.Compile(t.linear.String())
}

// Match reports whether the pattern matches a part of the text, which is UTF-8. decided is false if a match was not found
// and not excluded within a bound of time and memory.
func (p *Pattern) Match(text []byte) (matched, decided bool) {
	if p.linear != nil {
		return p.linear.Match(text), true
	}
	matched, err := p.backtrack.MatchString(string(text))
	return matched, err == nil
}
