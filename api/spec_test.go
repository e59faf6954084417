package api_test

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
)

func load(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec)
	require.NoError(t, err)
	return doc
}

// TestSpecIsValid includes the examples: each must conform to its schema.
func TestSpecIsValid(t *testing.T) {
	t.Parallel()
	doc := load(t)
	require.NoError(t, doc.Validate(t.Context(), openapi3.EnableExamplesValidation(),
		openapi3.EnableSchemaFormatValidation()))

	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			at := method + " " + path
			if operation.RequestBody != nil {
				assertExamples(t, at, operation.RequestBody.Value.Content)
			}
			for status, response := range operation.Responses.Map() {
				assertExamples(t, at+" "+status, response.Value.Content)
			}
		}
	}
}

func assertExamples(t *testing.T, at string, content openapi3.Content) {
	t.Helper()
	for media, body := range content {
		assert.True(t, body.Example != nil || len(body.Examples) > 0, "%s %s has no example", at, media)
	}
}
