package mutate

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

var (
	corpusSpec = flag.String("corpus-spec", "", "spec of the corpus (default: the one of this project)")
	corpusFile = flag.String("corpus", "", "write the corpus to this file, compressed by gzip")
)

// finding is an [Expectation] in a corpus.
type finding struct {
	Claim   string `json:"claim,omitempty"`
	Rule    string `json:"rule"`
	Part    string `json:"part"`
	Pointer string `json:"pointer"`
}

// TestCorpus writes the mutants and the conforming exchanges as a recording, for `make scoreboard`. Each line also has x-name and
// x-expected: the findings, of which there are none if the exchange conforms. Recordings may have properties with x-.
func TestCorpus(t *testing.T) {
	if *corpusFile == "" {
		t.Skip("-corpus names the file to write")
	}
	spec := api.Spec
	if *corpusSpec != "" {
		var err error
		spec, err = os.ReadFile(*corpusSpec)
		require.NoError(t, err)
	}
	c, err := parse(spec)
	require.NoError(t, err)
	mutants, err := c.mutants()
	require.NoError(t, err)
	var file bytes.Buffer
	compressed := gzip.NewWriter(&file)
	write := func(ex *traffic.Exchange, expected ...Expectation) {
		isMediaType := func(e Expectation) bool { return e.Rule == "media-type" }
		if (string(ex.Request.Body) == otherBody || string(ex.Response.Body) == otherBody) && !slices.ContainsFunc(expected, isMediaType) {
			return // the oracle does not read XML and forms, and this is neither
		}
		findings := []finding{}
		for _, e := range expected {
			findings = append(findings, finding{e.Claim, e.Rule, string(e.Part), e.Pointer})
		}
		label, err := json.Marshal(map[string]any{"x-name": ex.Source, "x-expected": findings})
		require.NoError(t, err)
		var line bytes.Buffer
		require.NoError(t, traffic.WriteNDJSON(&line, ex))
		text := append(bytes.TrimSuffix(label, []byte("}")), ',')
		_, err = compressed.Write(append(text, bytes.TrimPrefix(line.Bytes(), []byte("{"))...))
		require.NoError(t, err)
	}
	for _, m := range mutants {
		write(m.Exchange, append([]Expectation{m.Expected}, m.SideEffects...)...)
	}
	for _, ex := range conformingExchanges(t, c, 2000) {
		write(ex)
	}
	require.NoError(t, compressed.Close())
	assert.NotEmpty(t, mutants)
	require.NoError(t, os.WriteFile(*corpusFile, file.Bytes(), 0o644))
}
