package mutate

import (
	"encoding/base64"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// format is what this package knows of a format: texts that have it, texts that almost do, and a test for those that
// were made otherwise.
type format struct {
	good, bad []string
	test      func(string) bool
}

// wellFormed trusts the tables first: they are written by hand, and no parser shares them.
func wellFormed(name, text string) bool {
	f, known := formats[name]
	switch {
	case !known || slices.Contains(f.good, text):
		return true
	case slices.Contains(f.bad, text):
		return false
	}
	return f.test(text)
}

// widths are the least and the greatest integer of a format.
var widths = map[string]*[2]*big.Int{"int32": width(32), "int64": width(64)}

func width(bits uint) *[2]*big.Int {
	half := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return &[2]*big.Int{new(big.Int).Neg(half), new(big.Int).Sub(half, big.NewInt(1))}
}

var formats = map[string]format{
	"date-time": { // RFC 3339, section 5.6
		good: []string{"2023-03-14T13:46:27-06:00", "2023-03-14T13:46:27Z", "1985-04-12T23:20:50.52Z", "1990-12-31T23:59:60Z",
			"1990-12-31T15:59:60-08:00", "1937-01-01T12:00:27.87+00:20", "2024-02-29T00:00:00+23:59", "9999-12-31T23:59:59.999999999Z",
			"2000-02-29T12:00:00.123456789012345Z", "2023-03-14T13:46:27-00:00", "0001-01-01T00:00:00Z"},
		bad: []string{"2023-03-14T13:46:27", "2023-02-30T13:46:27Z", "2023-02-29T13:46:27Z", "1900-02-29T13:46:27Z", "2023-04-31T13:46:27Z",
			"2023-03-14t13:46:27Z", "2023-03-14T13:46:27z", "2023-03-14 13:46:27Z", "2023-03-14", "13:46:27Z", "2023-03-14T24:00:00Z",
			"2023-03-14T13:60:00Z", "2023-03-14T13:46:61Z", "2023-03-14T12:00:60Z", "2023-3-14T13:46:27Z", "2023-03-14T13:46:27,5Z",
			"2023-03-14T13:46:27.Z", "2023-03-14T13:46:27+0600", "2023-03-14T13:46:27+06", "2023-03-14T13:46:27+24:00",
			"2023-03-14T13:46:27+06:60", "20230314T134627Z", "2023-03-14T13:46Z", "2023-13-14T13:46:27Z", "2023-00-14T13:46:27Z",
			"2023-03-00T13:46:27Z", "12023-03-14T13:46:27Z", "-2023-03-14T13:46:27Z", "2023-03-14T13:46:27Z\n", " 2023-03-14T13:46:27Z",
			"2023-03-14T1:46:27Z", "٢٠٢٣-03-14T13:46:27Z", "2023-03-14T13:46:27-6:00", "1678823187", "Tue, 14 Mar 2023 13:46:27 GMT", ""},
		test: func(s string) bool {
			if !dateTime.MatchString(s) {
				return false
			}
			_, err := time.Parse(time.RFC3339Nano, s)
			return err == nil
		},
	},
	"date": {
		good: []string{"2024-02-29", "0001-01-01", "9999-12-31", "2023-03-14"},
		bad: []string{"2023-02-29", "2023-02-30", "2023-2-01", "20230314", "2023-03-14T00:00:00Z", "2023-13-01", "2023-00-10", "2023-01-32",
			"2023-01-00", "2023/03/14", " 2023-03-14", "2023-03-14\n", "14.03.2023", "23-03-14", "+2023-03-14", ""},
		test: func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil },
	},
	"uri": { // RFC 3986, appendix A
		good: []string{"https://example.org/a?b=c#d", "urn:isbn:0451450523", "mailto:a@b.example", "http://[::1]:80/", "tel:+1-816-555-1212",
			"file:///etc/hosts", "http://user:pw@example.org:/%20", "http://example.org?x=/?", "a:", "HTTP://EXAMPLE.ORG"},
		bad: []string{"", "/relative", "//example.org/p", "example.org/a b", "http://exa mple/", "http://example.org/%zz", "1http://x",
			"http://example.org/\\", "http://example.org/<x>", "http://exämple.org/", "http://[::1", "http://example.org:port/",
			" http://example.org", "http://example.org/a#b#c", "http://example.org/{id}", "http://example.org/^", "http://example.org/%2",
			"http://example.org/|", "http://example.org/\n", ":no-scheme", "ht_tp://x"},
		test: func(s string) bool { u, err := url.Parse(s); return err == nil && u.Scheme != "" && tame(s) },
	},
	"uri-reference": {
		good: []string{"/relative", "?q=1", "#fragment", "", "../a", "a/b:c", "//example.org/p", "https://example.org/a?b=c#d", "%41", ".", "urn:x:y"},
		bad: []string{"a b", "%zz", "%4", "\\x", "<x>", "a#b#c", " ", "/é", "1:2", "{x}", "/a|b", "\"x\"", "/^", "/`", "/a\n", "http://[::1", "[x]",
			"//example.org:port/", ":x"},
		test: func(s string) bool {
			first, _, _ := strings.Cut(s, "/")
			_, err := url.Parse(s)
			return err == nil && tame(s) && (!strings.Contains(first, ":") || strings.HasPrefix(first, "http"))
		},
	},
	"email": {
		good: []string{"a@b.example", "first.last+tag@sub.example.org", "x@localhost"},
		bad:  []string{"a", "@b.example", "a@", "a b@c.example", "a@b@c.example", "a@b c", "a@b.example\n", ""},
		test: func(string) bool { return false },
	},
	"uuid": {
		good: []string{"123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-42D3-A456-426614174000", "00000000-0000-0000-0000-000000000000"},
		bad: []string{"123e4567e89b12d3a456426614174000", "{123e4567-e89b-12d3-a456-426614174000}", "urn:uuid:123e4567-e89b-12d3-a456-426614174000",
			"123e4567-e89b-12d3-a456-42661417400", "123e4567-e89b-12d3-a456-4266141740000", "123e4567-e89b-12d3-a456-42661417400g",
			"123e4567-e89b12-d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000\n", ""},
		test: func(string) bool { return false },
	},
	"byte": { // RFC 4648, section 4
		good: []string{"", "TQ==", "TWE=", "TWFu", "+/+/", "TWFuTWE="},
		bad:  []string{"TQ=", "TQ", "T", "T===", "TW-_", "TWFu\n", "TQ==TQ==", "=", "====", " TQ==", "TW Fu", "Tä=="},
		test: func(s string) bool {
			_, err := base64.StdEncoding.DecodeString(s)
			return err == nil && !strings.ContainsAny(s, "\r\n")
		},
	},
}

var dateTime = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`)

// tame tells texts that have only characters that a URI has.
func tame(s string) bool {
	return strings.Count(s, "#") < 2 &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}[]", r) })
}
