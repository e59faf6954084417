package conformance

import "bytes"

// proofs prove formats on the bytes of a text. Where one says no, the format's check has the last word.
var proofs = map[string]func([]byte) bool{
	"date-time": func(text []byte) bool { _, ok := parseInstant(text); return ok },
	"date": func(text []byte) bool {
		_, ok := parseDay(text)
		return ok && len(text) == len("2006-01-02")
	},
	"uri":           isPlainURI,
	"uri-reference": func(text []byte) bool { return isPlainPath(text) || isPlainURI(text) || relativeReference.Match(text) },
	"email":         emailShape.Match,
	"uuid":          uuidShape.Match,
	"byte":          base64Shape.Match,
}

// instant is a date-time: seconds since 1970 and the digits of the fraction without the zeros behind them.
type instant struct {
	seconds  int64
	fraction []byte
}

func (a instant) compare(b instant) int {
	switch {
	case a.seconds < b.seconds:
		return -1
	case a.seconds > b.seconds:
		return 1
	}
	return bytes.Compare(a.fraction, b.fraction)
}

// parseInstant reads what [parseTime] reads, but for leap seconds.
func parseInstant(text []byte) (instant, bool) {
	const seconds = len("2006-01-02T15:04:05")
	day, ok := parseDay(text)
	if !ok || len(text) <= seconds || text[10] != 'T' || text[13] != ':' || text[16] != ':' {
		return instant{}, false
	}
	hour, minute, second := pair(text[11:]), pair(text[14:]), pair(text[17:])
	if hour > 23 || minute > 59 || second > 59 {
		return instant{}, false
	}
	result := instant{seconds: day*86400 + int64(hour)*3600 + int64(minute)*60 + int64(second)}
	rest := text[seconds:]
	if rest[0] == '.' {
		end := 1
		for end < len(rest) && '0' <= rest[end] && rest[end] <= '9' {
			end++
		}
		if end == 1 {
			return instant{}, false
		}
		result.fraction = bytes.TrimRight(rest[1:end], "0")
		rest = rest[end:]
	}
	if len(rest) == 1 && rest[0] == 'Z' {
		return result, true
	}
	if len(rest) != len("-07:00") || rest[3] != ':' || rest[0] != '+' && rest[0] != '-' {
		return instant{}, false
	}
	hours, minutes := pair(rest[1:]), pair(rest[4:])
	if hours > 23 || minutes > 59 {
		return instant{}, false
	}
	offset := int64(hours)*3600 + int64(minutes)*60
	if rest[0] == '+' {
		offset = -offset
	}
	result.seconds += offset
	return result, true
}

// bad is what pair makes of what are no two digits: more than any limit.
const bad = 1000

func pair(text []byte) int {
	tens, ones := text[0]-'0', text[1]-'0'
	if tens > 9 || ones > 9 {
		return bad
	}
	return int(tens)*10 + int(ones)
}

// parseDay reads the date at the start of a text and returns the days since 1970.
func parseDay(text []byte) (int64, bool) {
	if len(text) < len("2006-01-02") || text[4] != '-' || text[7] != '-' {
		return 0, false
	}
	century, rest, month, day := pair(text), pair(text[2:]), pair(text[5:]), pair(text[8:])
	if century == bad || rest == bad || month < 1 || month > 12 || day < 1 {
		return 0, false
	}
	year := century*100 + rest
	leap := year%4 == 0 && (year%100 != 0 || year%400 == 0)
	length := int("\x1f\x1c\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f"[month-1])
	if month == 2 && leap {
		length++
	}
	if day > length {
		return 0, false
	}
	// Years are counted from March on, so that the leap day is the last of its year.
	if month <= 2 {
		year--
		month += 12
	}
	days := 365*year + floor(year, 4) - floor(year, 100) + floor(year, 400) + (153*(month-3)+2)/5 + day - 1
	const epoch = 719468 // the days from 0000-03-01 to 1970-01-01
	return int64(days - epoch), true
}

func floor(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// isPlainPath tells an absolute path of which no byte has a meaning.
func isPlainPath(text []byte) bool {
	return len(text) > 0 && text[0] == '/' && (len(text) == 1 || text[1] != '/') && areUnreserved(text)
}

// isPlainURI tells a URL with a plain host and a plain path.
func isPlainURI(text []byte) bool {
	scheme, rest, found := bytes.Cut(text, []byte("://"))
	if !found || string(scheme) != "https" && string(scheme) != "http" {
		return uri.Match(text)
	}
	host, path := rest, []byte(nil)
	if slash := bytes.IndexByte(rest, '/'); slash >= 0 {
		host, path = rest[:slash], rest[slash:]
	}
	if areUnreserved(host) && areUnreserved(path) {
		return true
	}
	return uri.Match(text)
}

// areUnreserved tells bytes that a path and a host may have as they are (RFC 3986, section 2.3), and slashes.
func areUnreserved(text []byte) bool {
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
