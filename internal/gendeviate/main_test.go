package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/mutate"
)

const (
	specFile = "../../api/openapi.yaml"
	made     = "../../gen/fleetiodeviations"
)

// TestDeviationsAreUpToDate makes them anew, and compares with those that are committed.
func TestDeviationsAreUpToDate(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "new")
	var stderr bytes.Buffer
	require.Zero(t, run([]string{"-spec", specFile, "-o", out}, &stderr), stderr.String())
	for _, name := range []string{"deviations.gen.go", "deviations.gen.txt"} {
		want, err := os.ReadFile(filepath.Join(made, name))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(out, name))
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), "run make generate")
		assert.Less(t, len(got), 400_000, "it is part of whoever imports the sandbox")
	}
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("openapi: 3.0.3"), 0o600))
	for want, args := range map[string][]string{
		"-spec and -o are needed":       {},
		"flag provided but not defined": {"-x"},
		"no such file":                  {"-spec", "none", "-o", file},
		"not valid":                     {"-spec", file, "-o", t.TempDir()},
		"file":                          {"-spec", specFile, "-o", file},
	} {
		var stderr bytes.Buffer
		assert.Equal(t, 2, run(args, &stderr), want)
		assert.Contains(t, stderr.String(), want)
	}
}

// TestBody has each way in which a body comes of another.
func TestBody(t *testing.T) {
	t.Parallel()
	const right = `{"a":1,"b":{"c":["x","y"],"d":"z"},"e~/":"w"}`
	long := strings.Repeat("no JSON ", 20)
	for to, want := range map[string]string{
		``:    "body ``",
		`[1]`: "body [1]",
		`{"a":2,"b":{"c":["x","y"],"d":"z"},"e~/":"w"}`:                          "set /a 2",
		`{"a":1,"b":{"c":["x","y"],"d":"z"},"e~/":null}`:                         "set /e~0~1 null",
		`{"a":1,"b":{"c":["x","y"],"d":"z"},"e~/":"w","f":[]}`:                   "set /f []",
		`{"a":1,"b":{"c":["x","y"],"d":"z"}}`:                                    "remove /e~0~1",
		`{"a":1,"b":{"c":["x","y"]},"e~/":"w"}`:                                  "remove /b/d",
		`{"a":1,"b":{"c":["x",2],"d":"z"},"e~/":"w"}`:                            "set /b/c `[\"x\",2]`",
		`{"a":1,"b":{"c":["x",NaN],"d":"z"},"e~/":"w"}`:                          "set /b/c `[\"x\",NaN]`",
		`{"a":1,"b":{"c":["x","y"],"d":"\ud83d"},"e~/":"w"}`:                     "set /b/d `\"\\ud83d\"`",
		"{\"a\":\"\xff\",\"b\":{\"c\":[\"x\",\"y\"],\"d\":\"z\"},\"e~/\":\"w\"}": `set /a "\"\xff\""`,
		`{"a":1,"b":{"d":"z","c":["x","y"],"d":"z"},"e~/":"w"}`:                  "twice /b/d `\"z\"`",
		`{"e~/":"w","a":1,"b":{"c":["x","y"],"d":"z"},"e~/":"w"}`:                "twice /e~0~1 `\"w\"`",
		right + "]":                 "after ]",
		"f(" + right + ")":          "before f( after )",
		right + "\n" + right:        `double "\n"`,
		right[:len(right)-1]:        "inner before {",
		right[:len(right)-1] + ",}": "inner before { after ,}",
		"[[[]]]":                    "body [[[]]]",
		"[[[[]":                     "body [[[[]",
		strings.Repeat("[", 10_002) + strings.Repeat("]", 10_002): "nest 10002",
		strings.ReplaceAll(right, "", "\x00"):                     "zero-bytes",
		"<html></html>":                                           "body <html></html>",
		right:                                                     "",
		long:                                                      "no short edit gives its body",
	} {
		steps, err := body([]byte(right), []byte(to))
		if err != nil {
			assert.EqualError(t, err, want, to)
			continue
		}
		assert.Equal(t, want, strings.TrimSpace(strings.TrimPrefix(line("x", steps), "x")), to)
	}
	_, err := body([]byte(`{ "a": 1 }`), []byte(`{}`))
	assert.ErrorContains(t, err, "the plainest way")
}

// exchange is a right answer to a request, or a wrong one.
func exchange(request, response, location string) *traffic.Exchange {
	return &traffic.Exchange{Status: http.StatusCreated, Request: traffic.Message{Body: []byte(request)},
		Response: traffic.Message{Body: []byte(response), Header: http.Header{"Location": {location}}}}
}

