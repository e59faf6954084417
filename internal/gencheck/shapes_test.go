package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
)

// shape is a kind of property, with JSON values.
type shape struct {
	Name   string // also the name of the property
	schema string // as YAML
	Valid  []json.RawMessage
	// Invalid values may be of the property's Go type or not.
	Invalid []json.RawMessage
}

func list(values ...string) (all []json.RawMessage) {
	for _, v := range values {
		all = append(all, json.RawMessage(v))
	}
	return all
}

// shapes are the ordinary kinds of properties. Each becomes a nullable one, too.
var shapes = []shape{
	{"integer", "type: integer", list("0", "-1", "9007199254740993"), list("1.5", `"1"`, "null")},
	{"int32", "type: integer, format: int32", list("2147483647"), list("2147483648")},
	{"int64", "type: integer, format: int64, minimum: 1, maximum: 9223372036854775807", list("9223372036854775807"), list("0", "9223372036854775808")},
	{"number", "type: number, multipleOf: 0.01", list("0", "4.35"), list("4.351")},
	{"float", "type: number, format: float, minimum: 0, exclusiveMinimum: true", list("0.123456789"), list("0")},
	{"double", "type: number, format: double", list("1e+21"), list(`"1"`)},
	{"boolean", "type: boolean", list("true", "false"), list("1", `"true"`)},
	{"string", "type: string, minLength: 2, maxLength: 3, pattern: '^a', example: ab", list(`"aé"`, `"a<🚗"`), list(`"a"`, `"abcd"`, `"ba"`, "1")},
	{"date", "type: string, format: date", list(`"2024-02-29"`), list(`"2023-02-29"`)},
	{"date_time", "type: string, format: date-time", list(`"2023-03-14T13:46:27.5-06:00"`, `"2023-03-14T13:46:27Z"`), list(`"2023-03-14"`, `"0001-01-01T00:00:00+24:00"`)},
	{"time", "type: string, format: time", list(`"13:46:27Z"`), list("1")},
	{"duration", "type: string, format: duration", list(`"PT1S"`), list("1")},
	{"uuid", "type: string, format: uuid", list(`"00000000-0000-4000-8000-00000000000f"`), list(`"x"`)},
	{"email", "type: string, format: email", list(`"a@example.com"`), list(`"a"`)},
	{"uri", "type: string, format: uri", list(`"https://example.com/?a=b"`), list(`"/"`)},
	{"uri_reference", "type: string, format: uri-reference", list(`"/a"`), list(`"a|b"`)},
	{"hostname", "type: string, format: hostname", list(`"example.com"`), list("1")},
	{"ipv4", "type: string, format: ipv4", list(`"192.0.2.1"`), list("1")},
	{"ipv6", "type: string, format: ipv6", list(`"::1"`), list("1")},
	{"byte", "type: string, format: byte", list(`"aGk="`), list(`"?"`, "1")},
	{"binary", "type: string, format: binary", list(`"x"`), list("1")},
	{"password", "type: string, format: password", list(`"x"`), list("1")},
	{"unknown_format", "type: string, format: fleet", list(`"x"`), list("1")},
	{"enum", `type: string, enum: [a, "1", a b, "", é]`, list(`"1"`, `"a b"`), list(`"A"`)},
	{"enum_integer", "type: integer, enum: [1, -2]", list("-2"), list("2")},
	{"enum_number", "type: number, enum: [1.5]", list("1.5"), list("2")},
	{"enum_boolean", "type: boolean, enum: [true]", list("true"), list("false")},
	{"enum_any", "enum: [a, 1]", list(`"a"`, "1"), list("2")},
	{"any", "description: text", list(`{"a":[1.50,null]}`, "1.50"), nil},
	{"strings", "type: array, items: {type: string}, minItems: 1, maxItems: 2, uniqueItems: true", list(`["a","b"]`), list(`["a","a"]`, `["a","b","c"]`, `[1]`)},
	{"integers", "type: array, items: {type: integer}", list("[1,9007199254740993]"), list("[1.5]")},
	{"times", "type: array, items: {type: string, format: date-time}", list(`["2023-03-14T13:46:27Z"]`), list(`["2023"]`)},
	{"enums", "type: array, items: {type: string, enum: [a, b]}", list(`["a"]`), list(`["c"]`)},
	{"nullables", "type: array, items: {type: string, nullable: true}", list(`["a",null]`), list("[1]")},
	{"anything", "type: array, items: {}", list(`["a",true]`), list("1")},
	{"lists", "type: array, items: {type: array, items: {type: number}}", list("[[1.5],[]]"), list(`[["a"]]`)},
	{"objects", "type: array, items: {type: object, required: [a], properties: {a: {type: string, nullable: true}}}", list(`[{"a":null},{"a":"x"}]`), list(`[{}]`, `[{"a":1}]`)},
	{"parts", "type: array, items: {$ref: '#/components/schemas/Part'}", list(`[{"name":"x"},{"name":"y","note":null}]`), list(`[{}]`)},
	{"unions", "type: array, items: {oneOf: [{type: string}, {type: integer}]}", list(`["a",9007199254740993]`), list("[true]")},
	{"object", "type: object, required: [a], properties: {a: {type: string}, b: {type: integer, nullable: true}, c: {type: object, properties: {d: {type: string, nullable: true}}}}",
		list(`{"a":"x","b":null,"c":{"d":null}}`, `{"a":"x","c":{}}`), list("{}", `{"a":"x","b":1.5}`, `{"a":"x","c":{"d":1}}`)},
	{"empty_object", "type: object", list(`{"a":1}`), list("[]")},
	{"free_object", "type: object, additionalProperties: true, minProperties: 1", list(`{"a":1}`), list("1")},
	{"closed_object", "type: object, additionalProperties: false, properties: {a: {type: string}}", list(`{"a":"x"}`), list(`{"a":1}`)},
	{"map", "type: object, additionalProperties: {type: string}, maxProperties: 1", list(`{"a":"x"}`), list(`{"a":1}`, `{"a":"x","b":"y"}`)},
	{"map_of_parts", "type: object, additionalProperties: {$ref: '#/components/schemas/Part'}", list(`{"a":{"name":"x","note":null}}`), list(`{"a":{}}`)},
	{"map_of_lists", "type: object, additionalProperties: {type: array, items: {type: integer}}", list(`{"a":[1]}`), list(`{"a":["x"]}`)},
	{"map_of_nullables", "type: object, additionalProperties: {type: string, nullable: true}", list(`{"a":null}`), list(`{"a":1}`)},
	{"open_object", "type: object, properties: {a: {type: string}, b: {type: string, nullable: true}}, additionalProperties: {type: integer}",
		list(`{"a":"x","c":1}`, `{"b":null}`, `{"c":1}`), list(`{"c":"x"}`)},
	{"open_nullable", "type: object, properties: {a: {type: string}}, additionalProperties: {type: integer, nullable: true}", list(`{"c":null}`), list(`{"c":"x"}`)},
	{"read_only", "type: string, readOnly: true", nil, list(`"x"`)},
	{"write_only", "type: string, writeOnly: true", list(`"x"`), list("1")},
	{"default", "type: integer, default: 5", list("6"), list("1.5")},
	{"deprecated", "type: string, deprecated: true", list(`"x"`), list("1")},
	{"all_of", "allOf: [{$ref: '#/components/schemas/Part'}]", list(`{"name":"x"}`), list(`{}`)},
	{"all_of_two", "allOf: [{$ref: '#/components/schemas/Part'}, {type: object, required: [z], properties: {z: {type: string, nullable: true}}}]",
		list(`{"name":"x","z":null}`), list(`{"name":"x"}`, `{"z":"y"}`)},
	{"all_of_enum", "allOf: [{$ref: '#/components/schemas/Color'}], default: red", list(`"green"`), list(`"blue"`)},
	{"one_of", "oneOf: [{type: string}, {type: integer}]", list(`"x"`, "9007199254740993"), list("true", "1.5")},
	{"one_of_objects", "oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]", list(`{"kind":"cat","lives":9}`), list(`{"kind":"bird"}`)},
	{"any_of", "anyOf: [{type: string}, {$ref: '#/components/schemas/Part'}]", list(`"x"`, `{"name":"x"}`), list("1", `{"name":1}`)},
	{"any_of_required", "type: object, properties: {a: {type: string}, b: {type: string}}, anyOf: [{required: [a]}, {required: [b]}]", list(`{"b":"x"}`), list("{}")},
	{"not", "not: {type: string}", list("1", `{"a":1}`), list(`"x"`)},
	{"not_enum", "type: string, not: {enum: [x]}", list(`"y"`), list(`"x"`)},
	{"discriminator", "oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}], discriminator: {propertyName: kind, mapping: {cat: Cat, dog: '#/components/schemas/Dog'}}",
		list(`{"kind":"dog","bark":true}`), list(`{"kind":"dog","bark":1}`, `{"kind":"bird"}`, "{}")},
}

