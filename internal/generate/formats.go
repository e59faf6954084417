package generate

import (
	_ "embed"
	"encoding/json"
	"math/big"
)

// Formats are texts that have a format, texts that almost do, and texts that have it, but are worth a note. They are
// written by hand, after RFC 3339 (section 5.6 and appendix A), RFC 3986 (appendix A), RFC 4648 (section 4), RFC 5321 (section 4.1.2), RFC 1123 (section 2.1) and RFC 4291
// (section 2.2): no parser decides them.
var Formats = func() (table map[string]struct {
	Valid   []string `json:"Valid"`
	Invalid []string `json:"Invalid"`
	Unusual []string `json:"Unusual"`
}) {
	if err := json.Unmarshal(formatTable, &table); err != nil {
		panic(err) // the file is part of this package
	}
	return table
}()

//go:embed formats.json
var formatTable []byte

// Widths are the smallest and the largest integer of a format.
var Widths = map[string]struct{ Minimum, Maximum *big.Rat }{"int32": width(31), "int64": width(63)}

func width(bits uint) struct{ Minimum, Maximum *big.Rat } {
	top := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), bits))
	return struct{ Minimum, Maximum *big.Rat }{new(big.Rat).Neg(top), Plus(top, -1)}
}
