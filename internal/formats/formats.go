// Package formats matches the string formats of OpenAPI 3.0 and JSON Schema.
package formats

import (
	"bytes"
	"cmp"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"time"
)

// Matchers has a function for each supported string format, which reports whether a string has the format.
var Matchers = map[string]func(text []byte) bool{
	"date-time": func(text []byte) bool { _, ok := ParseInstant(text); return ok },
	"date": func(text []byte) bool {
		_, ok := parseDay(text)
		return ok && len(text) == len("2006-01-02")
	},
	"uri":           func(text []byte) bool { return isSimpleURI(text) || uri.Match(text) && hasIPLiteral(text) },
	"uri-reference": isReference,
	"email":         isEmail,
	"hostname":      isHostname,
	"ipv4":          isIPv4,
	"ipv6":          isIPv6,
	// RFC 3339, section 5.6 (full-time), and appendix A.
	"time": func(text []byte) bool { _, ok := ParseInstant(append([]byte("1970-01-01T"), text...)); return ok },
	"duration": func(text []byte) bool {
		return duration.Match(text) && !bytes.HasSuffix(text, []byte("T")) && len(text) > 1
	},
	"uuid": regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`).Match,
	"byte": regexp.MustCompile(`^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$`).Match,
}

// IntegerBits has the number of bits of each integer format.
var IntegerBits = map[string]int{"int32": 32, "int64": 64}

// Instant is a point in time with any number of digits after the second.
type Instant struct {
	seconds  int64  // since 1970
	fraction []byte // its digits, without trailing zeros
}

// Compare orders two instants as [cmp.Compare] does.
func (a Instant) Compare(b Instant) int {
	return cmp.Or(cmp.Compare(a.seconds, b.seconds), bytes.Compare(a.fraction, b.fraction))
}

// ParseInstant parses a date-time (RFC 3339, section 5.6) with any number of digits in the fraction. T and Z may be lower
// case, although Go and many other decoders reject that. A leap second is valid at 23:59:60 UTC (section 5.7). Package time is several times slower, and has nine digits.
func ParseInstant(text []byte) (Instant, bool) {
	const seconds = len("2006-01-02T15:04:05")
	day, ok := parseDay(text)
	if !ok || len(text) <= seconds || text[10]|0x20 != 't' || text[13] != ':' || text[16] != ':' {
		return Instant{}, false
	}
	hour, minute, second := twoDigits(text[11:]), twoDigits(text[14:]), twoDigits(text[17:])
	if hour > 23 || minute > 59 || second > 60 {
		return Instant{}, false
	}
	result := Instant{seconds: day*86400 + int64(hour)*3600 + int64(minute)*60 + int64(second)}
	rest := text[seconds:]
	if rest[0] == '.' {
		end := 1
		for end < len(rest) && '0' <= rest[end] && rest[end] <= '9' {
			end++
		}
		if end == 1 {
			return Instant{}, false
		}
		result.fraction = bytes.TrimRight(rest[1:end], "0")
		rest = rest[end:]
	}
	if string(rest) != "Z" && string(rest) != "z" {
		if len(rest) != len("-07:00") || rest[3] != ':' || rest[0] != '+' && rest[0] != '-' {
			return Instant{}, false
		}
		hours, minutes := twoDigits(rest[1:]), twoDigits(rest[4:])
		if hours > 23 || minutes > 59 {
			return Instant{}, false
		}
		offset := int64(hours)*3600 + int64(minutes)*60
		if rest[0] == '+' {
			offset = -offset
		}
		result.seconds += offset
	}
	return result, second < 60 || result.seconds%86400 == 0
}

// notDigits is the result of twoDigits for other bytes: more than any limit.
const notDigits = 1000

func twoDigits(text []byte) int {
	tens, ones := text[0]-'0', text[1]-'0'
	if tens > 9 || ones > 9 {
		return notDigits
	}
	return int(tens)*10 + int(ones)
}

// parseDay parses the date at the start of a text and returns the days since 1970.
func parseDay(text []byte) (int64, bool) {
	if len(text) < len("2006-01-02") || text[4] != '-' || text[7] != '-' {
		return 0, false
	}
	century, rest, month, day := twoDigits(text), twoDigits(text[2:]), twoDigits(text[5:]), twoDigits(text[8:])
	if century == notDigits || rest == notDigits || month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, false
	}
	midnight := time.Date(century*100+rest, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return midnight.Unix() / 86400, midnight.Day() == day // time.Date normalizes February 30 to March
}

// isSimpleURI and isSimplePath accept common URIs and paths without a regular expression.
func isSimpleURI(text []byte) bool {
	scheme, rest, found := bytes.Cut(text, []byte("://"))
	return found && (string(scheme) == "https" || string(scheme) == "http") && isUnreserved(rest)
}

func isSimplePath(text []byte) bool {
	return len(text) > 0 && text[0] == '/' && (len(text) == 1 || text[1] != '/') && isUnreserved(text)
}

func isReference(text []byte) bool {
	return isSimplePath(text) || isSimpleURI(text) || (uri.Match(text) || relativeReference.Match(text)) && hasIPLiteral(text)
}

// hasIPLiteral reports whether the brackets of a URI, which only a host has, are around an address (RFC 3986, section 3.2.2).
func hasIPLiteral(uri []byte) bool {
	_, rest, found := bytes.Cut(uri, []byte("["))
	address, _, _ := bytes.Cut(rest, []byte("]"))
	return !found || address[0]|0x20 == 'v' || isIPv6(address)
}

func isIPv4(text []byte) bool {
	a, err := netip.ParseAddr(string(text))
	return err == nil && a.Is4()
}

func isIPv6(text []byte) bool {
	a, err := netip.ParseAddr(string(text))
	return err == nil && a.Is6() && a.Zone() == ""
}

// isHostname is by RFC 1123, section 2.1.
func isHostname(text []byte) bool {
	const maxName = 253
	return len(text) <= maxName && hostname.Match(text)
}

// isEmail is by RFC 5321, section 4.1.2 (Mailbox).
func isEmail(text []byte) bool {
	at := bytes.LastIndexByte(text, '@')
	if at < 0 || !localPart.Match(text[:at]) {
		return false
	}
	domain := text[at+1:]
	if literal, isLiteral := bytes.CutPrefix(domain, []byte("[")); isLiteral && bytes.HasSuffix(domain, []byte("]")) {
		literal = literal[:len(literal)-1]
		if six, isSix := bytes.CutPrefix(literal, []byte("IPv6:")); isSix {
			return isIPv6(six)
		}
		return isIPv4(literal)
	}
	return isHostname(domain)
}

var (
	localPart = regexp.MustCompile(`^(?:[` + atom + `]+(?:\.[` + atom + `]+)*|"(?:[ !#-\[\]-~]|\\[ -~])*")$`)
	hostname  = regexp.MustCompile(`^` + label + `(?:\.` + label + `)*$`)
	duration  = regexp.MustCompile(`^P(?:[0-9]+W|(?:[0-9]+Y)?(?:[0-9]+M)?(?:[0-9]+D)?(?:T(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+S)?)?)$`)
)

const (
	atom  = `A-Za-z0-9!#$%&'*+/=?^_{|}~` + "`" + `-`
	label = `[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?`
)

