package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	specFile  = "../../api/openapi.yaml"
	apiDir    = "../../gen/fleetioapi"
	serverDir = "../../gen/fleetioserver"
)

// TestUpToDate compares with the committed files.
func TestUpToDate(t *testing.T) {
	t.Parallel()
	api, server, client := t.TempDir(), t.TempDir(), t.TempDir()
	types, err := os.ReadFile(filepath.Join(apiDir, typesFile))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(api, typesFile), types, 0o600))
	var stderr bytes.Buffer
	require.Zero(t, run([]string{"-spec", specFile, "-api", api, "-server", server, "-client", client}, &stderr), stderr.String())
	for made, committed := range map[string]string{api: apiDir, server: serverDir, client: clientDir} {
		files, err := filepath.Glob(filepath.Join(made, "*.gen.go"))
		require.NoError(t, err)
		assert.NotEmpty(t, files)
		for _, file := range files {
			got, err := os.ReadFile(file)
			require.NoError(t, err)
			want, err := os.ReadFile(filepath.Join(committed, filepath.Base(file)))
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got), "%s: run make generate", filepath.Base(file))
		}
	}
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"-spec is required":                {},
		"both of -api and -server or none": {"-spec", specFile, "-api", apiDir},
		"flag provided but not defined":    {"-x"},
		"no such file":                     {"-spec", "none", "-api", apiDir, "-server", t.TempDir()},
		"none/types.gen.go":                {"-spec", specFile, "-api", "none", "-server", t.TempDir()},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			assert.Equal(t, 2, run(args, &stderr))
			assert.Contains(t, stderr.String(), want)
		})
	}
}

// TestCheckSpec finds mistakes before the types are generated.
func TestCheckSpec(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	assert.Zero(t, run([]string{"-spec", specFile}, &stderr), stderr.String())
	spec, err := os.ReadFile(specFile)
	require.NoError(t, err)
	for replacement, want := range map[string]string{
		"type: [string]":   "/components/schemas/RateLimited/properties/error/type: expected a string, found a list",
		"$ref: other.yaml": `the reference to the file "other.yaml" is not followed`,
		"allOf: [{$ref: '#/components/schemas/RateLimited/properties/error'}]": "is combined with itself",
	} {
		t.Run(replacement, func(t *testing.T) {
			t.Parallel()
			i := bytes.LastIndex(spec, []byte("type: string"))
			broken := string(spec[:i]) + replacement + string(spec[i+len("type: string"):])
			file := filepath.Join(t.TempDir(), "openapi.yaml")
			require.NoError(t, os.WriteFile(file, []byte(broken), 0o600))
			var stderr bytes.Buffer
			assert.Equal(t, 2, run([]string{"-spec", file}, &stderr))
			assert.Contains(t, stderr.String(), want)
			assert.Contains(t, stderr.String(), "openapi.yaml:")
		})
	}
}

// specWith returns a spec whose body has one property a, with these keywords, on line 10, and more schemas from line 12.
func specWith(keywords, more string) string {
	return `openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /x/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    post: {operationId: makeX, requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Body"}}}},
  responses: {"200": {description: d, content: {application/json: {schema: {$ref: "#/components/schemas/Answer"}}}}}}
components:
  schemas:
    Body: {type: object, properties: {a: {` + keywords + `}}}
    Answer: {type: object}
` + more
}

const goSource = `package p
type Body struct{}
type Answer struct{}
type Node struct{}
type MakeXJSONRequestBody struct{}`

var blanks = regexp.MustCompile(`\s+`)

func generatedFrom(spec string) (checks, operations string, err error) {
	c, o, err := generated("spec.yaml", []byte(spec), []byte(goSource))
	return blanks.ReplaceAllString(string(c), " "), blanks.ReplaceAllString(string(o), " "), err
}