// references refer to each kind of component. They cannot be nullable, but what they refer to can.
var references = []shape{
	{"part", "$ref: '#/components/schemas/Part'", list(`{"name":"x","at":"2023-03-14T13:46:27Z"}`), list("{}", `{"name":"x","at":"2023"}`)},
	{"color", "$ref: '#/components/schemas/Color'", list(`"red"`), list(`"blue"`, "null")},
	{"text", "$ref: '#/components/schemas/Text'", list(`"x"`), list(`"xxxxxx"`)},
	{"count", "$ref: '#/components/schemas/Count'", list("5"), list("1.5")},
	{"day", "$ref: '#/components/schemas/Day'", list(`"2024-02-29"`), list(`"2023-02-29"`)},
	{"instant", "$ref: '#/components/schemas/Instant'", list(`"2023-03-14T13:46:27Z"`), list(`"2023"`)},
	{"texts", "$ref: '#/components/schemas/Texts'", list(`["x"]`), list("[1]")},
	{"dictionary", "$ref: '#/components/schemas/Dictionary'", list(`{"a":"x"}`), list(`{"a":1}`)},
	{"pet", "$ref: '#/components/schemas/Pet'", list(`{"kind":"cat"}`), list(`{"kind":"bird"}`)},
	{"node", "$ref: '#/components/schemas/Node'", list(`{"next":{"value":1},"children":[{}]}`), list(`{"next":{"next":{"value":"x"}}}`)},
	{"null_text", "$ref: '#/components/schemas/NullableText'", list(`"x"`, "null"), list("1")},
	{"null_color", "$ref: '#/components/schemas/NullableColor'", list(`"red"`, "null"), list(`"blue"`)},
	{"null_part", "allOf: [{$ref: '#/components/schemas/Part'}], nullable: true", list(`{"name":"x"}`), list("{}")},
	{"null_object", "$ref: '#/components/schemas/NullableObject'", list(`{"a":"x"}`, "null"), list(`{"a":1}`)},
}

