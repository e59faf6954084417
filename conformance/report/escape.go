package report

import (
	"fmt"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// code shows a text in GitHub flavoured Markdown as it is. It goes into a code element, where nobody is mentioned and
// nothing is linked, with all punctuation that means something to Markdown or HTML as character references, which
// split no table cell and end no element. A code span by backticks could not hold every text.
func code(s string) string {
	var b strings.Builder
	b.WriteString("<code>")
	for _, r := range printable.Text(s) {
		if r < 0x80 && !isWordly(r) {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String() + "</code>"
}

// isWordly tells the ASCII characters that mean nothing to Markdown and HTML within a line.
func isWordly(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" /-,()+%", r)
}