// TestKeywords compares the generated code for each keyword.
func TestKeywords(t *testing.T) {
	t.Parallel()
	for keywords, want := range map[string]string{
		"type: string, format: date, nullable: true": `&Schema{Type: "string", Format: "date", Nullable: true}`,
		"readOnly: true": "ReadOnly: true",
		`enum: [x, "1", 1, 1.50, null, 2023-01-01, true, {a: [b]}]`:                                              "Enum: []string{`\"x\"`, `\"1\"`, \"1\", \"1.50\", \"null\", `\"2023-01-01\"`, \"true\", `{\"a\":[\"b\"]}`}",
		"default: 5, example: {b: <>}":                                                                           "Default: \"5\", Example: `{\"b\":\"<>\"}`",
		"minimum: 0.10, exclusiveMinimum: true":                                                                  `Minimum: "0.10", ExclusiveMinimum: true`,
		"maximum: 9223372036854775807, exclusiveMaximum: true, multipleOf: 2":                                    `Maximum: "9223372036854775807", MultipleOf: "2", ExclusiveMaximum: true`,
		"minLength: 1, maxLength: 2":                                                                             "MinLength: 1, MaxLength: new(2)",
		"minItems: 1, maxItems: 2, uniqueItems: true, items: {type: string}":                                     `Items: &Schema{Type: "string"}, MinItems: 1, MaxItems: new(2), UniqueItems: true`,
		"minProperties: 1, maxProperties: 2, additionalProperties: false":                                        "NoAdditional: true, MinProperties: 1, MaxProperties: new(2)",
		"additionalProperties: {type: string}":                                                                   `Additional: &Schema{Type: "string"}`,
		"additionalProperties: true":                                                                             "Schema: &Schema{}}",
		`pattern: '^\/\d$'`:                                                                                      "Pattern: `^\\/\\d$`, Regexp: `\\A\\x2f[\\d]\\z`",
		"required: [b], properties: {b: {description: text}}":                                                    `{Name: "b", Required: true, Description: "text", Schema: &Schema{}}, }, Required: []string{"b"}`,
		"allOf: [{$ref: '#/components/schemas/Answer'}]":                                                         "AllOf: []*Schema{ AnswerSchema, }",
		"anyOf: [{}], not: {type: string}":                                                                       `AnyOf: []*Schema{ &Schema{}, }, Not: &Schema{Type: "string"}`,
		"title: t, deprecated: true, xml: {}, externalDocs: {url: u}, x-y: 1":                                    "Schema: &Schema{}}",
		"$ref: '#/components/schemas/Body/properties/b'}, b: {type: integer":                                     `{Name: "a", Required: false, Description: "", Schema: &Schema{Type: "integer"}}`,
		"oneOf: [{$ref: '#/components/schemas/Answer'}], discriminator: {propertyName: k, mapping: {x: Answer}}": `Mapping: map[string]*Schema{ "Answer": AnswerSchema, "x": AnswerSchema, }`,
		"$ref: '#/components/schemas/Body'":                                                                      "BodySchema.Properties[0].Schema = BodySchema BodyFields = BodySchema.Fields()",
	} {
		t.Run(keywords, func(t *testing.T) {
			t.Parallel()
			checks, _, err := generatedFrom(specWith(keywords, ""))
			require.NoError(t, err)
			assert.Contains(t, checks, want)
		})
	}
}

