package importer

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

func TestToJSON(t *testing.T) {
	t.Parallel()
	text, integer := &fleetioapi.Schema{Type: "string"}, &fleetioapi.Schema{Type: "integer"}
	nullable := &fleetioapi.Schema{AllOf: []*fleetioapi.Schema{text}, Nullable: true}
	for name, row := range map[string]struct {
		schema *fleetioapi.Schema
		texts  []string
		want   string
	}{
		"text":                {text, []string{`a "b"`}, `"a \"b\""`},
		"text of digits":      {text, []string{"12"}, `"12"`},
		"text null":           {text, []string{"null"}, `"null"`},
		"null":                {nullable, []string{"null"}, "null"},
		"not null":            {nullable, []string{"x"}, `"x"`},
		"not UTF-8":           {text, []string{"\xff"}, "\xff"},
		"integer":             {integer, []string{"+012"}, "12"},
		"no integer":          {integer, []string{"1.0"}, `"1.0"`},
		"number":              {&fleetioapi.Schema{Type: "number"}, []string{"1.50"}, "1.50"},
		"no number":           {&fleetioapi.Schema{Type: "number"}, []string{"1,5"}, `"1,5"`},
		"boolean":             {&fleetioapi.Schema{Type: "boolean"}, []string{"true"}, "true"},
		"no boolean":          {&fleetioapi.Schema{Type: "boolean"}, []string{"yes"}, `"yes"`},
		"list as JSON":        {&fleetioapi.Schema{Type: "array", Items: text}, []string{`["a,b"]`}, `["a,b"]`},
		"list with commas":    {&fleetioapi.Schema{Type: "array", Items: text}, []string{"a,b"}, `["a","b"]`},
		"list of several":     {&fleetioapi.Schema{Type: "array", Items: text}, []string{"a,b", "c"}, `["a,b","c"]`},
		"list of integers":    {&fleetioapi.Schema{Type: "array", Items: integer}, []string{"1,2"}, "[1,2]"},
		"list of one integer": {&fleetioapi.Schema{Type: "array", Items: integer}, []string{"1"}, "[1]"},
		"list of anything":    {&fleetioapi.Schema{Type: "array"}, []string{"a", "1"}, `["a",1]`},
		"object":              {&fleetioapi.Schema{Type: "object"}, []string{`{"a":1}`}, `{"a":1}`},
		"no object":           {&fleetioapi.Schema{Type: "object"}, []string{"a=1"}, `"a=1"`},
		"union":               {&fleetioapi.Schema{OneOf: []*fleetioapi.Schema{text, integer}}, []string{"1"}, "1"},
		"union, a text":       {&fleetioapi.Schema{OneOf: []*fleetioapi.Schema{text, integer}}, []string{"one"}, `"one"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, row.want, string(toJSON(row.schema, row.texts)))
		})
	}
}
