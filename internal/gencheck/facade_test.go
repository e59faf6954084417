package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	apiTypes    = apiDir + "/" + typesFile
	clientDir   = "../../fleetio"
	clientTypes = clientDir + "/" + typesFile
)

// TestNewProperty adds properties of the kinds that need more than a copy.
func TestNewProperty(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(apiTypes)
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

func TestFacadeErrors(t *testing.T) {
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
			taken, err := declaredBeside(clientTypes)
			require.NoError(t, err)
			_, err = facade([]byte(c.source), taken)
			assert.ErrorContains(t, err, c.want)
		})
	}
}