// TestCannot fails for what cannot be checked, with the line, and says what to do.
func TestCannot(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ keywords, more, want string }{
		{"const: x", "", "spec.yaml:10: /components/schemas/Body/properties/a/const: const is not a schema keyword of OpenAPI 3.0"},
		{"type: 'null'", "", `/a/type: unknown type "null"; use one of`},
		{"type: [string]", "", "/a/type: expected a string, found a list"},
		{"exclusiveMinimum: 5", "", "exclusiveMinimum is true or false"},
		{"minimum: x", "", "/a/minimum: expected a number"},
		{"multipleOf: 0.0", "", "multipleOf is more than 0"},
		{"maxLength: -1", "", "/a/maxLength: expected a whole number"},
		{"pattern: '(?=a)'", "", "/a/pattern: the pattern cannot be checked: look-around, a back reference or a property, which Go's regular expressions do not have; write one without it"},
		{"$ref: 'other.yaml'", "", `/a/$ref: the reference to the file "other.yaml" is not followed`},
		{"$ref: '#/components/x'", "", "there is nothing at"},
		{"$ref: '#/components/schemas/Body/properties/a'", "", "the reference refers to itself"},
		{"allOf: [{$ref: '#/components/schemas/Body/properties/a'}]", "", "the schema is combined with itself: remove"},
		{"items: {$ref: '#/components/schemas/Body/properties/a'}", "", "the schema contains itself: move it to components/schemas"},
		{"oneOf: [{}], discriminator: {propertyName: a, mapping: {x: Answer}}", "", "/mapping/x: the mapping leads to none of the schemas"},
		{"$ref: '#/components/schemas/Field'", "    Field: {}", ""},
		{`properties: {"it's": {}}`, "", `/a/properties/it's: a Go field cannot have the name "it's" in JSON: leave`},
		{`properties: {א: {}}`, "", `no Go name can be made of "א": give it an x-go-name`},
		{`properties: {א: {x-go-name: Japan}}`, "", ""},
		{`properties: {-: {}}`, "", `cannot have the name "-" in JSON`},
	} {
		t.Run(row.keywords, func(t *testing.T) {
			t.Parallel()
			_, _, err := generatedFrom(specWith(row.keywords, row.more))
			if row.want == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, row.want)
		})
	}
}

