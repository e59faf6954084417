package page

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	mostCell = 120  // bytes of a text in a table
	mostText = 2000 // bytes of a text elsewhere: a header, a line of a body, a message
)

// visible writes what has no shape of its own, or bends that of others, as an escape: control characters, invisible
// spaces, marks that turn the direction of writing, bytes that are not UTF-8. So nothing hides, and nothing looks like
// something else. In JSON most of these escapes mean the character.
func visible(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		s = s[n:]
	}
	return b.String()
}

// clip makes the first bytes of a text visible, and says how many it left out.
func clip(s string, most int) string {
	if len(s) <= most {
		return visible(s)
	}
	for i := 0; i < utf8.UTFMax-1 && !utf8.RuneStart(s[most]); i++ {
		most--
	}
	return fmt.Sprintf("%s … and %d bytes more", visible(s[:most]), len(s)-most)
}

// took writes a duration in three digits or so.
func took(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}

// statusText is a status with its name, which tells the same as its colour.
func statusText(status int) string {
	if status == 0 {
		return "no answer"
	}
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// statusKind is the class of the style sheet for a status.
func statusKind(status int) string {
	switch {
	case status >= 500:
		return "fails"
	case status >= 400:
		return "drift"
	case status >= 200:
		return "conforms"
	default:
		return "none"
	}
}