// TestCriterion has what is done that a criterion holds for no answer, whatever the mutant drew.
func TestCriterion(t *testing.T) {
	t.Parallel()
	const request, right = `{"a":"x","n":5}`, `{"a":"x","id":7,"n":5,"s":"2023-03-14T13:46:27Z","t":"2023-03-14T13:46:27Z"}`
	base := exchange(request, right, "/7")
	echo := mutate.Want{Rule: "criterion", Part: conformance.ResponseBody, Pointer: "/a"}
	time, number := echo, echo
	time.Pointer, number.Pointer = "/t", "/n"
	location := mutate.Want{Rule: "criterion", Part: conformance.ResponseHeader, Pointer: "/Location"}
	body := func(old, with string) *traffic.Exchange {
		return exchange(request, strings.Replace(right, old, with, 1), "/7")
	}
	const sent = `"2023-03-14T13:46:27Z"`
	for want, m := range map[string]mutate.Mutant{
		"text-after /a y other /a `\"xy\"` `\"x\"`":  {Want: echo, Exchange: body(`"x"`, `"xy"`)},
		"text-before /a y other /a `\"yx\"` `\"x\"`": {Want: echo, Exchange: body(`"x"`, `"yx"`)},
		"text-case /a other /a `\"X\"` `\"x\"`":      {Want: echo, Exchange: body(`"x"`, `"X"`)},
		"other /a `\"\"` `\"x\"`":                    {Want: echo, Exchange: body(`"x"`, `""`)},
		"other /a null `\"x\"`":                      {Want: echo, Exchange: body(`"x"`, `null`)},
		"remove /a":                                  {Want: echo, Exchange: body(`"a":"x",`, ``)},
		"other /a `\"x\"` `\"y\"`":                   {Want: echo, Exchange: exchange(`{"a":"y","n":5}`, right, "/7")},
		"plus /n -1 other /n 4 5":                    {Want: number, Exchange: body(`5`, `4`)},
		"other /n 7 5":                               {Want: number, Exchange: body(`5`, `7`)},
		"text-end /t Z +00:01 other /t `\"2023-03-14T13:46:27+00:01\"` `" + sent + "`": {Want: time, Exchange: body(`"t":`+sent, `"t":"2023-03-14T13:46:27+00:01"`)},
		"text-cut /t other /t `\"2023-03-14T13:46:27\"` `" + sent + "`":                {Want: time, Exchange: body(`"t":`+sent, `"t":"2023-03-14T13:46:27"`)},
		"set /t `\"9999\"` set /s `" + sent + "`":                                      {Want: time, Against: "/s", Exchange: body(`"t":`+sent, `"t":"9999"`)},
		"text-after Location 0":     {Want: location, Exchange: exchange(request, right, "/70")},
		"header Location /relative": {Want: location, Exchange: exchange(request, right, "/relative")},
		"the right one":             {Want: location, Exchange: exchange(request, right, "/8")},
		"the header is not there":   {Want: location, Exchange: &traffic.Exchange{Status: http.StatusCreated}},
		"neither in its answer":     {Want: echo, Exchange: exchange(`{"a":"y","n":6}`, right, "/7")},
		"no different from what":    {Want: mutate.Want{Part: conformance.ResponseBody}, Exchange: base},
		"accept":                    {Want: mutate.Want{Part: conformance.RequestBody}, Exchange: base},
		"status 999":                {Exchange: &traffic.Exchange{Status: 999}},
		"never `a status below 200": {Exchange: &traffic.Exchange{Status: http.StatusContinue}},
	} {
		m.Base = base
		steps, err := edit(&m)
		if err != nil {
			assert.ErrorContains(t, err, want)
			continue
		}
		assert.Contains(t, line("x", steps), "x "+want)
	}
	_, err := edit(&mutate.Mutant{Exchange: base})
	assert.ErrorContains(t, err, "nothing says")
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	steps := headers(http.Header{"A": {"1"}, "B": {"1"}, "C": {"1"}}, http.Header{"A": {"1"}, "C": {"2", "3"}, "D": {""}})
	assert.Equal(t, []step{{"no-header", "B"}, {"header", "C", "2"}, {"header-too", "C", "3"}, {"header", "D", ""}}, steps)
}

func TestField(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "``", "a": "a", "a b": "`a b`", `"`: "`\"`", "`": "\"`\"", "a\n": `"a\n"`, "\xff": `"\xff"`, "é": "é", "\u00a0": `"\u00a0"`, "\ufeff": `"\ufeff"`, `\x`: `\x`, "a\tb": `"a\tb"`,
	} {
		assert.Equal(t, want, field(in))
	}
}