func TestOtherSpecs(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ old, new, checks, operations, fails string }{
		"media type":        {old: "application/json: {schema: {$ref: \"#/components/schemas/Body\"", new: "application/xml: {schema: {$ref: \"#/components/schemas/Body\"", operations: `OtherBodies: []string{"application/xml"}, Status: 200`},
		"inline body":       {old: `$ref: "#/components/schemas/Body"`, new: "type: string", checks: "func CheckMakeXJSONRequestBody(v *MakeXJSONRequestBody) []Violation"},
		"inline, unnamed":   {old: `{operationId: makeX, requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Body"`, new: "{requestBody: {content: {application/json: {schema: {type: string", fails: "spec.yaml:6: /paths/~1x~1{id}/post/requestBody/content/application~1json/schema: the Go types have none for the body"},
		"no body":           {old: "requestBody:", new: "x-body:", checks: "func init() { }"},
		"no response":       {old: `"200"`, new: `"400"`, fails: "the operation has no response of success (2XX, 3XX or default): document one"},
		"default response":  {old: `"200"`, new: `default`, operations: "Status: 200"},
		"untyped":           {old: `{schema: {$ref: "#/components/schemas/Answer"}}`, new: "{}", fails: "spec.yaml:7: /paths/~1x~1{id}/post/responses/200/content/application~1json: the generated server does not compile with a response of JSON that has no type: give"},
		"redirect":          {old: `"200"`, new: `"302"`, operations: "Status: 302"},
		"variable":          {old: "/x/{id}:\n    parameters: [", new: "/x/{id}/{content-type}:\n    parameters: [{name: content-type, in: path, required: true, schema: {}}, ", fails: "spec.yaml:5: /paths/~1x~1{id}~1{content-type}/parameters/0: the generated code has a variable content-type of its own: give the parameter an x-go-name"},
		"variable, renamed": {old: "/x/{id}:\n    parameters: [", new: "/x/{id}/{ctx}:\n    parameters: [{name: ctx, in: path, required: true, schema: {}, x-go-name: Context2}, ", operations: `Wildcard: "ctx"`},
		"form":              {old: "application/json: {schema: {$ref: \"#/components/schemas/Body\"}}", new: "text/*; charset=utf-8: {}, application/json: {schema: {$ref: \"#/components/schemas/Body\"}}", operations: `OtherBodies: []string{"text/*"}`},
		"range":             {old: `"200"`, new: `2XX`, operations: "Status: 200"},
		"text of any kind":  {old: `application/json: {schema: {$ref: "#/components/schemas/Answer"}}`, new: "text/*: {example: hello}", operations: `ContentType: "text/plain", Example: []byte("hello")`},
		"any content":       {old: `application/json: {schema: {$ref: "#/components/schemas/Answer"}}`, new: "'*/*': {example: hello}", operations: `ContentType: "application/octet-stream", Example: []byte("hello")`},
		"text":              {old: `application/json: {schema: {$ref: "#/components/schemas/Answer"}}`, new: "text/plain: {example: hello}", operations: "ContentType: \"text/plain\", Example: []byte(\"hello\")"},
		"example":           {old: `{$ref: "#/components/schemas/Answer"}`, new: "{type: array, items: {}}, examples: {b: {value: 1}, a: {value: [1.50]}}", operations: `Example: []byte("[1.50]")`},
		"example by schema": {old: `Answer: {type: object}`, new: `Answer: {type: object, properties: {a: {type: integer, minimum: 5}, b: {type: string, minLength: 6}, c: {enum: [x]}, d: {$ref: "#/components/schemas/Answer"}, e: {type: array, items: {type: boolean}, minItems: 2}, f: {allOf: [{example: 7}]}, g: {type: number, maximum: -0.5, exclusiveMaximum: true}, h: {writeOnly: true}, i: {type: string, format: date}, j: {readOnly: true, default: 1}}}`,
			operations: "Example: []byte(`{\"a\":5,\"b\":\"textxx\",\"c\":\"x\",\"e\":[false,false],\"f\":7,\"g\":-1,\"i\":\"2006-01-02\",\"j\":1}`)"},
		"no example":            {old: `Answer: {type: object}`, new: `Answer: {type: string, pattern: '^a$'}`, fails: "does not conform (the value does not match ^a$): write an example"},
		"header":                {old: "description: d,", new: "description: d, headers: {Location: {schema: {type: string, example: /y}}, X: {schema: {}, example: [1, 2]}, Content-Type: {schema: {}}},", operations: `Header: map[string]string{ "Location": "/y", "X": "1,2", }`},
		"parameters":            {old: "{type: string}}]\n    post: {", new: "{type: integer}}, {name: q, in: query, schema: {type: string}}]\n    post: {parameters: [{name: q, in: query, style: deepObject, explode: true, schema: {$ref: '#/components/schemas/Answer'}}, {name: j, in: query, content: {application/json: {schema: {type: object}}}}],", operations: `{Name: "q", In: "query", Style: "deepObject", Explode: true, Required: false, Schema: fleetioapi.AnswerSchema}, {Name: "j", In: "query", Style: "json", Explode: false, Required: false, Schema: &fleetioapi.Schema{Type: "object"}}, {Name: "id", In: "path", Wildcard: "id", Style: "simple", Explode: false, Required: true, Schema: &fleetioapi.Schema{Type: "integer"}},`},
		"wildcard":              {old: "/x/{id}:\n    parameters: [{name: id, in: path, required: true, schema: {type: string}}]", new: "/x/{a-b}/{2nd}/:\n    parameters: [{name: a-b, in: path, required: true, schema: {type: string}}, {name: 2nd, in: path, required: true, schema: {}}]", operations: `Pattern: "/x/{a_b}/{_nd}/{$}", Parameters: []Parameter{ {Name: "a-b", In: "path", Wildcard: "a_b",`},
		"part of a segment":     {old: "/x/{id}:", new: "/x/{id}.json:", fails: `spec.yaml:6: /paths/~1x~1{id}.json/post: the generated server cannot route the path: parsing "POST /x/{id}.json": at offset 8: bad wildcard segment (must end with '}'); make each parameter a whole segment`},
		"same requests":         {old: "paths:", new: "paths:\n  /{x}/y: {parameters: [{name: x, in: path, required: true, schema: {}}], post: {responses: {default: {description: d}}}}", fails: `/post: the generated server cannot route the path: pattern "POST /{x}/y" conflicts with pattern "POST /x/{id}"`},
		"same as an alias":      {old: "paths:", new: "x-path-aliases: {/x: /y}\npaths:\n  /y/{y}: {parameters: [{name: y, in: path, required: true, schema: {}}], post: {responses: {default: {description: d}}}}", fails: `pattern "POST /y/{y}" conflicts with pattern "POST /y/{id}"`},
		"alias":                 {old: "paths:", new: "x-path-aliases: {/v1: /api}\npaths:", checks: `strings.CutPrefix(path, "/v1"); has && (rest == "" || rest[0] == '/') { return "/api" + rest, true }`},
		"pattern of a response": {old: `Answer: {type: object}`, new: `Answer: {type: string, pattern: '(?=a)', example: a}`, checks: `Pattern: "(?=a)"}`},
		"recursion":             {old: `Answer: {type: object}`, new: `Answer: {type: array, items: {$ref: "#/components/schemas/Node"}}` + "\n    Node: {properties: {x: {$ref: '#/components/schemas/Answer'}}}", checks: "AnswerSchema.Items = NodeSchema NodeSchema.Properties[0].Schema = AnswerSchema"},
		"no YAML":               {old: "paths", new: "\x00", fails: "spec.yaml:1: not YAML"},
		"no object":             {old: "openapi: 3.0.3", new: "[]\n---\na: b", fails: "a second document in the file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checks, operations, err := generatedFrom(strings.Replace(specWith("type: string", ""), row.old, row.new, 1))
			if row.fails != "" {
				assert.ErrorContains(t, err, row.fails)
				return
			}
			require.NoError(t, err)
			assert.Contains(t, checks, row.checks)
			assert.Contains(t, operations, row.operations)
		})
	}
}

