package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/gen/fleetiodeviations"
)

// TestSteps takes each step that there is. What the other members are written like stays.
func TestSteps(t *testing.T) {
	t.Parallel()
	const plain = `{"id":7,"code":"P0420"}`
	taken := map[string]bool{}
	for _, c := range []struct{ steps, body, want string }{
		{"set /id NaN", ` { "id" : 7 , "a" : 1e0 } `, ` { "id" : NaN , "a" : 1e0 } `},
		{"set /new {}", plain, `{"id":7,"code":"P0420","new":{}}`},
		{"set /a~1b~0c 1", `{}`, `{"a/b~c":1}`},
		{"set /errors/code 1", `{"errors":{ }, "x":1}`, `{"errors":{"code":1 }, "x":1}`},
		{"set /errors/code 1", `{"errors":{"code":["a"], "b":[]}}`, `{"errors":{"code":1, "b":[]}}`},
		{"set /errors/code 1", plain, plain},
		{"set /id 1", `[]`, `[]`},
		{"set /id 1", ``, ``},
		{"remove /id", plain, `{"code":"P0420"}`},
		{"remove /code", plain, `{"id":7}`},
		{"remove /b", `{"a":1 , "b":2 , "c":3}`, `{"a":1 , "c":3}`},
		{"remove /a", `{ "a":1 }`, `{ }`},
		{"remove /a", `{"a":1`, `{`},
		{"remove /none", plain, plain},
		{"twice /code 1", plain, `{"code":"P0420","id":7,"code":"P0420"}`},
		{"twice /errors/x []", `{"errors":{}}`, `{"errors":{"x":[],"x":[]}}`},
		{"twice /errors/x []", plain, plain},
		{"twice /x 1", `text`, `text`},
		{"text-after /code x", plain, `{"id":7,"code":"P0420x"}`},
		{"text-after /id x", plain, plain},
		{"text-after /code x", `{"code":null}`, `{"code":null}`},
		{"text-after /code x", `{"code":"\u0000\""}`, `{"code":"\u0000\"x"}`},
		{"text-before /code x", plain, `{"id":7,"code":"xP0420"}`},
		{"text-cut /code", `{"code":"aé"}`, `{"code":"a"}`},
		{"text-cut /code", `{"code":""}`, `{"code":""}`},
		{"text-case /code", `{"code":"aÉ1"}`, `{"code":"Aé1"}`},
		{"text-end /code 20 21", plain, `{"id":7,"code":"P0421"}`},
		{"text-end /code Z 21", plain, plain},
		{"plus /id -1", plain, `{"id":6,"code":"P0420"}`},
		{"plus /id -1", `{"id":1}`, `{"id":1}`},
		{"plus /id 1", `{"id":9223372036854775807}`, `{"id":9223372036854775807}`},
		{"plus /id 1", `{"id":null}`, `{"id":null}`},
		{"other /id 8 9", plain, `{"id":8,"code":"P0420"}`},
		{"other /id 7 9", plain, `{"id":9,"code":"P0420"}`},
		{"text-case /code other /code `\"A\"` `\"B\"`", `{"code":"\u0031"}`, `{"code":"A"}`},
		{"text-case /code other /code `\"A\"` `\"B\"`", `{"code":"c"}`, `{"code":"C"}`},
		{"text-cut /code other /code `\"A\"` `\"B\"`", `{"code":"\u0041","x":1}`, `{"code":"","x":1}`},
		{"other /code `\"A\"` `\"B\"`", `{"code":"\u0041"}`, `{"code":"B"}`},
		{"body ``", plain, ``},
		{"inner before { after ,}", ` {"a":1} `, `{"a":1,}`},
		{"after ]", plain + "\n", plain + "]"},
		{"inner", `x`, `x`},
		{"double ,", `{}`, `{},{}`},
		{"nest 2", plain, `[[]]`},
		{"zero-bytes", `{}`, "\x00{\x00}\x00"},
		{"status 404", plain, plain},
		{"status 204", plain, ``},
		{"accept", plain, plain},
	} {
		d, err := parseDeviation("201/x " + c.steps + "\n")
		require.NoError(t, err, c.steps)
		a := answer{status: http.StatusCreated, header: http.Header{}, body: slices.Grow([]byte(c.body), 100)}
		before := a.body[:len(c.body):cap(a.body)]
		d.edit(&a)
		assert.Equal(t, c.want, string(a.body), "%s of %s", c.steps, c.body)
		assert.Equal(t, c.body, string(before), "%s must not write into what it gets", c.steps)
		assert.Equal(t, make([]byte, 100), before[len(before):][:100], "%s must not write behind it", c.steps)
		for word := range strings.FieldsSeq(c.steps) {
			taken[word] = true
		}
	}
	for kind := range stepKinds {
		assert.True(t, taken[kind] || slices.Contains([]string{"header", "header-too", "no-header", "never"}, kind), "%s is not tested", kind)
		assert.Regexp(t, `(?m) `+kind+`( |$)`, fleetiodeviations.Text, "nothing uses %s", kind)
	}
}

