package importer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// told is what a file comes to, a text for each row and one for its end.
func told(text string, names Mapping) []string {
	var all []string
	for r, err := range readRows(strings.NewReader(text), "f", names) {
		switch {
		case err != nil:
			all = append(all, err.Error())
		case r.err != nil:
			all = append(all, fmt.Sprintf("%d@%d: %v", r.number, r.line, r.err))
		default:
			all = append(all, fmt.Sprintf("%d@%d %s of %d", r.number, r.line, r.fault.Code, r.fault.VehicleID))
		}
	}
	return all
}

func TestReadRows(t *testing.T) {
	t.Parallel()
	const header = "code,vehicle_id\n"
	limit := *fieldOf("code").Schema.Typed().MaxLength
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"CSV":                   {header + "P1,1\nP2,2\n", []string{"1@2 P1 of 1", "2@3 P2 of 2"}},
		"no last line break":    {header + "P1,1", []string{"1@2 P1 of 1"}},
		"BOM and CRLF":          {"\ufeffcode,vehicle_id\r\nP1,1\r\n", []string{"1@2 P1 of 1"}},
		"spaces in the header":  {" code , vehicle_id\nP1,1\n", []string{"1@2 P1 of 1"}},
		"a quoted header":       {"\"code\",\"vehicle_id\"\nP1,1\n", []string{"1@2 P1 of 1"}},
		"quotes":                {header + "\"a \"\"b\"\", c\",1\nP2,2\n", []string{`1@2 a "b", c of 1`, "2@3 P2 of 2"}},
		"lines within quotes":   {header + "\"a\nb\",1\nP2,2\n", []string{"1@2 a\nb of 1", "2@4 P2 of 2"}},
		"blank lines":           {"\n" + header + "\nP1,1\n\n\nP2,2\n", []string{"1@4 P1 of 1", "2@7 P2 of 2"}},
		"a short row":           {header + "P1\nP2,2\n", []string{"1@2: 1 cells, and the header has 2", "2@3 P2 of 2"}},
		"a long row":            {header + "P1,1,\n", []string{"1@2: 3 cells, and the header has 2"}},
		"empty cells":           {header + ",\n", []string{"1@2: code is required; vehicle_id is required"}},
		"not UTF-8":             {header + "\xff,1\n", []string{"1@2: code is not valid UTF-8"}},
		"no numbers":            {header + "P1,1.0\nP1,1e3\nP1, 1\nP1,9223372036854775808\n", each(4, "@%d: vehicle_id is not a whole number of 64 bits")},
		"beyond the limits":     {header + "P1,-1\n" + strings.Repeat("é", limit+1) + ",1\n", []string{"1@2: vehicle_id is less than 1", fmt.Sprintf("2@3: code has more than %d characters", limit)}},
		"a status and a time":   {"code,vehicle_id,status,last_occurred_at\nP1,1,shut,2026-03-14T13:46:27Z\nP1,1,open,14.3.2026\n", []string{"1@2: status is none of open, resolved, ignored", "2@3: last_occurred_at is not a time such as 2026-03-14T13:46:27-06:00 (RFC 3339)"}},
		"NDJSON":                {`{"code":"P1","vehicle_id":1}` + "\r\n\n " + `{"vehicle_id":2,"code":"P2","name":null}`, []string{"1@1 P1 of 1", "2@3 P2 of 2"}},
		"another case":          {`{"Code":"P1","vehicle_id":1}`, []string{`1@1: "Code" is not a field of a fault (` + FieldNames() + `)`}},
		"a property twice":      {`{"code":"P1","code":"P2","vehicle_id":1}`, []string{`1@1: "code" and "code" are both code`}},
		"data after the object": {`{"code":"P1","vehicle_id":1} {}`, []string{"1@1: text after the JSON object"}},
		"other types":           {`{"code":1,"vehicle_id":"1"}`, []string{"1@1: code is not a string; vehicle_id is not a whole number of 64 bits"}},
		"an object in it":       {`{"code":{},"vehicle_id":[1]}`, []string{"1@1: code is not a string; vehicle_id is not a whole number of 64 bits"}},
		"numbers of JSON":       {`{"code":"P1","vehicle_id":1.0}` + "\n" + `{"code":"P1","vehicle_id":1e3}`, []string{"1@1: vehicle_id is not a whole number of 64 bits", "2@2: vehicle_id is not a whole number of 64 bits"}},
		"a lone surrogate": {`{"code":"\ud83d","vehicle_id":1}` + "\n" + `{"code":"\uD83D\uDE00 \\ud83d","vehicle_id":1}` + "\n" + `{"code":"\ud83d\ud83d\ude00","name":"\uDE00","vehicle_id":1}`, []string{"1@1: code has a lone surrogate, which is half a character", "2@2 😀 \\ud83d of 1",
			"3@3: code has a lone surrogate, which is half a character; name has a lone surrogate, which is half a character"}},
		"JSON that is not UTF-8": {`{"code":"` + "\xff" + `","vehicle_id":1}`, []string{"1@1: not valid UTF-8"}},
		"broken JSON":            {`{"code":"P1"` + "\n[]\n" + `{"code":}`, []string{"1@1: not valid JSON", "2@2: not a JSON object", "3@3: not valid JSON"}},
		"nothing":                {"", []string{"f: no header row"}},
		"gzip":                   {"\x1f\x8b\x08", []string{"f: a gzip file; unpack it first"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, told(test.text, Mapping{}))
		})
	}
}

// each is a text for each of n rows below a header.
func each(n int, format string) []string {
	var all []string
	for i := 1; i <= n; i++ {
		all = append(all, fmt.Sprintf("%d"+format, i, i+1))
	}
	return all
}

func TestMapping(t *testing.T) {
	t.Parallel()
	names, err := NewMapping([]string{"a=b=code", "Vehicle=vehicle_id"}, []string{"code"})
	require.NoError(t, err)
	assert.Equal(t, []string{"1@2 P1 of 1"}, told("a=b,code,Vehicle\nP1,x,1\n", names))
	assert.Equal(t, []string{"1@1 P1 of 1"}, told(`{"a=b":"P1","code":[],"Vehicle":1}`, names))
	names, err = NewMapping([]string{"a=code"}, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{`f:1: the columns "code" and "a" are both code`}, told("code,a,vehicle_id\n", names))
}

// FuzzReadRows holds each row to be sent or rejected, each that is to be sent to be right, and each file to read the same
// twice.
func FuzzReadRows(f *testing.F) {
	for _, seed := range []string{
		"code,vehicle_id\nP1,1\n", "\ufeffcode,vehicle_id\r\n\"a\"\"\",1\r\n", "code,vehicle_id,status,last_occurred_at\nP1,1,open,2026-03-14T13:46:27Z\n",
		`{"code":"P1","vehicle_id":1}` + "\n\n" + `{"code":"\ud83d\ude00","vehicle_id":9e99}`, `{"code":"\ud83d"`, "code\n\"",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line, number := 0, 0
		for r, err := range readRows(strings.NewReader(text), "f", Mapping{}) {
			if err != nil {
				continue
			}
			number++
			assert.Equal(t, number, r.number)
			assert.Greater(t, r.line, line)
			line = r.line
			if r.err == nil {
				require.NoError(t, fleetio.Check(r.fault))
			}
		}
		assert.LessOrEqual(t, line, strings.Count(text, "\n")+1)
		first, second := told(text, Mapping{}), told(text, Mapping{})
		assert.Equal(t, first, second)
	})
}
