package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/internal/mutate"
)

func TestSelftest(t *testing.T) {
	t.Parallel()
	// A small spec; package mutate proves the judge by ours.
	spec := write(t, "small.yaml", "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {/x: {get: {operationId: x, responses: {'200': {description: d, "+
		"content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer, minimum: 1}}}}}}}}}}\n")
	code, stdout, stderr := fleetio("", "selftest", "--conformant=5", "--seed=7", "--spec="+spec)
	assert.Equal(t, 0, code, stdout[max(0, len(stdout)-1000):])
	assert.Empty(t, stderr)
	assert.Contains(t, stdout, "5 that conform left alone (seed 7): passed\n")
}

func TestSelftestTells(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		result mutate.Result
		fails  bool
		says   string
	}{
		"passed":            {result: mutate.Result{Mutants: 3, Killed: 3, Shown: 2, Conformant: 9, Unbreakable: []string{"x: why"}}, says: "no exchange breaks alone: x: why\n3 of 3 mutants found"},
		"failed":            {mutate.Result{Mutants: 3, Killed: 2, Failures: []string{"201/body: why"}}, true, "FAIL 201/body: why\n2 of 3 mutants found"},
		"a survivor":        {mutate.Result{Mutants: 3, Killed: 2}, true, "2 of 3 mutants found"},
		"nothing was tried": {mutate.Result{}, true, "0 of 0 mutants found"},
	} {
		var out bytes.Buffer
		err := tell(&out, &test.result, 1)
		if test.fails {
			require.ErrorIs(t, err, errFindings, name)
		} else {
			require.NoError(t, err, name)
		}
		assert.Equal(t, !test.fails, strings.HasSuffix(out.String(), ": passed\n"), name)
		assert.Contains(t, out.String(), test.says, name)
		require.ErrorContains(t, tell(brokenPipe{}, &test.result, 1), "broken pipe", name)
	}
}

func TestSelftestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errOut bytes.Buffer
	assert.Equal(t, 2, run(ctx, []string{"selftest", "--conformant=0"}, &console{stdout: &out, stderr: &errOut, now: someDay}))
	assert.Equal(t, "fleetio: interrupted\n", errOut.String())
	assert.Empty(t, out.String())
}
