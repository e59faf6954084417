package strictjson_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

func TestParseBody(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		defects []strictjson.Defect
		ok      bool
	}{
		` {"a":[1,{"b":null}]} `:    {ok: true},
		`"\ud83d\ude00 \\ud83d"`:    {ok: true},
		`1e400`:                     {ok: true},
		`{"a":1,"b":{"c":1,"c":2}}`: {[]strictjson.Defect{{strictjson.Duplicate, "/b/c", "the property more than once"}}, true},
		`{"~/":1,"~/":2,"a":1,"\u0061":2}`: {[]strictjson.Defect{{strictjson.Duplicate, "/~0~1", "the property more than once"},
			{strictjson.Duplicate, "/a", "the property more than once"}}, true},
		`"\ud83d"`:                  {[]strictjson.Defect{{strictjson.NotUnicode, "", "a lone surrogate at byte 1"}}, true},
		`"\ude00\ud83d"`:            {[]strictjson.Defect{{strictjson.NotUnicode, "", "a lone surrogate at byte 1"}}, true},
		`"ab\ud83d\u0041"`:          {[]strictjson.Defect{{strictjson.NotUnicode, "", "a lone surrogate at byte 3"}}, true},
		"\"a\xff\"":                 {[]strictjson.Defect{{strictjson.NotUnicode, "", "invalid UTF-8 at byte 2"}}, false},
		"\ufeff1":                   {[]strictjson.Defect{{strictjson.NotJSON, "", "a byte order mark (RFC 8259, section 8.1, forbids it)"}}, false},
		`{} x`:                      {[]strictjson.Defect{{strictjson.NotJSON, "", "data after the value, which ends at byte 2"}}, false},
		`1 2`:                       {[]strictjson.Defect{{strictjson.NotJSON, "", "data after the value, which ends at byte 1"}}, false},
		`{"a":`:                     {[]strictjson.Defect{{strictjson.NotJSON, "", "JSON that ends too early"}}, false},
		``:                          {[]strictjson.Defect{{strictjson.NotJSON, "", "JSON that ends too early"}}, false},
		`[1}`:                       {[]strictjson.Defect{{strictjson.NotJSON, "", "invalid JSON at byte 2: invalid character '}' after array element"}}, false},
		strings.Repeat("[", 100000): {[]strictjson.Defect{{strictjson.NotJSON, "", "JSON nested more than 10000 deep"}}, false},
	} {
		t.Run(text[:min(len(text), 40)], func(t *testing.T) {
			t.Parallel()
			defects, ok := new(strictjson.Document).ParseBody([]byte(text))
			assert.Equal(t, want.defects, defects)
			assert.Equal(t, want.ok, ok)
		})
	}
}
