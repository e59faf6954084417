package main

import (
	"bytes"
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

// TestChecksAreUpToDate makes them twice, and compares with those that are committed.
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
		"-spec, -types and -o are needed": {},
		"flag provided but not defined":   {"-x"},
		"no such file":                    {"-spec", "none", "-types", typesFile, "-o", out},
		"none":                            {"-spec", specFile, "-types", "none", "-o", out},
	} {
		var stderr bytes.Buffer
		assert.Equal(t, 2, run(args, &stderr), want)
		assert.Contains(t, stderr.String(), want)
	}
}

// spec is a spec whose body has one property a, with these keywords.
func spec(keywords, more string) []byte {
	return []byte(`{openapi: 3.0.3, info: {title: t, version: "1"}, paths: {/x: {post: {requestBody: {content: {
  application/json: {schema: {$ref: "#/components/schemas/Body"}}}}, responses: {"200": {description: d}}}}},
  components: {schemas: {Body: {type: object, ` + more + ` properties: {a: {` + keywords + `}}}}}}`)
}

// source is the Go type of it.
func source(typ string) []byte {
	return []byte("package p\n\ntype Body struct {\n\tA " + typ + " `json:\"a\"`\n}\n")
}

// TestKeywords has each keyword that is checked, and what comes of it.
func TestKeywords(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ keywords, more, typ, want string }{
		{"type: string", "", "*string", "CheckText(found, *v.A)"},
		{"type: string", "required: [a],", "string", `if v.A == "" {`},
		{"type: string, minLength: 2, maxLength: 7", "", "*string", "MinLength: 2, MaxLength: 7,"},
		{`type: string, enum: ["x\"", y]`, "", "*BodyA", `Enum: []string{"x\"", "y"}`},
		{`type: string, enum: [x], default: x, description: d, example: x, x-assumed: {default: d}`, "", "*BodyA", "CheckText(found, string(*v.A))"},
		{"type: string, format: date-time", "", "*time.Time", "CheckTime(found, *v.A)"},
		{"type: string, format: date-time", "required: [a],", "time.Time", "if v.A.IsZero() {"},
		{"type: integer, format: int64, minimum: -5, maximum: 9007199254740992", "", "*int64", "-5, Maximum: 9007199254740992,"},
		{"type: integer, format: int64", "required: [a],", "int64", "if v.A == 0 {"},
		{"type: boolean", "required: [a],", "bool", `Name: "a", Type: "boolean", Required: true,`},
	} {
		code, err := checks(spec(row.keywords, row.more), source(row.typ))
		require.NoError(t, err, row.keywords)
		assert.Contains(t, strings.Join(strings.Fields(string(code)), " "), row.want, row.keywords)
	}
}

// TestUnknownKeywords must fail, whatever is not checked.
func TestUnknownKeywords(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ keywords, more, typ, want string }{
		{"type: string, pattern: x", "", "*string", "Body.a: the keyword pattern cannot be checked yet"},
		{"type: integer, format: int64, multipleOf: 2", "", "*int64", "the keyword multipleOf"},
		{"type: integer, format: int64, minimum: 1, exclusiveMinimum: true", "", "*int64", "the keyword exclusiveMinimum"},
		{"type: string, const: x", "", "*string", "const"},
		{"allOf: [{type: string}]", "", "*string", "the keyword allOf"},
		{"not: {type: string}", "", "*string", "the keyword not"},
		{"type: string, nullable: true", "", "*string", "may be null"},
		{"type: string, format: uuid", "", "*string", "a string uuid with these keywords"},
		{"type: integer", "", "*int", "a integer with these keywords"},
		{"type: number", "", "*float64", "a number with these keywords"},
		{"type: array, items: {type: string}", "", "[]string", "the keyword items"},
		{"type: string, minimum: 1", "", "*string", "a string with these keywords"},
		{"type: integer, format: int64, minLength: 1", "", "*int64", "a integer int64 with these keywords"},
		{"type: string, format: date-time, maxLength: 1", "", "*time.Time", "a string date-time with these keywords"},
		{"type: integer, format: int64, minimum: 0.5", "", "*int64", "Body.a: minimum: only integers up to 2^53"},
		{"type: integer, format: int64, maximum: 9223372036854775807", "", "*int64", "Body.a: maximum: only integers up to 2^53"},
		{"type: integer, format: int64, enum: [1]", "", "*int64", "only texts"},
		{"type: string", "required: [b],", "*string", "b is required, and no property"},
		{"type: string", "minProperties: 1,", "*string", "Body: the keyword minProperties"},
		{"type: string", "additionalProperties: false,", "*string", "Body: the keyword additionalProperties"},
		{"type: string", "nullable: true,", "*string", "a body must be an object"},
		{"type: string", "", "string", "Body.A is not of the type"},
		{"type: string", "", "*int64", "Body.A is not of the type"},
		{"type: string", "required: [a],", "*string", "Body.A is not of the type"},
	} {
		_, err := checks(spec(row.keywords, row.more), source(row.typ))
		assert.ErrorContains(t, err, row.want, row.keywords)
	}
	for want, broken := range map[string][2]string{
		"no struct Body":          {"", "package p"},
		"no field for a":          {"", "package p\ntype Body struct { B string `json:\"b\"` }"},
		"expected 'package'":      {"", "x"},
		"only application/json":   {"application/json", "application/xml"},
		"must be a component":     {`{$ref: "#/components/schemas/Body"}`, "{type: string}"},
		"no operation has a body": {"requestBody:", "x-body:"},
		"invalid":                 {"openapi", "\x00"},
	} {
		in, types := string(spec("type: string", "")), string(source("*string"))
		if broken[0] == "" {
			types = broken[1]
		} else {
			in = strings.Replace(in, broken[0], broken[1], 1)
		}
		_, err := checks([]byte(in), []byte(types))
		if want == "invalid" {
			assert.Error(t, err)
			continue
		}
		assert.ErrorContains(t, err, want)
	}
}
