package conformance

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDecodeJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		faults []fault
		ok     bool
	}{
		` {"a":[1,{"b":null}]} `:    {ok: true},
		`"\ud83d\ude00 \\ud83d"`:    {ok: true},
		`1e400`:                     {ok: true},
		`{"a":1,"b":{"c":1,"c":2}}`: {[]fault{{ruleDuplicate, "/b/c", "the member more than once"}}, true},
		`{"~/":1,"~/":2,"a":1,"\u0061":2}`: {[]fault{{ruleDuplicate, "/~0~1", "the member more than once"},
			{ruleDuplicate, "/a", "the member more than once"}}, true},
		`"\ud83d"`:                  {[]fault{{ruleUnicode, "", "half of a surrogate pair at byte 1"}}, true},
		`"\ude00\ud83d"`:            {[]fault{{ruleUnicode, "", "half of a surrogate pair at byte 1"}}, true},
		`"ab\ud83d\u0041"`:          {[]fault{{ruleUnicode, "", "half of a surrogate pair at byte 3"}}, true},
		"\"a\xff\"":                 {[]fault{{ruleUnicode, "", "invalid UTF-8 at byte 2"}}, false},
		"\ufeff1":                   {[]fault{{ruleJSON, "", "a byte order mark (RFC 8259, section 8.1, forbids it)"}}, false},
		`{} x`:                      {[]fault{{ruleJSON, "", "data after the value, which ends at byte 2"}}, false},
		`1 2`:                       {[]fault{{ruleJSON, "", "data after the value, which ends at byte 1"}}, false},
		`{"a":`:                     {[]fault{{ruleJSON, "", "JSON that ends too early"}}, false},
		``:                          {[]fault{{ruleJSON, "", "JSON that ends too early"}}, false},
		`[1}`:                       {[]fault{{ruleJSON, "", "invalid JSON at byte 2: invalid character '}' after array element"}}, false},
		strings.Repeat("[", 100000): {[]fault{{ruleJSON, "", "JSON nested more than 1000 deep"}}, false},
	} {
		_, faults, ok := decodeJSON([]byte(text))
		assert.Equal(t, want.faults, faults, "%.40q", text)
		assert.Equal(t, want.ok, ok, "%.40q", text)
	}
}

// FuzzDecodeJSON holds the decoder against the standard library's opinion of what is JSON, and its value.
func FuzzDecodeJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-0.5e+3,true,null,"\ud83d\ude00"]}`, `{"a":1,}`, `[1,]`, `"\ud83d"`, "\"\x00\"", `01`, `{1:2}`, `nul`, `[}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		value, faults, ok := decodeJSON(data)
		if ok != (json.Valid(data) && utf8.Valid(data)) {
			if !ok && strings.Contains(faults[0].found, "deep") {
				return
			}
			t.Fatalf("ok is %v, %+v", ok, faults)
		}
		if !ok {
			return
		}
		d := json.NewDecoder(strings.NewReader(string(data)))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		require.Equal(t, want, value)
	})
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for format, texts := range map[string]struct{ good, bad []string }{
		"date-time": {
			good: []string{"2023-03-14T13:46:27-06:00", "2024-02-29T00:00:00Z", "2023-03-14T13:46:27.123456789012Z",
				"2016-12-31T23:59:60Z", "2017-01-01T05:29:60+05:30", "0001-01-01T00:00:00+23:59"},
			bad: []string{"", "2023-03-14", "2023-03-14T13:46:27", "2023-03-14 13:46:27Z", "2023-02-29T00:00:00Z",
				"2023-03-14T24:00:00Z", "2023-03-14T13:60:00Z", "2023-03-14T13:46:60Z", "2023-03-14T13:46:27,5Z",
				"2023-03-14T13:46:27.Z", "2023-03-14T13:46:27+0600", "2023-03-14T13:46:27+24:00", "2023-03-14t13:46:27z",
				" 2023-03-14T13:46:27Z", "2023-03-14T13:46:27Z\n", "２023-03-14T13:46:27Z"},
		},
		"date":          {[]string{"2024-02-29"}, []string{"2023-02-29", "2023-1-1", "2023-03-14T00:00:00Z", ""}},
		"uri":           {[]string{"https://a.example/b?c#d", "urn:x:y"}, []string{"/b", "", "a b:", "https://a.example/%zz"}},
		"uri-reference": {[]string{"", "/b", "#c", "?d", "//a.example", "string", "https://a.example/%20"}, []string{"a b", "\\", "ü", "#a#b", "%", "<a>", "http://[::1"}},
		"email":         {[]string{"a@b", "a.b+c@d.example"}, []string{"a", "@b", "a@", "a b@c", "a@b@c"}},
		"uuid":          {[]string{"123e4567-e89b-12d3-a456-426614174000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"}, []string{"", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g"}},
		"byte":          {[]string{"", "YQ==", "YWI=", "YWJj"}, []string{"YQ", "YQ=", "Y Q==", "YQ==YQ==", "_-=="}},
	} {
		for _, text := range texts.good {
			require.NoError(t, formats[format](text), "%s %q", format, text)
		}
		for _, text := range texts.bad {
			assert.Error(t, formats[format](text), "%s %q", format, text)
		}
	}
}

func TestCompareNumbers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b number
		want int
	}{
		{"1", "1.0", 0}, {"9.021e4", "90210", 0}, {"9007199254740993", "9007199254740992", 1}, {"-0", "0", 0},
		{"1e-3", "0.001", 0}, {"2", "10", -1}, {"1e999999999", "1e999999999", 0},
	} {
		assert.Equal(t, test.want, compareNumbers(test.a, test.b), "%s %s", test.a, test.b)
	}
}

func TestKinValueKeepsIntegersOutsideInt64Outside(t *testing.T) {
	t.Parallel()
	contract, err := Load([]byte(`{openapi: 3.0.3, info: {title: t, version: "1"}, paths: {/: {get: {responses: {"200": {description: d,
  content: {application/json: {schema: {type: integer, format: int64}}}}}}}}}`))
	require.NoError(t, err)
	schema := contract.operations[0].responses["200"].body.json()
	for text, good := range map[number]bool{
		"9223372036854775807": true, "-9223372036854775808": true, "9223372036854775808": false, "-9223372036854775809": false,
		"1e18": true, "1e19": false, "1e400": false, "-1e400": false,
	} {
		found := contract.schemaViolations(schema, text, openapi3.VisitAsResponse())
		assert.Equal(t, good, len(found) == 0, "%s: %v", text, found)
	}
}