func TestNamesTaken(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"BodyFields", "CheckBody", "BodySchema", "Schema"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := generated("spec.yaml", []byte(specWith("type: string", "    "+name+": {}")), []byte(goSource+"\ntype "+name+" struct{}"))
			assert.ErrorContains(t, err, "spec.yaml:12: /components/schemas/"+name+": the generated code has two declarations of "+name+": rename")
		})
	}
	_, _, err := generated("spec.yaml", []byte(specWith("type: string", "")), []byte(goSource), []byte("package p\nconst Body = 1"))
	assert.ErrorContains(t, err, "/components/schemas/Body: the generated code has two declarations of Body")
}

// TestFieldNames fails for properties without a Go name of their own.
func TestFieldNames(t *testing.T) {
	t.Parallel()
	for fields, want := range map[string]string{
		"A int `json:\"a\"`; A int `json:\"a2,omitempty\"`": `spec.yaml:12: /components/schemas/Twice/properties/a2: "a" and "a2" have the same Go name A: give one of them an x-go-name`,
		"*int `json:\"b\"`":            `spec.yaml:12: /components/schemas/Twice/properties/b: no Go name can be made of "b": give it an x-go-name`,
		"X struct {*int `json:\"?\"`}": `no Go name can be made of "?"`,
	} {
		t.Run(fields, func(t *testing.T) {
			t.Parallel()
			spec := specWith("type: string", "    Twice: {type: object, properties: {a: {type: integer}, a2: {type: integer}, b: {type: integer}}}")
			_, _, err := generated("spec.yaml", []byte(spec), []byte(strings.Replace(goSource, "Node struct{", "Node struct{"+fields, 1)))
			assert.ErrorContains(t, err, want)
		})
	}
}