func TestHeaderSteps(t *testing.T) {
	t.Parallel()
	right := http.Header{"Location": {"/1"}, "Content-Type": {"application/json"}}
	for steps, want := range map[string]http.Header{
		"header Location /2":                      {"Location": {"/2"}, "Content-Type": {"application/json"}},
		"header Link 1 header-too Link `a b`":     {"Location": {"/1"}, "Content-Type": {"application/json"}, "Link": {"1", "a b"}},
		"header-too Location /2":                  {"Location": {"/1", "/2"}, "Content-Type": {"application/json"}},
		"no-header Content-Type":                  {"Location": {"/1"}, "Content-Type": nil},
		"text-after Location / text-cut Location": {"Location": {"/1"}, "Content-Type": {"application/json"}},
		"text-cut Location":                       {"Location": {"/"}, "Content-Type": {"application/json"}},
	} {
		d, err := parseDeviation("201/x " + steps)
		require.NoError(t, err, steps)
		a := answer{header: right.Clone()}
		d.edit(&a)
		assert.Equal(t, want, a.header, steps)
	}
}

func TestParseDeviation(t *testing.T) {
	t.Parallel()
	d, err := parseDeviation("`201/a b` set /a \"\\xff\"")
	require.NoError(t, err)
	assert.Equal(t, "201/a b", d.name)
	assert.Equal(t, []string{"/a", "\xff"}, d.steps[0].arguments)
	for line, want := range map[string]deviation{
		"418/status/undocumented status 418": {status: http.StatusCreated},
		"429/body/x body ``":                 {status: http.StatusTooManyRequests},
		"201/request/x accept":               {status: http.StatusCreated, accept: true},
		"100/x never `it is so`":             {status: http.StatusContinue, never: "it is so"},
	} {
		d, err := parseDeviation(line)
		require.NoError(t, err, line)
		assert.Equal(t, want, deviation{status: d.status, accept: d.accept, never: d.never}, line)
	}
	for _, line := range []string{"", "201/x", "x/y accept", "201/x unknown", "201/x set /a", `201/x set /a "`, "201/x set /a `", `201/x set /a "\z"`} {
		_, err := parseDeviation(line)
		assert.Error(t, err, line)
	}
}

func TestFindDeviation(t *testing.T) {
	t.Parallel()
	d, err := findDeviation("201/body/id/minimum/zero")
	require.NoError(t, err)
	assert.Equal(t, "201/body/id/minimum/zero", d.name)
	for name, want := range map[string]string{
		"201/body/id/minimum/zer":      `"201/body/id/minimum/zer"; did you mean 201/body/id/minimum/zero?`,
		"201/bdoy/id/minimum/zero":     "did you mean 201/body/id/minimum/zero, ",
		"trailing-comma":               "did you mean 201/json/trailing-comma, 201/request/json/trailing-comma, 401/json/trailing-comma?",
		strings.Repeat("x", 1_000_000): "did you mean ",
		"100/status/undocumented":      "cannot be shown: a status below 200",
	} {
		_, err := findDeviation(name)
		assert.ErrorContains(t, err, want)
	}
	names := Deviations()
	assert.True(t, slices.IsSorted(names))
	assert.NotContains(t, names, "100/status/undocumented")
	assert.Greater(t, len(names), 2000)
}

// FuzzMember compares the edits of bytes with what encoding/json makes of them.
func FuzzMember(f *testing.F) {
	for _, seed := range []string{`{"a":1,"b":{"c":[{}]}}`, `{"a":1`, `{"a":`, `{"a"`, `{`, ``, `[]`, `{"a":1,"a":2}`, "{ \"b\" : 1 ,\n\"a\":2}", `{"b":1,}`, `{"a":1}x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		changed, removed, twice := setMember(body, "/a", `"new"`), removeMember(body, "/a"), repeatMember(body, "/a", "1")
		within, deep := setMember(body, "/a/b", "1"), removeMember(body, "/b/c")
		var object, got map[string]json.RawMessage
		if json.Unmarshal(body, &object) != nil || object == nil {
			return
		}
		if find(removed, "a").found {
			return // it was there twice, which no right answer has
		}
		for _, edited := range [][]byte{changed, removed, twice, within, deep} {
			assert.True(t, json.Valid(edited), "%q became %q", body, edited)
		}
		require.NoError(t, json.Unmarshal(changed, &got))
		assert.JSONEq(t, `"new"`, string(got["a"]))
		got = nil
		require.NoError(t, json.Unmarshal(removed, &got))
		assert.NotContains(t, got, "a")
		delete(object, "a")
		assert.Equal(t, object, got, "the others stay")
	})
}
