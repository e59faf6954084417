package yamltree_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// TestScalars reads scalars by the core schema of YAML 1.2.
func TestScalars(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"~": "null", "": "null", "Null": "null", "nil": `"nil"`, "True": "true", "FALSE": "false", "yes": `"yes"`, "off": `"off"`,
		"7": "7", "+7": "7", "-0": "-0", "010": "10", "-010": "-10", "0o17": "15", "0x1F": "31", "0b11": `"0b11"`, "1_000": `"1_000"`,
		"1.50": "1.50", ".5": "0.5", "-.5": "-0.5", "5.": "5", "1e3": "1e3", "+1.0E+3": "1.0E+3", "1e400": "1e400", ".inf": `".inf"`, ".nan": `".nan"`,
		"9007199254740993": "9007199254740993", "99999999999999999999": "99999999999999999999", "0xFFFFFFFFFFFFFFFFFF": `"0xFFFFFFFFFFFFFFFFFF"`,
		"2020-01-01": `"2020-01-01"`, "2020-01-01T00:00:00Z": `"2020-01-01T00:00:00Z"`, "1:30": `"1:30"`, "1.2.3": `"1.2.3"`, "-": `[null]`,
		"'7'": `"7"`, `"\u00e9"`: `"é"`, "!!str 7": `"7"`, "!!int '7'": `"7"`, "!local 7": `"7"`, "{a: [1, 'b', ~]}": `{"a":[1,"b",null]}`, "<": `"<"`,
		"{x: &x {a: 1, b: 2}, y: {b: 3, <<: *x}}":               `{"x":{"a":1,"b":2},"y":{"b":3,"a":1}}`,
		"{x: &x {a: 1}, z: &z {a: 2, c: 2}, y: {<<: [*x, *z]}}": `{"x":{"a":1},"z":{"a":2,"c":2},"y":{"a":1,"c":2}}`,
		"{7: a, 2020-01-01: b, true: c}":                        `{"7":"a","2020-01-01":"b","true":"c"}`,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			tree, err := yamltree.Parse([]byte("v: "+text+"\n"), "", nil)
			if text == "-" {
				tree, err = yamltree.Parse([]byte("v:\n- \n"), "", nil)
			}
			require.NoError(t, err)
			assert.Equal(t, want, string(tree.Node("/v").AppendJSON(nil)))
		})
	}
}

// TestLines of YAML and of JSON.
func TestLines(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"YAML": "# a comment\na:\n  b~/c:\n  - x\n  - y\n", "JSON": "\n{\"a\":\n{\"b~\\u002Fc\": [\n\"x\",\n\"y\"] } }",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree, err := yamltree.Parse([]byte(text), "", nil)
			require.NoError(t, err)
			for pointer, line := range map[string]int{"/a": 2, "/a/b~0~1c": 3, "/a/b~0~1c/0": 4, "/a/b~0~1c/1": 5, "/a/b~0~1c/2": 3, "/a/z": 2, "": 2} {
				assert.Equal(t, line, tree.Line(pointer), pointer)
			}
			assert.Equal(t, "y", tree.Node("/a/b~0~1c/1").Text)
			assert.Nil(t, tree.Node("/a/b~0~1c/x"))
		})
	}
}

func TestParseRejects(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		line   int
		reason string
	}{
		"": {1, "the file is empty"}, "a: 1\n---\nb: 2\n": {2, "a second document in the file"},
		"a: 1\nb: 2\na: 3\n": {3, `the key "a" is there already, on line 1`}, "{\"a\": 1,\n\"a\": 2}": {2, `the key "a" is there already, on line 1`},
		"a: &a\n  b: *a\n": {2, `the anchor "a" contains itself`}, "a: 1\n? [x]\n: 2\n": {2, "a key that is no name"}, "~: 1\n": {1, "a key that is no name"},
		"a: 1\nb:\n  <<: 7\n": {3, "a merge key without an object"}, "a: 1\nb: *c\n": {2, "not YAML: line 2: unknown anchor"},
		"{\n\"a\": 1\n\"b\": 2}": {3, "as JSON: invalid character '\"' after object key:value pair; as YAML: line 3: did not find expected ',' or '}'"},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			_, err := yamltree.Parse([]byte(text), "", nil)
			var at *yamltree.Error
			require.ErrorAs(t, err, &at)
			assert.Equal(t, want.reason, at.Reason)
			assert.Equal(t, want.line, at.Line)
		})
	}
}
