package check

import (
	"regexp"
	"strings"
	"sync"
	"time"
)

// formats reports whether a string has a format.
var formats = map[string]func(text string) bool{
	"date-time":     isDateTime,
	"date":          func(text string) bool { _, err := time.Parse(time.DateOnly, text); return err == nil },
	"uri":           uri,
	"uri-reference": isReference,
	"email":         grammar(`^[^@\s]+@[^@\s]+$`),
	"uuid":          grammar(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`),
	"byte":          grammar(`^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$`),
}

// grammar returns a function that matches a regular expression, which it compiles once it is needed. Names in capital
// letters stand for rules of RFC 3986, appendix A.
func grammar(expression string) func(text string) bool {
	compiled := sync.OnceValue(func() *regexp.Regexp {
		for _, rule := range [][2]string{
			{"TAIL", `(?:\?(?:PCHAR|[/?])*)?(?:#(?:PCHAR|[/?])*)?`},
			{"AUTHORITY", `//(?:(?:[UNRESERVED:]|ESCAPED)*@)?HOST(?::[0-9]*)?(?:/PCHAR*)*`},
			{"HOST", `(?:\[(?:[0-9A-Fa-f:.]+|[vV][0-9A-Fa-f]+\.[UNRESERVED:]+)\]|(?:[UNRESERVED]|ESCAPED)*)`},
			{"PCHAR", `(?:[UNRESERVED:@]|ESCAPED)`},
			{"SEGMENT", `(?:[UNRESERVED@]|ESCAPED)+`}, // without a colon
			{"ESCAPED", `%[0-9A-Fa-f]{2}`},
			{"UNRESERVED", `A-Za-z0-9._~!$&'()*+,;=\-`}, // and the delimiters of parts
		} {
			expression = strings.ReplaceAll(expression, rule[0], rule[1])
		}
		return regexp.MustCompile(expression)
	})
	return func(text string) bool { return compiled().MatchString(text) }
}

var (
	uri               = grammar(`^[A-Za-z][A-Za-z0-9+.-]*:(?:AUTHORITY|/?(?:PCHAR+(?:/PCHAR*)*)?)TAIL$`)
	relativeReference = grammar(`^(?:AUTHORITY|/?(?:SEGMENT(?:/PCHAR*)*)?|/PCHAR+(?:/PCHAR*)*)TAIL$`)
)

func isReference(text string) bool { return relativeReference(text) || uri(text) }

var dateTime = grammar(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

// isDateTime reports whether a text is a date-time (RFC 3339, section 5.6), with upper-case T and Z. A leap second is valid
// at 23:59:60 UTC (section 5.7), which [time.Parse] does not know; it accepts an offset of a day, on the other hand.
func isDateTime(text string) bool {
	if !dateTime(text) {
		return false
	}
	const second = len("2006-01-02T15:04:")
	isLeap := strings.HasPrefix(text[second:], "60")
	if isLeap {
		text = text[:second] + "59" + text[second+2:]
	}
	t, err := time.Parse(time.RFC3339, text)
	return err == nil && (!isLeap || t.UTC().Format(time.TimeOnly) == "23:59:59")
}
