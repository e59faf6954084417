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
	want, err := facade(source)
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
	code, err := facade([]byte(changed))
	require.NoError(t, err)
	for _, want := range []string{"\t// The parts.\n\tParts []Part", "\ntype Part = fleetioapi.Part\n", "Raw   json.RawMessage"} {
		assert.Contains(t, string(code), want)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ source, want string }{
		"no Go":     {"package", "expected"},
		"missing":   {"package p", "no Fault"},
		"no struct": {"package p\ntype Fault string", "Fault is no struct"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := facade([]byte(c.source))
			assert.ErrorContains(t, err, c.want)
		})
	}
	var stderr strings.Builder
	assert.Equal(t, 2, run([]string{"-types", generated}, &stderr))
	assert.Contains(t, stderr.String(), "-o are required")
}
