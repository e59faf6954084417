package conformance

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

func TestParseBody(t *testing.T) {
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
		strings.Repeat("[", 100000): {[]fault{{ruleJSON, "", "JSON nested more than 10000 deep"}}, false},
	} {
		t.Run(text[:min(len(text), 40)], func(t *testing.T) {
			t.Parallel()
			faults, ok := parseBody(&strictjson.Document{}, []byte(text))
			assert.Equal(t, want.faults, faults)
			assert.Equal(t, want.ok, ok)
		})
	}
}
