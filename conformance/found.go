package conformance

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// plain is a text of our own, in contrast to a string from traffic.
type plain string

// describe shows what was found, in few words and without credentials. They go before the text is cut, as half a
// credential is one too many.
func (k *check) describe(found any) string {
	switch v := found.(type) {
	case plain:
		return k.conceal(string(v))
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case number:
		if len(v) > 40 {
			return fmt.Sprintf("a number of %d digits", len(v))
		}
		return k.conceal(v.String())
	case string:
		return k.excerpt(v)
	case []any:
		return fmt.Sprintf("an array of %d", len(v))
	case map[string]any:
		return fmt.Sprintf("an object of %d", len(v))
	}
	return fmt.Sprintf("a %T", found)
}

// excerpt shows a text from traffic, quoted and cut.
func (k *check) excerpt(s string) string {
	const most = 60
	shown := []rune(k.concealFirst(s, utf8.UTFMax*(most+1)))
	if len(shown) > most {
		return fmt.Sprintf("%s… (%d characters)", printable.Quote(string(shown[:most])), utf8.RuneCountInString(s))
	}
	return printable.Quote(string(shown))
}
