package page

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/internal/printable"
)

const (
	maxCell = 120  // bytes of a text in a table
	maxText = 2000 // bytes of a text elsewhere: a header, a line of a body, a message
)

// clip makes the first bytes of a text printable, and says how many it left out.
func clip(s string, most int) string {
	if len(s) <= most {
		return printable.Text(s)
	}
	for i := 0; i < utf8.UTFMax-1 && !utf8.RuneStart(s[most]); i++ {
		most--
	}
	return fmt.Sprintf("%s … and %d bytes more", printable.Text(s[:most]), len(s)-most)
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
		return "no response"
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
