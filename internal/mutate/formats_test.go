package mutate

import (
	_ "embed"
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"time"

	"github.com/fleetcontract/fleetio-go/internal/generate"
)

// wellFormed looks a text up. Of some formats, other texts arise too.
func wellFormed(format, text string) bool {
	f, known := generate.Formats[format]
	switch {
	case !known || slices.Contains(f.Valid, text), slices.Contains(f.Unusual, text):
		return true
	case slices.Contains(f.Invalid, text):
		return false
	case format == "date-time":
		text = strings.ToUpper(text)
		_, err := time.Parse(time.RFC3339, text)
		return err == nil && dateTime.MatchString(text)
	case format == "byte":
		_, err := base64.StdEncoding.DecodeString(text)
		return err == nil
	case format == "hostname":
		return label.MatchString(text)
	case format == "uri-reference":
		first, _, _ := strings.Cut(text, "/")
		_, err := url.Parse(text)
		return err == nil && uriCharacters.MatchString(text) &&
			(!strings.Contains(first, ":") || strings.HasPrefix(first, "http"))
	}
	return false
}

var (
	dateTime      = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`)
	label         = regexp.MustCompile(`^[a-z0-9]{1,63}$`)
	uriCharacters = regexp.MustCompile("^[!$-;=?-Z_a-z~]*(#[!$-;=?-Z_a-z~]*)?$")
)
