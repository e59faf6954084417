package conformance

import (
	"cmp"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// formats are the string formats that are checked.
var formats = map[string]func(string) error{
	"date-time":     func(s string) error { _, err := parseTime(s); return err },
	"date":          func(s string) error { _, err := time.Parse(time.DateOnly, s); return err },
	"uri":           func(s string) error { return checkURI(s, true) },
	"uri-reference": func(s string) error { return checkURI(s, false) },
	"email":         matches(emailShape),
	"uuid":          matches(uuidShape),
	"byte":          matches(base64Shape),
}

var (
	emailShape  = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
	uuidShape   = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	base64Shape = regexp.MustCompile(`^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$`)
)

func matches(re *regexp.Regexp) func(string) error {
	return func(s string) error {
		if !re.MatchString(s) {
			return errors.New("malformed")
		}
		return nil
	}
}

// noteFormats lists the formats of the spec that nothing checks.
func (c *Contract) noteFormats() {
	places := map[string]string{}
	for _, s := range c.schemas {
		if s.Format != "" && formats[s.Format] == nil && integerFormats[s.Format] == 0 {
			places[s.place] = s.Format
		}
	}
	for _, place := range slices.Sorted(maps.Keys(places)) {
		c.note(place+"/format", "format "+places[place])
	}
}

var timeShape = regexp.MustCompile(
	`^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$`)

// parseTime reads RFC 3339, section 5.6. T and Z are upper case: the RFC lets whoever builds on it ask for that, and
// Go and most decoders do. A leap second counts where section 5.7 has one, at 23:59:60 UTC.
func parseTime(s string) (time.Time, error) {
	if !timeShape.MatchString(s) {
		return time.Time{}, errors.New("not RFC 3339")
	}
	const seconds = len("2006-01-02T15:04:")
	leap := s[seconds:seconds+2] == "60"
	if leap {
		s = s[:seconds] + "59" + s[seconds+2:]
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || !leap {
		return t, err
	}
	if utc := t.UTC(); utc.Hour() != 23 || utc.Minute() != 59 {
		return time.Time{}, errors.New("no leap second then")
	}
	return t.Add(time.Second), nil
}

// compareTimes orders two instants, to as many digits as they have.
func compareTimes(a, b string) (int, error) {
	t, err := parseTime(a)
	if err != nil {
		return 0, err
	}
	u, err := parseTime(b)
	if err != nil {
		return 0, err
	}
	return cmp.Or(t.Truncate(time.Second).Compare(u.Truncate(time.Second)), strings.Compare(fraction(a), fraction(b))), nil
}

// fraction returns the digits of a second's fraction, which time.Time keeps nine of.
func fraction(s string) string {
	_, after, _ := strings.Cut(s, ".")
	if end := strings.IndexAny(after, "Z+-"); end >= 0 {
		after = after[:end]
	}
	return strings.TrimRight(after, "0")
}

// checkURI tells a URI, or a reference to one, by the grammar of RFC 3986, appendix A.
func checkURI(s string, absolute bool) error {
	if !uri.MatchString(s) && (absolute || !relativeReference.MatchString(s)) {
		return errors.New("not RFC 3986")
	}
	return nil
}

var (
	uri               = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:(?:` + authority + `|/?(?:` + pchar + `+(?:/` + pchar + `*)*)?)` + tail)
	relativeReference = regexp.MustCompile(`^(?:` + authority + `|/?(?:` + pcharNoColon + `+(?:/` + pchar + `*)*)?|/` + pchar + `+(?:/` + pchar + `*)*)` + tail)
)

// The parts of both. A path after an authority is empty or starts with a slash, another does not start with two.
const (
	unreserved   = `A-Za-z0-9._~!$&'()*+,;=\-`
	escaped      = `%[0-9A-Fa-f]{2}`
	pchar        = `(?:[` + unreserved + `:@]|` + escaped + `)`
	pcharNoColon = `(?:[` + unreserved + `@]|` + escaped + `)`
	address      = `\[(?:[0-9A-Fa-f:.]+|[vV][0-9A-Fa-f]+\.[` + unreserved + `:]+)\]`
	host         = `(?:` + address + `|(?:[` + unreserved + `]|` + escaped + `)*)`
	authority    = `//(?:(?:[` + unreserved + `:]|` + escaped + `)*@)?` + host + `(?::[0-9]*)?(?:/` + pchar + `*)*`
	tail         = `(?:\?(?:` + pchar + `|[/?])*)?(?:#(?:` + pchar + `|[/?])*)?$`
)
