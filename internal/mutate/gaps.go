package mutate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"mime"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// gap is a known difference between kin-openapi's filter and the judge.
type gap struct {
	name, reason string
	misses       func(*spec, *Mutant) bool           // a mutant in which it finds nothing
	alarms       func(*traffic.Exchange, error) bool // an exchange that conforms, of which it says otherwise
}

// rules makes a gap of what the judge reports by one of these rules.
func rules(names ...string) func(*spec, *Mutant) bool {
	return func(_ *spec, m *Mutant) bool { return slices.Contains(names, m.Want.Rule) }
}

// gaps lists them all, found with v0.153.0. One that explains nothing any more fails the test of this package.
var gaps = []gap{
	{name: "drift", reason: "it knows no undocumented members and headers, unless additionalProperties is false",
		misses: rules("undocumented-property", "undocumented-header")},
	{name: "criteria", reason: "it does not read our extension", misses: rules("criterion")},
	{name: "repeated names", reason: "encoding/json keeps the last", misses: rules("duplicate-key")},
	{name: "half a character", reason: "encoding/json replaces half a surrogate pair",
		misses: func(_ *spec, m *Mutant) bool { return m.Want.Rule == "unicode" && utf8.Valid(m.body()) }},
	{name: "UTF-8", reason: "encoding/json replaces what is not UTF-8",
		misses: func(_ *spec, m *Mutant) bool { return m.Want.Rule == "unicode" && !utf8.Valid(m.body()) }},
	{name: "data after the value", reason: "it decodes the first value and stops",
		misses: func(_ *spec, m *Mutant) bool {
			var v any
			return m.Want.Rule == "json" && json.NewDecoder(bytes.NewReader(m.body())).Decode(&v) == nil
		}},
	{name: "parameters of a media type", reason: "it cuts them off, a charset included, and reads the first field only",
		misses: func(_ *spec, m *Mutant) bool {
			fields := m.message().Header.Values("Content-Type")
			if m.Want.Rule != "media-type" || len(fields) == 0 {
				return false
			}
			_, parameters, err := mime.ParseMediaType(fields[0])
			return err != nil || parameters["charset"] != "" || len(fields) > 1
		}},
	{name: "redirects", reason: "it lets every 3xx of some pass",
		misses: func(_ *spec, m *Mutant) bool {
			return m.Want.Rule == "status" && slices.Contains([]int{301, 304, 307, 308}, m.Exchange.Status)
		}},
	{name: "leap seconds", reason: "it lets any minute have 61 seconds",
		misses: func(s *spec, m *Mutant) bool {
			return s.formatOf(m) == "date-time" && strings.Contains(fmt.Sprint(m.found()), ":60")
		}},
	{name: "wide integers", reason: "it reads numbers as float64, in which the bounds of int64 have neighbours a thousand apart",
		misses: func(s *spec, m *Mutant) bool {
			n, isNumber := m.found().(json.Number)
			f, err := n.Float64()
			return s.formatOf(m) == "int64" && isNumber && err == nil && math.Abs(f) == -math.MinInt64
		}},
	{name: "base64", reason: "it checks the characters only, and takes those of base64url",
		misses: func(s *spec, m *Mutant) bool { return s.formatOf(m) == "byte" }},
	{name: "formats", reason: "it checks these not at all",
		misses: func(s *spec, m *Mutant) bool {
			return slices.Contains([]string{"uri", "uri-reference", "email", "uuid"}, s.formatOf(m))
		}},
	{name: "bodies without a schema", reason: "it does not read them",
		misses: func(s *spec, m *Mutant) bool {
			_, at, _ := strings.Cut(m.Claim, "#")
			for bare := range s.bare {
				if bare == at || strings.HasPrefix(bare, at+"/") && m.Want.Rule == "body" {
					return true
				}
			}
			return false
		}},
	{name: "documented without a body", reason: "it does not look at a body that the spec does not have",
		misses: func(_ *spec, m *Mutant) bool { return m.Want.Rule == "body" && len(m.body()) > 0 }},
	{name: "bodies that are not JSON", reason: "to it, no body is an empty text",
		misses: func(_ *spec, m *Mutant) bool {
			return m.Want.Rule == "body" && len(m.body()) == 0 && !isJSON(m.message().Header.Get("Content-Type"))
		}},
	{name: "truths in headers", reason: "it takes 1 and T for true, 0 and F for false",
		misses: func(_ *spec, m *Mutant) bool {
			_, err := strconv.ParseBool(fmt.Sprint(m.found()))
			return m.Want.Part == conformance.ResponseHeader && m.Want.Rule == "type" && err == nil
		}},
	{name: "numbers spelled otherwise", reason: "to uniqueItems, 1.5 and 15e-1 differ",
		misses: func(_ *spec, m *Mutant) bool {
			return m.Want.Rule == "uniqueItems" && strings.ContainsAny(encode(m.found()), ".eE")
		}},
	{name: "discriminators of anyOf", reason: "it reads them beside oneOf only",
		misses: rules("discriminator")},
	{name: "names of a discriminator", reason: "with a mapping, it forgets that a schema's own name chooses it, too, and reads no name in a mapping",
		alarms: func(_ *traffic.Exchange, err error) bool {
			return strings.Contains(err.Error(), "discriminator property")
		}},
	{name: "null of no type", reason: "it refuses null where no type is given, which in OpenAPI 3.0.3 leaves room for any value",
		alarms: func(_ *traffic.Exchange, err error) bool { return strings.Contains(err.Error(), "not nullable") }},
}

// message is the one that the mutant is about.
func (m *Mutant) message() *traffic.Message {
	if m.Want.Part == conformance.RequestBody || m.Want.Part == conformance.RequestHeader {
		return &m.Exchange.Request
	}
	return &m.Exchange.Response
}

// found is the value at the place of the finding: of a body, or the text of a header.
func (m *Mutant) found() any {
	path := tokens(m.Want.Pointer)
	if m.Want.Part == conformance.ResponseHeader {
		return m.message().Header.Get(path[0])
	}
	v, _ := lookup(decode(string(m.body())), path)
	return v
}

func (m *Mutant) body() []byte { return m.message().Body }

// formatOf is the format that a mutant breaks, or "".
func (s *spec) formatOf(m *Mutant) string {
	_, at, _ := strings.Cut(m.Claim, "#")
	at, isFormat := strings.CutSuffix(at, "/format")
	if n := s.nodes[at]; isFormat && n != nil {
		return n.Format
	}
	return ""
}
