package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/against"
)

const shopSpec = "internal/against/testdata/shop.yaml"

// TestClaimsAgainst compares a spec with a copy that differs in one place.
func TestClaimsAgainst(t *testing.T) {
	t.Parallel()
	shop := read(t, shopSpec)
	other := write(t, "vendor.yaml", strings.Replace(shop, "maxLength: 80", "maxLength: 100", 1))
	overlay := filepath.Join(t.TempDir(), "overlay.yaml")
	code, out, errOut := fleetio("", "claims", "--spec", shopSpec, "--against", other, "--suggest", overlay)
	assert.Equal(t, exitFindings, code, errOut)
	assert.Contains(t, out, "contradicts "+shopSpec+":50 request.body#/components/schemas/NewOrder/properties/item/maxLength: at most 80 characters (documented)\n")
	assert.Contains(t, out, "            "+other+":50: at most 100 characters\n")
	assert.Contains(t, out, " 1 contradicted, 0 silent; only in "+other+": 0 statements")
	suggestion := read(t, overlay)
	assert.Contains(t, suggestion, `$.components.schemas["NewOrder"].properties["kind"]["x-assumed"]`)
	assert.Contains(t, suggestion, "vendor.yaml:56")

	code, out, _ = fleetio("", "claims", "--spec", shopSpec, "--against", shopSpec, "--format", "json")
	assert.Equal(t, exitConforms, code)
	var c against.Comparison
	require.NoError(t, json.Unmarshal([]byte(out), &c))
	for _, claim := range c.Claims {
		assert.Equal(t, against.Agrees, claim.Verdict, claim.ID)
	}

	bad := write(t, "bad.yaml", strings.Replace(shop, "type: integer, format: int32", "type: int", 1))
	code, _, errOut = fleetio("", "claims", "--spec", shopSpec, "--against", bad)
	assert.Equal(t, exitConforms, code)
	assert.Contains(t, errOut, "bad.yaml:51: not compared: ")

	plain := write(t, "plain.yaml", strings.ReplaceAll(shop, ", x-assumed", ", x-note")) // which no claim is marked by
	overlay += ".none"
	code, _, errOut = fleetio("", "claims", "--spec", plain, "--against", shopSpec, "--suggest", overlay)
	assert.Equal(t, exitConforms, code)
	assert.Contains(t, errOut, "nothing to suggest")
	assert.NoFileExists(t, overlay)

	for _, test := range []struct {
		args []string
		err  string
	}{
		{[]string{"--suggest", "x.yaml"}, "--suggest needs --against"},
		{[]string{"--against", "none.yaml"}, "none.yaml: no such file"},
		{[]string{"--against", write(t, "bad.yaml", strings.Replace(shop, "openapi: 3.0.3", "swagger: '2.0'", 1))}, "bad.yaml:1: "},
	} {
		code, _, errOut := fleetio("", append([]string{"claims", "--spec", shopSpec}, test.args...)...)
		assert.Equal(t, exitNotRun, code)
		assert.Contains(t, errOut, test.err)
	}
}
