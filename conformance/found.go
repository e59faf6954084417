package conformance

import (
	"fmt"
	"strconv"
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
		return excerpt(k.conceal(v))
	case []any:
		return fmt.Sprintf("an array of %d", len(v))
	case map[string]any:
		return fmt.Sprintf("an object of %d", len(v))
	}
	return fmt.Sprintf("a %T", found)
}

// excerpt shows a text from traffic, quoted and cut.
func excerpt(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		return fmt.Sprintf("%q… (%d characters)", string(runes[:most]), len(runes))
	}
	return strconv.Quote(s)
}
