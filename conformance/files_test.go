package conformance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// write writes files below a new folder and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

const mainFile = `openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /a:
    $ref: 'paths/a.yaml'
components:
  schemas:
    Id: {type: integer, x-assumed: {type: guess}}
`

const pathFile = `get:
  operationId: a
  responses:
    '200':
      description: d
      content:
        application/json:
          schema: {$ref: '../schemas/common.yaml#/A'}
`

const schemaFile = `A:
  type: object
  x-assumed: {required: {id: guess}}
  required: [id]
  properties:
    id: {$ref: '../openapi.yaml#/components/schemas/Id'}
    next: {$ref: '#/A'}
    other: {$ref: 'b%20c.json'}
`

func TestLoadFile(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"openapi.yaml": mainFile, "paths/a.yaml": pathFile, "schemas/common.yaml": schemaFile,
		"schemas/b c.json": "{\n  \"type\": \"string\",\n  \"maxLength\": 3, \"description\": \"\\ud83d\\ude00\"\n}"})
	contract, err := conformance.LoadFile(filepath.Join(dir, "openapi.yaml"))
	require.NoError(t, err)
	found := map[string]conformance.Claim{}
	for _, claim := range contract.Claims() {
		found[claim.ID] = claim
	}
	for id, at := range map[string]struct {
		file string
		line int
	}{
		"response.body#/components/schemas/Id/type":         {"", 8},
		"response.status#/paths~1a.yaml/get/responses/200":  {"paths/a.yaml", 4},
		"response.body#/schemas~1common.yaml/A/required/id": {"schemas/common.yaml", 4},
		"response.body#/schemas~1b c.json/maxLength":        {"schemas/b c.json", 3},
		"response.body#/schemas~1common.yaml/A/type":        {"schemas/common.yaml", 2},
	} {
		require.Contains(t, found, id)
		assert.Equal(t, at.file, found[id].Spec.File, id)
		assert.Equal(t, at.line, found[id].Spec.Line, id)
	}
	assert.Equal(t, conformance.Assumed, found["response.body#/components/schemas/Id/type"].Source)
	assert.Equal(t, conformance.Assumed, found["response.body#/schemas~1common.yaml/A/required/id"].Source)
	assert.Equal(t, "../x/schemas/common.yaml", found["response.body#/schemas~1common.yaml/A/type"].Spec.In("../x/openapi.yaml"))
	assert.Equal(t, "../x/openapi.yaml", found["response.body#/components/schemas/Id/type"].Spec.In("../x/openapi.yaml"))

	require.NoError(t, os.WriteFile(filepath.Join(dir, "schemas/common.yaml"), []byte(schemaFile+"# x\n"), 0o600))
	edited, err := conformance.LoadFile(filepath.Join(dir, "openapi.yaml"))
	require.NoError(t, err)
	assert.NotEqual(t, contract.Spec().SHA256, edited.Spec().SHA256)
}

func TestLoadFileRejects(t *testing.T) {
	t.Parallel()
	outside := write(t, map[string]string{"secret.yaml": "type: string\n"})
	for name, test := range map[string]struct{ ref, file, err string }{
		"not there":                 {"b.yaml", "", "line 8: #/paths~1a.yaml/get/responses/200/content/application~1json/schema/$ref: the file \"paths/b.yaml\""},
		"no such place":             {"b.yaml#/B", "A: {}\n", `there is nothing at "b.yaml#/B"`},
		"above the folder":          {"../../secret.yaml", "", "the file \"../secret.yaml\", which must be below the folder of the spec"},
		"an absolute path":          {"/etc/passwd", "", `the reference to "/etc/passwd" is not followed`},
		"a file URL":                {"file:///etc/passwd", "", "is not followed"},
		"a URL":                     {"http://127.0.0.1:1/x.yaml", "", "is not followed"},
		"a URL without scheme":      {"//127.0.0.1/x.yaml", "", "is not followed"},
		"a symbolic link":           {"link.yaml", "", "which must be below the folder of the spec"},
		"a folder":                  {"../dir", "", "this is a folder"},
		"gzip":                      {"b.yaml", "\x1f\x8b\x08", "a gzip file; unpack it first"},
		"not YAML":                  {"b.yaml", "a: [\n", "paths/b.yaml: line 2: not YAML"},
		"a mistake in another file": {"b.yaml", "\n\ntype: strin\n", `paths/b.yaml: line 3: #/paths~1b.yaml/type: unknown type "strin"`},
		"a circle without a schema": {"b.yaml", "$ref: a.yaml#/get/responses/200/content/application~1json/schema\n", "the reference refers to itself"},
		"a name of the document":    {"../info", "type: string\n", "has the name of a field of the document"},
		"no pointer":                {"b.yaml#A", "A: {}\n", "is not a file, # and a JSON pointer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, map[string]string{"openapi.yaml": mainFile, "info": "x", "dir/x": "",
				"paths/a.yaml": string([]byte(pathFile[:len(pathFile)-len("{$ref: '../schemas/common.yaml#/A'}\n")])) + "{$ref: '" + test.ref + "'}\n"})
			require.NoError(t, os.Symlink(filepath.Join(outside, "secret.yaml"), filepath.Join(dir, "paths", "link.yaml")))
			if test.file != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "paths", "b.yaml"), []byte(test.file), 0o600))
			}
			_, err := conformance.LoadFile(filepath.Join(dir, "openapi.yaml"))
			require.NotEmpty(t, conformance.SpecErrors(err))
			assert.ErrorContains(t, err, test.err)
		})
	}
}

func TestLoadFileIsBounded(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"openapi.yaml": ""})
	require.NoError(t, os.Truncate(filepath.Join(dir, "openapi.yaml"), conformance.MaxSpec+1))
	_, err := conformance.LoadFile(filepath.Join(dir, "openapi.yaml"))
	require.ErrorContains(t, err, "larger than 16 MiB")
	_, err = conformance.LoadFile(filepath.Join(dir, "missing.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestAliasesAreBounded loads a document in which a few lines stand for a billion values.
func TestAliasesAreBounded(t *testing.T) {
	t.Parallel()
	text := "a: &a [" + strings.Repeat("x, ", 9) + "]\n"
	for _, pair := range []string{"ab", "bc", "cd", "de", "ef", "fg", "gh", "hi", "ij"} {
		text += pair[1:] + ": &" + pair[1:] + " [" + strings.Repeat("*"+pair[:1]+", ", 9) + "]\n" //nolint:perfsprint // a few
	}
	_, err := conformance.Load([]byte(text))
	require.ErrorContains(t, err, "values, with aliases expanded")
}
