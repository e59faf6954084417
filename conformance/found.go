package conformance

import (
	"fmt"
	"strconv"
	"strings"
)

// plain is a text of our own, in contrast to a string from traffic.
type plain string

// describe shows what was found, in few words and without the credentials of the request, which a server may repeat
// anywhere. They go before the text is cut, as half a credential is one too many.
func (k *check) describe(found any) string {
	switch v := found.(type) {
	case plain:
		return k.conceal(string(v), shortestSecret)
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case number:
		if len(v) > 40 {
			return fmt.Sprintf("a number of %d digits", len(v))
		}
		return k.conceal(v.String(), shortestSecret)
	case string:
		return excerpt(k.conceal(v, shortestSecret))
	case []any:
		return fmt.Sprintf("an array of %d", len(v))
	case map[string]any:
		return fmt.Sprintf("an object of %d", len(v))
	}
	return fmt.Sprintf("a %T", found)
}

// What is shorter than a secret can be is no secret, and hiding it would garble every text. Names of members are more
// likely to hold a short one by chance.
const (
	shortestSecret       = 4
	shortestSecretInName = 8
)

func (k *check) conceal(text string, shortest int) string {
	for _, secret := range k.secrets {
		if len(secret) >= shortest {
			text = strings.ReplaceAll(text, secret, "[credential]")
		}
	}
	return text
}

// excerpt shows a text from traffic, quoted and cut.
func excerpt(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		return fmt.Sprintf("%q… (%d characters)", string(runes[:most]), len(runes))
	}
	return strconv.Quote(s)
}
