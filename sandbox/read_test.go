package sandbox

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// FuzzReadMembers holds the reader against encoding/json, which takes half characters, bytes that are no UTF-8 and
// deeper nesting, and nothing else that we do not.
func FuzzReadMembers(f *testing.F) {
	for _, seed := range []string{
		"", " \n", `{}`, `{"code":"a","code":"b"}`, `{"c\u006fde" : -0.5e+10 , "x":[true,false,null,[],{}]}`, `{"a":"\ud83d\ude00é\"\\\/\b"}`,
		`{"a":"\ud83d"}`, `{"a":01}`, `{"a":1.}`, `{"a":-}`, `{"a":1e}`, `{"a":tru}`, "{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}", `{"a":"\u12g4"}`, `{"a":"\x"}`,
		`{"a":1,}`, `{,}`, `{"a"}`, `{a:1}`, `[1,]`, `[1 2]`, `{}}`, `"`, `"\`, `"\u`, "\uFEFF{}", "{}\x00", strings.Repeat("[", 101), `{"name":null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, _, why := readMembers(body)
		var want map[string]json.RawMessage
		err := json.Unmarshal(body, &want)
		switch why {
		case "":
			if assert.NoError(t, err) && assert.True(t, utf8.Valid(body)) {
				for i, field := range fleetioapi.FaultCreateFields {
					assert.Equal(t, string(want[field.Name]), m[i], field.Name)
				}
			}
		case isEmpty:
			assert.Empty(t, bytes.TrimSpace(body))
		case noUTF8:
			assert.False(t, utf8.Valid(body))
		case noJSON, hasMark:
			assert.False(t, json.Valid(body))
		case noObject:
			assert.True(t, json.Valid(body))
			assert.Error(t, err)
		case halfCharacter:
			assert.Contains(t, strings.ToLower(string(body)), `\ud`)
		case tooDeep:
			assert.Greater(t, bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")), mostDepth)
		default:
			assert.Fail(t, why)
		}
	})
}