const componentSchemas = `    Part: {type: object, required: [name], properties: {name: {type: string}, note: {type: string, nullable: true}, at: {type: string, format: date-time, nullable: true}}}
    Color: {type: string, enum: [red, green]}
    Text: {type: string, maxLength: 5}
    Count: {type: integer}
    Day: {type: string, format: date}
    Instant: {type: string, format: date-time}
    Texts: {type: array, items: {type: string}}
    Dictionary: {type: object, additionalProperties: {type: string}}
    NullableText: {type: string, nullable: true}
    NullableColor: {type: string, nullable: true, enum: [red, null]}
    NullableObject: {type: object, nullable: true, properties: {a: {type: string}}}
    Node: {type: object, properties: {value: {type: integer}, next: {$ref: '#/components/schemas/Node'}, children: {type: array, items: {$ref: '#/components/schemas/Node'}}}}
    Cat: {type: object, required: [kind], properties: {kind: {type: string, enum: [cat]}, lives: {type: integer}}}
    Dog: {type: object, required: [kind], properties: {kind: {type: string, enum: [dog]}, bark: {type: boolean}}}
    Pet: {oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]}
`

const operations = `openapi: 3.0.3
info: {title: Shapes, version: "1"}
paths:
  /optional:
    post:
      operationId: optional
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Optional"}}, text/csv: {schema: {type: string}}}}
      responses: {"201": {description: d, content: {application/json: {schema: {$ref: "#/components/schemas/Optional"}}}}}
  /required/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string, format: uuid}}]
    put:
      operationId: required
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Required"}}}}
      responses: {"200": {description: d, content: {application/json: {schema: {$ref: "#/components/schemas/Optional"}}}}}
    post:
      operationId: inline
      parameters:
        - {name: day, in: query, schema: {type: string, format: date}}
        - {name: union, in: query, schema: {oneOf: [{type: string}, {type: integer}]}}
        - {name: object, in: query, style: deepObject, schema: {type: object, properties: {a: {type: string}}}}
        - {name: nullable, in: query, schema: {type: integer, nullable: true}}
        - {name: list, in: query, schema: {type: array, items: {type: string, enum: [a]}}}
        - {name: header, in: header, schema: {type: integer}}
        - {name: cookie, in: cookie, schema: {type: boolean}}
        - {name: json, in: query, content: {application/json: {schema: {$ref: "#/components/schemas/Part"}}}}
      requestBody:
        content:
          application/json: {schema: {type: object, required: [a], properties: {a: {type: string, nullable: true}, b: {type: object, properties: {c: {type: string, nullable: true}}}}, additionalProperties: {type: integer}}}
          application/x-www-form-urlencoded: {schema: {type: object, properties: {x: {type: string}}}}
          multipart/form-data: {schema: {type: object, properties: {f: {type: string, format: binary}}}}
          text/plain: {schema: {type: string}}
          application/octet-stream: {schema: {type: string, format: binary}}
      responses:
        "200": {description: d, headers: {X: {schema: {type: string}}}, content: {application/json: {schema: {type: object, properties: {a: {type: string, nullable: true}, b: {oneOf: [{type: string}]}, c: {type: array, items: {type: object, properties: {d: {type: string}}}}}}}}}
        "202": {description: d, content: {application/json: {schema: {oneOf: [{type: string}, {type: integer}]}}}}
        "203": {description: d, content: {application/json: {schema: {type: array, items: {type: string, nullable: true}}}}}
        "204": {description: d}
        "404": {$ref: "#/components/responses/Missing"}
components:
  responses:
    Missing: {description: d, headers: {X: {schema: {type: string}}}, content: {text/plain: {schema: {type: string}}}}
  schemas:
`

