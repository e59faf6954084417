package conformance

import (
	"fmt"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// describe shows a value from traffic, in few words and without credentials.
func (k *checker) describe(v value) string {
	switch v.Type() {
	case strictjson.Number:
		const maxShown = 40
		if raw := v.Text(); len(raw) <= maxShown {
			return k.conceal(raw)
		}
		return fmt.Sprintf("a number of %d digits", len(v.Text()))
	case strictjson.String:
		return k.excerpt(v.Text())
	case strictjson.Array:
		return fmt.Sprintf("an array of %d", v.Len())
	case strictjson.Object:
		return fmt.Sprintf("an object of %d", v.Len())
	default:
		return v.Text()
	}
}

// excerpt shows a text from traffic, quoted and cut. Credentials go before it is cut, as half a credential is one too many.
func (k *checker) excerpt(s string) string {
	const maxShown = 60
	shown := []rune(k.conceal(s))
	if len(shown) > maxShown {
		return fmt.Sprintf("%s… (%d characters)", printable.Quote(string(shown[:maxShown])), utf8.RuneCountInString(s))
	}
	return printable.Quote(string(shown))
}
