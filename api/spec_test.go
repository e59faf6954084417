package api_test

import (
	"maps"
	"slices"
	"strings"
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

	operation := doc.Paths.Value("/api/v1/faults").Post
	contents := []openapi3.Content{operation.RequestBody.Value.Content}
	for _, response := range operation.Responses.Map() {
		contents = append(contents, response.Value.Content)
	}
	for _, content := range contents {
		assert.NotEmpty(t, content["application/json"].Examples, "every request and response has an example")
	}
}

// documented is what a page says about one property of an object.
type documented struct {
	kind, format       string
	required, nullable bool
	minimum, maximum   float64
	maxLength          uint64
}

// assertProperties compares each property by itself, so that a failure names it.
func assertProperties(t *testing.T, doc *openapi3.T, name string, want map[string]documented) {
	t.Helper()
	ref := doc.Components.Schemas[name]
	if !assert.NotNil(t, ref, "the spec has no schema %s", name) {
		return
	}
	schema := ref.Value
	for _, property := range slices.Sorted(maps.Keys(schema.Properties)) {
		assert.Contains(t, slices.Collect(maps.Keys(want)), property, "%s.%s is in the spec only", name, property)
	}
	for _, property := range schema.Required {
		assert.Contains(t, schema.Properties, property, "%s.%s is required and has no schema", name, property)
	}
	for _, property := range slices.Sorted(maps.Keys(want)) {
		ref := schema.Properties[property]
		if !assert.NotNil(t, ref, "%s.%s is not in the spec", name, property) {
			continue
		}
		p := ref.Value
		got := documented{
			kind: strings.Join(p.Type.Slice(), ", "), format: p.Format,
			required: slices.Contains(schema.Required, property), nullable: p.Nullable,
		}
		if p.Min != nil {
			got.minimum = *p.Min
		}
		if p.Max != nil {
			got.maximum = *p.Max
		}
		if p.MaxLength != nil {
			got.maxLength = *p.MaxLength
		}
		assert.Equal(t, want[property], got, "%s.%s", name, property)
	}
}

// TestSpecHoldsTheFacts states the vendor's pages once more, so that an edit that loses one is seen.
func TestSpecHoldsTheFacts(t *testing.T) {
	t.Parallel()
	doc := load(t)
	assert.Equal(t, "https://secure.fleetio.com", doc.Servers[0].URL)
	assert.Equal(t, []string{"/api/v1/faults"}, doc.Paths.InMatchingOrder())
	operation := doc.Paths.Value("/api/v1/faults").Post
	assert.Equal(t, "createFault", operation.OperationID)
	assert.ElementsMatch(t, []string{"201", "401", "403", "422", "429", "500"},
		slices.Collect(maps.Keys(operation.Responses.Map())))
	assert.Equal(t, openapi3.SecurityRequirements{{"apiKey": {}, "accountToken": {}}}, doc.Security, "both keys together")
	assert.ElementsMatch(t, []string{"FaultCreate", "Fault", "FaultStatus", "Problem", "ValidationErrors", "RateLimited"},
		slices.Collect(maps.Keys(doc.Components.Schemas)))

	assertProperties(t, doc, "FaultCreate", map[string]documented{
		"vehicle_id":       {kind: "integer", format: "int64", required: true, minimum: 1},
		"code":             {kind: "string", required: true, maxLength: 255},
		"count":            {kind: "integer", format: "int64"},
		"description":      {kind: "string"},
		"external_id":      {kind: "string", maxLength: 255},
		"last_occurred_at": {kind: "string", format: "date-time"},
		"name":             {kind: "string", maxLength: 255},
		"status":           {kind: "string"},
		"source":           {kind: "string"},
	})
	assertProperties(t, doc, "Fault", map[string]documented{
		"id":                  {kind: "integer", format: "int64", required: true, minimum: 1},
		"created_at":          {kind: "string", format: "date-time"},
		"updated_at":          {kind: "string", format: "date-time"},
		"account_id":          {kind: "integer", format: "int64", required: true, minimum: 1},
		"vehicle_id":          {kind: "integer", format: "int64", required: true, nullable: true, minimum: 1},
		"code":                {kind: "string", required: true},
		"count":               {kind: "integer", format: "int64", required: true, nullable: true},
		"description":         {kind: "string", required: true, nullable: true},
		"external_id":         {kind: "string", nullable: true},
		"last_occurred_at":    {kind: "string", format: "date-time", required: true, nullable: true},
		"name":                {kind: "string", required: true, nullable: true},
		"status":              {kind: "string", required: true},
		"source":              {kind: "string", required: true, nullable: true},
		"vehicle_archived_at": {kind: "string", format: "date-time", required: true, nullable: true},
		"fault_rule_id":       {kind: "integer", format: "int64", required: true, nullable: true, minimum: 1},
		"is_sample":           {kind: "boolean", required: true},
		"idempotency_key":     {kind: "string", nullable: true},
	})
	assertProperties(t, doc, "Problem", map[string]documented{
		"status":   {kind: "integer", format: "int64", required: true, minimum: 400, maximum: 599},
		"title":    {kind: "string", required: true},
		"detail":   {kind: "string"},
		"instance": {kind: "string", format: "uri-reference"},
	})
	assertProperties(t, doc, "ValidationErrors", map[string]documented{"errors": {kind: "object", required: true}})
	assertProperties(t, doc, "RateLimited", map[string]documented{"error": {kind: "string", required: true}})
	status := doc.Components.Schemas["FaultStatus"].Value
	assert.Equal(t, []any{"open", "resolved", "ignored"}, status.Enum)
	assert.Equal(t, "open", status.Default)
	retryAfter := operation.Responses.Value("429").Value.Headers["Retry-After"].Value
	assert.True(t, retryAfter.Required)
	assert.True(t, retryAfter.Schema.Value.Type.Is("integer"))
	assert.True(t, operation.Responses.Value("201").Value.Headers["Location"].Value.Required)
}