// shapesSpec returns the spec with the properties, and the properties with their values.
func shapesSpec() (spec string, all []shape) {
	all = append(all, references...)
	for _, s := range shapes {
		all = append(all, s)
		s.Name = "nullable_" + s.Name
		s.schema += ", nullable: true"
		isTyped := strings.Contains(s.schema, "type: ") && !strings.HasPrefix(s.schema, "oneOf") && !strings.HasPrefix(s.schema, "anyOf") && !strings.HasPrefix(s.schema, "not")
		if isTyped {
			s.Valid, s.Invalid = append(slices.Clip(s.Valid), json.RawMessage("null")), nil
		}
		if s.Name != "nullable_read_only" {
			all = append(all, s)
		}
	}
	var names, properties []string
	for _, s := range all {
		names = append(names, s.Name)
		properties = append(properties, fmt.Sprintf("        %s: {%s}\n", s.Name, s.schema))
	}
	object := "      type: object\n      properties:\n" + strings.Join(properties, "")
	return operations + componentSchemas + "    Optional:\n" + object + "    Required:\n      required: [" + strings.Join(names, ", ") + "]\n" + object, all
}

// TestShapes generates the packages from a spec with a property of each kind, and tests and vets them in a module of their
// own. The types and the client may import the standard library only.
func TestShapes(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir := t.TempDir()
	command := func(dir, name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s %s: %s", name, args, out)
		return string(out)
	}
	write := func(name string, content []byte) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	for _, pattern := range []string{"go.mod", "go.sum", "api/*.tmpl", "api/*.cfg.yaml", "api/*.overlay.yaml"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		for _, file := range files {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			write(filepath.Join(filepath.Dir(pattern), filepath.Base(file)), content)
		}
	}
	spec, all := shapesSpec()
	write("api/openapi.yaml", []byte(spec))
	values, err := json.Marshal(all)
	require.NoError(t, err)
	write("gen/fleetioapi/shapes.json", values)
	write("gen/fleetioserver/doc.go", []byte("package fleetioserver\n"))
	test, err := os.ReadFile("testdata/shapes_test.go.txt")
	require.NoError(t, err)
	write("gen/fleetioapi/shapes_test.go", test)

	generator := filepath.Join(dir, "oapi-codegen")
	command(root, "go", "build", "-o", generator, "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen")
	for _, config := range []string{"types", "client", "server"} {
		assert.Empty(t, command(dir, generator, "--config=api/"+config+".cfg.yaml", "api/openapi.yaml"))
	}
	api, server := filepath.Join(dir, "gen/fleetioapi"), filepath.Join(dir, "gen/fleetioserver")
	var stderr bytes.Buffer
	require.Zero(t, run([]string{"-spec", filepath.Join(dir, "api/openapi.yaml"), "-api", api, "-server", server}, &stderr), stderr.String())
	command(dir, "go", "vet", "./gen/fleetioserver")
	command(dir, "go", "test", "-vet=all", "./gen/fleetioapi")
	foreign := command(dir, "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./gen/fleetioapi")
	assert.Equal(t, "github.com/fleetcontract/fleetio-go/gen/fleetioapi", strings.TrimSpace(foreign))
}

