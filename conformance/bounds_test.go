package conformance

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
)

// ends fails the test if f, which should take milliseconds, does not return.
func ends(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("still running after 20 s")
	}
}

const depth = 60

// levels returns depth schemas that each refer to the next one, the last to Leaf.
func levels(level string) string {
	var b strings.Builder
	for i := range depth {
		next := fmt.Sprintf("L%d", i+1)
		if i == depth-1 {
			next = "Leaf"
		}
		fmt.Fprintf(&b, "L%d: %s, ", i, strings.ReplaceAll(level, "NEXT", "$ref: '#/components/schemas/"+next+"'"))
	}
	return b.String() + "Leaf: {type: object, properties: {a: {type: string, maxLength: 3}}}"
}

// TestSchemasAreVisitedOnce for each value, however often they are combined: each level doubles the paths to the last.
func TestSchemasAreVisitedOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ schemas, root, good, bad, want string }{
		"allOf": {levels("{allOf: [{NEXT}, {NEXT}]}"), "L0", `{"a":"abc"}`, `{"a":"abcd"}`, "/components/schemas/Leaf/properties/a/maxLength"},
		"allOf of others": {levels("{allOf: [{allOf: [{NEXT}]}, {allOf: [{NEXT}]}]}"), "L0", `{"a":"abc"}`, `{"a":"abcd"}`,
			"/components/schemas/Leaf/properties/a/maxLength"},
		"anyOf": {levels("{anyOf: [{NEXT}, {NEXT}]}"), "L0", `{"a":"abc"}`, `{"a":"abcd"}`, "/components/schemas/L0/anyOf"},
		"oneOf": {levels("{oneOf: [{NEXT}, {type: integer}, {allOf: [{NEXT}, {type: string}]}]}"), "L0", `{"a":"abc"}`, `{"a":"abcd"}`,
			"/components/schemas/L0/oneOf"},
		"not":        {levels("{not: {NEXT}, allOf: [{not: {NEXT}}]}"), "L1", `{"a":"abcd"}`, `{"a":"abc"}`, "/components/schemas/L1/not"},
		"properties": {levels("{type: object, properties: {a: {NEXT}, b: {NEXT}}}"), "L0", `{}`, `{"b":7}`, "/components/schemas/L1/type"},
		"a value of many levels": {"Leaf: {type: integer}, Tree: {anyOf: [{$ref: '#/components/schemas/Leaf'}, {type: object, properties: {a: {$ref: '#/components/schemas/Tree'}}}," +
			" {type: object, properties: {a: {$ref: '#/components/schemas/Tree'}}, required: [b]}]}", "Tree",
			strings.Repeat(`{"a":`, 90) + "1" + strings.Repeat("}", 90), strings.Repeat(`{"a":`, 90) + `""` + strings.Repeat("}", 90), "/components/schemas/Tree/anyOf"},
		"allOf below properties": {"Leaf: {}, Tree: {type: object, allOf: [" + strings.Repeat("{properties: {a: {$ref: '#/components/schemas/Tree'}}}, ", 3) + "{minProperties: 0}]}",
			"Tree", strings.Repeat(`{"a":`, 60) + "{}" + strings.Repeat("}", 60), strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 60), "/components/schemas/Tree/type"},
		"allOf below items": {"Leaf: {}, Tree: {type: array, items: {}, allOf: [" + strings.Repeat("{type: array, items: {$ref: '#/components/schemas/Tree'}}, ", 3) + "{minItems: 0}]}",
			"Tree", strings.Repeat("[", 60) + strings.Repeat("]", 60), strings.Repeat("[", 60) + "1" + strings.Repeat("]", 60), "/components/schemas/Tree/type"},
		"each of all others": {mutual(12), "L0", `"a"`, `"abcdefghijklmno"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ends(t, func() {
				contract, _ := loadSchema(t, "{$ref: '#/components/schemas/"+test.root+"'}", test.schemas)
				findings, err := contract.Check(withBody(test.good))
				assert.NoError(t, err)
				assert.Empty(t, findings)
				findings, err = contract.Check(withBody(test.bad))
				assert.NoError(t, err)
				var at []string
				for _, f := range findings {
					at = append(at, f.Spec.Pointer)
				}
				if test.want != "" {
					assert.Contains(t, at, test.want)
				}
			})
		})
	}
}

// mutual returns n schemas that each combine all others.
func mutual(n int) string {
	var list []string
	for i := range n {
		parts := []string{fmt.Sprintf("{type: string, maxLength: %d}", i+1)}
		for j := range n {
			if j != i {
				parts = append(parts, fmt.Sprintf("{$ref: '#/components/schemas/L%d'}", j))
			}
		}
		list = append(list, fmt.Sprintf("L%d: {anyOf: [%s]}", i, strings.Join(parts, ", ")))
	}
	return strings.Join(list, ", ")
}

// TestClaimsOfNestedSchemas resolves a deep pointer with few allocations: all claims together cost no more than their
// pointers, the square of the depth.
func TestClaimsOfNestedSchemas(t *testing.T) {
	allocations := func(levels int) float64 {
		schema := strings.Repeat("{type: array, items: ", levels) + "{type: string}" + strings.Repeat("}", levels)
		contract, _ := loadSchema(t, schema, "")
		pointer := "/paths/~1/get/responses/200/content/application~1json/schema" + strings.Repeat("/items", levels) + "/type"
		return testing.AllocsPerRun(1, func() { require.Equal(t, pointer, contract.source.ByName(pointer)) })
	}
	assert.Less(t, allocations(200), 100.0)
}

// TestClaimsOfSchemasThatContainEachOther lists a bounded number of their infinitely many places.
func TestClaimsOfSchemasThatContainEachOther(t *testing.T) {
	t.Parallel()
	const n = 40
	var list []string
	for i := range n {
		var properties []string
		for j := range n {
			properties = append(properties, fmt.Sprintf("p%d: {$ref: '#/components/schemas/L%d'}", j, j))
		}
		list = append(list, fmt.Sprintf("L%d: {type: object, properties: {%s}}", i, strings.Join(properties, ", ")))
	}
	ends(t, func() {
		contract, _ := loadSchema(t, "{$ref: '#/components/schemas/L0'}", strings.Join(list, ", "))
		for _, claim := range contract.Claims() {
			assert.LessOrEqual(t, len(claim.Places), 2*maxPlaces)
		}
	})
}

// TestRedactHoldsLittle limits the memory for a large body to 32 times its size.
func TestRedactHoldsLittle(t *testing.T) { // not parallel: it measures
	contract, err := Load(testspec.Spec)
	require.NoError(t, err)
	const size = 1 << 20
	random := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random)
	for name, body := range map[string][]byte{
		"random": random, "base64": []byte(base64.StdEncoding.EncodeToString(random)[:size]), "a letter": bytes.Repeat([]byte("a"), size),
		"many that are no archives": bytes.Repeat(append(bytes.Repeat([]byte("."), 1<<17), 0x1f, 0x8b, 8), 8),
		"escapes":                   bytes.Repeat([]byte(`\u0041`), size/6), "words": bytes.Repeat([]byte("some words "), size/11), "a credential": bytes.Repeat([]byte("sekretkey123 "), size/13),
	} {
		t.Run(name, func(t *testing.T) {
			ex := create()
			ex.Request.Header.Set("Authorization", "Token sekretkey123")
			ex.Response.Body = body
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := contract.Redact(ex)
			runtime.ReadMemStats(&after)
			require.NoError(t, err)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32*size), "bytes, for a body of %d", size)
		})
	}
}
