package mutate

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// formats are texts that have a format, texts that almost do, and texts that have it, but are worth a note. They are written by hand, after RFC 3339 (section 5.6
// and appendix A), RFC 3986 (appendix A), RFC 4648 (section 4), RFC 5321 (section 4.1.2), RFC 1123 (section 2.1) and RFC 4291
// (section 2.2): no parser decides them.
var formats = readTable[map[string]struct{ Valid, Invalid, Unusual []string }](formatTable)

//go:embed formats.json
var formatTable []byte

func readTable[T any](data []byte) (table T) {
	if err := json.Unmarshal(data, &table); err != nil {
		panic(err) // the file is part of this package
	}
	return table
}

// wellFormed looks a text up. Of some formats, other texts arise too.
func wellFormed(format, text string) bool {
	f, known := formats[format]
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

// widths are the smallest and the largest integer of a format.
var widths = map[string]struct{ minimum, maximum *big.Rat }{"int32": width(31), "int64": width(63)}

func width(bits uint) struct{ minimum, maximum *big.Rat } {
	top := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), bits))
	return struct{ minimum, maximum *big.Rat }{new(big.Rat).Neg(top), plus(top, -1)}
}