// isUnreserved reports whether all bytes are slashes or unreserved characters (RFC 3986, section 2.3).
func isUnreserved(text []byte) bool {
	for _, c := range text {
		if !unreservedBytes[c] {
			return false
		}
	}
	return true
}

var unreservedBytes = func() (set [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/") {
		set[c] = true
	}
	return set
}()

// URIs and relative references by the grammar of RFC 3986, appendix A.
var (
	uri               = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:(?:` + authority + `|/?(?:` + pchar + `+(?:/` + pchar + `*)*)?)` + tail)
	relativeReference = regexp.MustCompile(`^(?:` + authority + `|/?(?:` + pcharNoColon + `+(?:/` + pchar + `*)*)?|/` + pchar + `+(?:/` + pchar + `*)*)` + tail)
)

// The parts of both. A path after an authority is empty or starts with a slash; any other does not start with two.
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

// unchecked are the other formats of OpenAPI 3.0 and JSON Schema. They have no matcher.
var unchecked = []string{"float", "double", "json-pointer", "regex", "uri-template", "idn-email", "idn-hostname", "iri", "iri-reference", "relative-json-pointer"}

// Binary is the format of any bytes, also of those that are no text; password, a hint for forms, that of any text.
const (
	Binary   = "binary"
	password = "password"
)

// Checked reports whether a value's format is checked, or allows all values.
func Checked(name string) bool {
	return Matchers[name] != nil || IntegerBits[name] > 0 || name == Binary || name == password
}

// Names returns the formats of OpenAPI 3.0 and JSON Schema.
func Names() []string {
	return slices.Concat(slices.Sorted(maps.Keys(Matchers)), slices.Sorted(maps.Keys(IntegerBits)), unchecked, []string{Binary, password})
}
