package main

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	specFile  = "../../api/openapi.yaml"
	typesFile = "../../gen/fleetioapi/types.gen.go"
	checkFile = "../../gen/fleetioapi/checks.gen.go"
)

// TestChecksAreUpToDate generates the checks twice, and compares with the committed file.
func TestChecksAreUpToDate(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile(checkFile)
	require.NoError(t, err)
	out := filepath.Join(t.TempDir(), "checks.gen.go")
	for range 2 {
		var stderr bytes.Buffer
		require.Zero(t, run([]string{"-spec", specFile, "-types", typesFile, "-o", out}, &stderr), stderr.String())
		got, err := os.ReadFile(out)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), "run make generate")
	}
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	for want, args := range map[string][]string{
		"-spec, -types and -o are required": {},
		"flag provided but not defined":     {"-x"},
		"no such file":                      {"-spec", "none", "-types", typesFile, "-o", out},
		"none":                              {"-spec", specFile, "-types", "none", "-o", out},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			assert.Equal(t, 2, run(args, &stderr))
			assert.Contains(t, stderr.String(), want)
		})
	}
}

// spec returns a spec whose body has one property a, with these keywords.
func spec(keywords, more string) []byte {
	return []byte(`{openapi: 3.0.3, info: {title: t, version: "1"}, paths: {/x: {post: {requestBody: {content: {
  application/json: {schema: {$ref: "#/components/schemas/Body"}}}}, responses: {"200": {description: d}}}}},
  components: {schemas: {Body: {type: object, ` + more + ` properties: {a: {` + keywords + `}}}}}}`)
}

// source returns the Go type of the body.
func source(typ string) []byte {
	return []byte("package p\n\ntype Body struct {\n\tA " + typ + " `json:\"a\"`\n}\n")
}

// TestKeywords compares the generated code for each supported keyword.
func TestKeywords(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ keywords, more, typ, want string }{
		{"type: string", "", "*string", "CheckString(list, *v.A)"},
		{"type: string", "required: [a],", "string", `if v.A == "" {`},
		{"type: string, minLength: 2, maxLength: 7", "", "*string", "MinLength: 2, MaxLength: 7,"},
		{`type: string, enum: ["x\"", y]`, "", "*BodyA", `Enum: []string{"x\"", "y"}`},
		{`type: string, enum: [x], default: x, description: d, example: x, x-assumed: {default: d}`, "", "*BodyA", "CheckString(list, string(*v.A))"},
		{"type: string, format: date-time", "", "*time.Time", "CheckTime(list, *v.A)"},
		{"type: string, format: date-time", "required: [a],", "time.Time", "if v.A.IsZero() {"},
		{"type: integer, format: int64, minimum: -5, maximum: 9007199254740992", "", "*int64", "-5, Maximum: 9007199254740992,"},
		{"type: integer, format: int64", "required: [a],", "int64", "if v.A == 0 {"},
		{"type: boolean", "required: [a],", "bool", `Name: "a", Type: "boolean", Required: true,`},
	} {
		t.Run(row.more+row.keywords, func(t *testing.T) {
			t.Parallel()
			code, err := checks(spec(row.keywords, row.more), source(row.typ))
			require.NoError(t, err)
			assert.Contains(t, strings.Join(strings.Fields(string(code)), " "), row.want)
		})
	}
}

// TestUnsupported fails for keywords and types that the generated code would not check.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ keywords, more, typ, want string }{
		{"type: string, pattern: x", "", "*string", "Body.a: the keyword pattern is not supported"},
		{"type: integer, format: int64, multipleOf: 2", "", "*int64", "the keyword multipleOf"},
		{"type: integer, format: int64, minimum: 1, exclusiveMinimum: true", "", "*int64", "the keyword exclusiveMinimum"},
		{"type: string, const: x", "", "*string", "const"},
		{"allOf: [{type: string}]", "", "*string", "the keyword allOf"},
		{"not: {type: string}", "", "*string", "the keyword not"},
		{"type: string, nullable: true", "", "*string", "Body.a: nullable is not supported"},
		{"type: string, format: uuid", "", "*string", "type string uuid with these keywords"},
		{"type: integer", "", "*int", "type integer with these keywords"},
		{"type: number", "", "*float64", "type number with these keywords"},
		{"type: array, items: {type: string}", "", "[]string", "the keyword items"},
		{"type: string, minimum: 1", "", "*string", "type string with these keywords"},
		{"type: integer, format: int64, minLength: 1", "", "*int64", "type integer int64 with these keywords"},
		{"type: string, format: date-time, maxLength: 1", "", "*time.Time", "type string date-time with these keywords"},
		{"type: integer, format: int64, minimum: 0.5", "", "*int64", "Body.a: minimum: only integers up to 2^53"},
		{"type: integer, format: int64, maximum: 9223372036854775807", "", "*int64", "Body.a: maximum: only integers up to 2^53"},
		{"type: integer, format: int64, enum: [1]", "", "*int64", "only strings"},
		{"type: string", "required: [b],", "*string", "b is required, but not a property"},
		{"type: string", "minProperties: 1,", "*string", "Body: the keyword minProperties"},
		{"type: string", "additionalProperties: false,", "*string", "Body: the keyword additionalProperties"},
		{"type: string", "nullable: true,", "*string", "a body must be an object"},
		{"type: string", "", "string", "Body.A does not have the type"},
		{"type: string", "", "*int64", "Body.A does not have the type"},
		{"type: string", "required: [a],", "*string", "Body.A does not have the type"},
	} {
		t.Run(row.more+row.keywords+" "+row.typ, func(t *testing.T) {
			t.Parallel()
			_, err := checks(spec(row.keywords, row.more), source(row.typ))
			assert.ErrorContains(t, err, row.want)
		})
	}
}

func TestChecksFail(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ old, new, types, want string }{
		"no struct":     {types: "package p", want: "no struct Body"},
		"no field":      {types: "package p\ntype Body struct { B string `json:\"b\"` }", want: "no field for a"},
		"no Go":         {types: "x", want: "expected 'package'"},
		"media type":    {old: "application/json", new: "application/xml", want: "only application/json"},
		"inline schema": {old: `{$ref: "#/components/schemas/Body"}`, new: "{type: string}", want: "must be a component"},
		"no body":       {old: "requestBody:", new: "x-body:", want: "no operation has a body"},
		"no YAML":       {old: "openapi", new: "\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := strings.Replace(string(spec("type: string", "")), row.old, row.new, 1)
			_, err := checks([]byte(in), []byte(cmp.Or(row.types, string(source("*string")))))
			assert.ErrorContains(t, err, row.want)
		})
	}
}