// unchecked are the formats that the checks leave to the server.
var unchecked = []string{"time", "duration", "ipv4", "ipv6", "hostname"}

// TestAgreesWithTheChecker gives each value to each property: the checks must find what the checker finds. They also reject
// a readOnly property, which the checker only notes, as a server may accept it.
func TestAgreesWithTheChecker(t *testing.T) {
	t.Parallel()
	spec, all := shapesSpec()
	contract, err := conformance.Load([]byte(spec))
	require.NoError(t, err)
	d, err := parseDocument("spec.yaml", []byte(spec))
	require.NoError(t, err)
	i := slices.IndexFunc(d.Schemas, func(s *openapi.Schema) bool { return s.Pointer == "/components/schemas/Optional" })
	optional := newCompiler(d).schema(d.Schemas[i])
	values := map[string]bool{"null": true, `{"kind":"cat","bark":1}`: true, `""`: true, "[]": true, "{}": true, "1e400": true, "-1e-400": true, `[1,1.0]`: true}
	for _, s := range all {
		for _, v := range slices.Concat(s.Valid, s.Invalid) {
			values[string(v)] = true
		}
	}
	violated := map[string]int{}
	for _, s := range all {
		for value := range values {
			body := fmt.Sprintf(`{%q:%s}`, s.Name, value)
			findings, err := contract.Check(&traffic.Exchange{Method: "POST", URL: &url.URL{Scheme: "http", Host: "127.0.0.1", Path: "/optional"}, Status: 201,
				Request:  traffic.Message{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)},
				Response: traffic.Message{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte("{}")}})
			require.NoError(t, err)
			want, got := []string{}, []string{}
			for _, f := range findings {
				known := f.Rule != "format" || !slices.Contains(unchecked, strings.TrimPrefix(s.Name, "nullable_"))
				if f.Part == conformance.RequestBody && f.Fails() && known {
					want = append(want, strings.TrimPrefix(f.Pointer, "/")+" "+f.Rule)
				}
			}
			for _, v := range optional.Check([]byte(body)) {
				if violated[v.Rule]++; v.Rule != "readOnly" {
					got = append(got, v.Field+" "+v.Rule)
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			assert.Equal(t, slices.Compact(want), got, body)
		}
	}
	t.Log(len(all), "properties,", len(values), "values, violations:", violated)
}
