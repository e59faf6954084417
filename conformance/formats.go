package conformance

import (
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// formats are the string formats that are checked; int32 and int64 are kin-openapi's own.
var formats = map[string]func(string) error{
	"date-time":     func(s string) error { _, err := parseTime(s); return err },
	"date":          func(s string) error { _, err := time.Parse(time.DateOnly, s); return err },
	"uri":           func(s string) error { return checkURI(s, true) },
	"uri-reference": func(s string) error { return checkURI(s, false) },
	"email":         matches(`^[^@\s]+@[^@\s]+$`),
	"uuid":          matches(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`),
	"byte":          matches(`^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$`),
}

func matches(pattern string) func(string) error {
	re := regexp.MustCompile(pattern)
	return func(s string) error {
		if !re.MatchString(s) {
			return errors.New("malformed")
		}
		return nil
	}
}

// formatOptions hands the formats to kin-openapi, in place of its own.
var formatOptions = func() openapi3.SchemaValidationOption {
	validators := map[string]openapi3.StringFormatValidator{}
	for name, check := range formats {
		validators[name] = openapi3.NewCallbackValidator(check)
	}
	return openapi3.WithStringFormatValidators(validators)
}()

// noteFormats lists the formats of the spec that nothing checks.
func (c *Contract) noteFormats() {
	places := map[string]string{}
	for schema, place := range c.places {
		_, isString := formats[schema.Format]
		isNumber := schema.Format == "int32" || schema.Format == "int64"
		if schema.Format != "" && !isString && !isNumber {
			places[place] = schema.Format
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

var uriBytes = regexp.MustCompile(`^(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$`)

// checkURI tells a URI, or a reference to one, by RFC 3986.
func checkURI(s string, absolute bool) error {
	if !uriBytes.MatchString(s) || strings.Count(s, "#") > 1 {
		return errors.New("not RFC 3986")
	}
	u, err := url.Parse(s)
	if err == nil && absolute && u.Scheme == "" {
		err = errors.New("no scheme")
	}
	return err
}
