package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const generated = "../../gen/fleetioapi/types.gen.go"

// TestUpToDate compares the types of package fleetio with those that would be generated now.
func TestUpToDate(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(generated)
	require.NoError(t, err)
	taken, err := declared("../../fleetio/types.gen.go")
	require.NoError(t, err)
	want, err := facade(source, taken)
	require.NoError(t, err)
	got, err := os.ReadFile("../../fleetio/types.gen.go")
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "run make generate, review the difference, and commit it")
}

// TestNewProperty adds properties of the kinds that need more than a copy.
func TestNewProperty(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(generated)
	require.NoError(t, err)
	changed := strings.Replace(string(source), "\ntype Fault struct {\n", `
type Fault struct {
	// Parts The parts.
	Parts []Part `+"`json:\"parts\"`"+`

	Raw json.RawMessage `+"`json:\"raw\"`"+`

`, 1) + `
// Part A part.
type Part struct { Of Grade }

// Grade How bad it is.
type Grade string

const GradeBad Grade = "bad"
`
	code, err := facade([]byte(changed), nil)
	require.NoError(t, err)
	for _, want := range []string{"\t// The parts.\n\tParts []Part", "\ntype Part = fleetioapi.Part\n", "Raw   json.RawMessage"} {
		assert.Contains(t, string(code), want)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	const types = `package p
type Fault struct { A Error; B Grade }
type FaultCreate struct {}
type ListFaultsParams struct {}
type FaultPage struct {}
type Problem struct {}
`
	for name, c := range map[string]struct{ source, want string }{
		"no Go":     {"package", "expected"},
		"missing":   {"package p", "no Fault"},
		"no struct": {"package p\ntype Fault string", "Fault is no struct"},
		"method":    {"package p\ntype Fault struct { String string }", "package fleetio has a Fault.String of its own: give the property"},
		"field":     {"package p\ntype Fault struct { Extra string }", "package fleetio has a Fault.Extra of its own"},
		"type":      {types + "type Error struct{}\ntype Grade string", "package fleetio has a Error of its own: give the schema"},
		"constant":  {types + "type Grade string\nconst ErrInvalid Grade = \"\"", "package fleetio has a ErrInvalid of its own"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			taken, err := declared("../../fleetio/types.gen.go")
			require.NoError(t, err)
			_, err = facade([]byte(c.source), taken)
			assert.ErrorContains(t, err, c.want)
		})
	}
	var stderr strings.Builder
	assert.Equal(t, 2, run([]string{"-types", generated}, &stderr))
	assert.Contains(t, stderr.String(), "-o are required")
}
