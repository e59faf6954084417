package conformance

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance/internal/assumed"
	"github.com/fleetcontract/fleetio-go/conformance/internal/formats"
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/internal/yamltree"
)

// rejectSiblings returns an error for a keyword beside a $ref, such as nullable, as OpenAPI 3.0.3 (Reference Object)
// ignores it.
func (c *Contract) rejectSiblings() error {
	return c.source.WalkObjects(func(at string, n *yaml.Node, names bool) error {
		if ref, _ := c.source.Child(n, "$ref"); names || ref == nil || ref.Kind != yaml.ScalarNode {
			return nil
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if key == "$ref" || key == "description" || key == "summary" || strings.HasPrefix(key, "x-") {
				continue
			}
			return c.specError(at+strictjson.Pointer(key), key+" beside a $ref is ignored: put both into an allOf")
		}
		return nil
	})
}

// knownExtensions are the extensions that this package or the project's linter reads.
var knownExtensions = []string{assumed.Key, criteriaKey, aliasesKey, "x-lint-ignore"}

// rejectIgnored returns errors for what kin-openapi accepts and nothing reads, so that a claim would be lost: a keyword
// without a value, a merge key, criteria in the wrong place. It adds unknown extensions to Unchecked, as one may be a
// misspelt one of knownExtensions.
func (c *Contract) rejectIgnored() error {
	read := map[string]bool{}
	for _, op := range c.operations {
		for _, r := range op.responses {
			read[r.pointer] = true
		}
	}
	var errs []error
	reported := map[string]bool{}
	_ = c.source.WalkObjects(func(at string, n *yaml.Node, names bool) error {
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, place := n.Content[i].Value, at+strictjson.Pointer(n.Content[i].Value)
			switch {
			case n.Content[i].Tag == "!!merge":
				errs = append(errs, c.specError(place, "merge keys are not supported: repeat the properties"))
			case names:
			case key == criteriaKey && !read[at]:
				errs = append(errs, c.specError(place, "x-criteria belongs beside the content of a response"))
			case strings.HasPrefix(key, "x-") && !slices.Contains(knownExtensions, key) && !reported[key]:
				reported[key] = true
				c.addUnchecked(place, "the extension "+key)
			case yamltree.Follow(n.Content[i+1]).Tag == "!!null" && !slices.Contains(yamltree.DataKeywords, key):
				errs = append(errs, c.specError(place, key+" has no value"))
			}
		}
		return nil
	})
	return errors.Join(errs...)
}

// vocabulary are the keywords, and schemaTypes the types, of a Schema Object (OpenAPI 3.0.3).
var (
	vocabulary = []string{"title", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength",
		"minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties", "required", "enum",
		"type", "allOf", "oneOf", "anyOf", "not", "items", "properties", "additionalProperties", "description", "format",
		"default", "nullable", "discriminator", "readOnly", "writeOnly", "xml", "externalDocs", "example", "deprecated"}
	schemaTypes = []string{"string", "number", "integer", "boolean", "array", "object"}
)

// rejectUnknownKeywords returns an error for a keyword that nothing reads: a misspelt one, or one of another version.
func (c *Contract) rejectUnknownKeywords(s *schema) error {
	n := c.source.Node(s.place)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		keyword, value := n.Content[i].Value, yamltree.Follow(n.Content[i+1])
		at := s.place + strictjson.Pointer(keyword)
		switch {
		case strings.HasPrefix(keyword, "x-") || n.Content[i].Tag == "!!merge":
		case !slices.Contains(vocabulary, keyword):
			return c.specError(at, keyword+" is not a schema keyword of OpenAPI 3.0")
		case keyword == "type" && value.Kind != yaml.ScalarNode:
			return c.specError(at, "in OpenAPI 3.0 a type is one name; use nullable: true for null")
		case keyword == "type" && !slices.Contains(schemaTypes, value.Value):
			return c.specError(at, fmt.Sprintf("unknown type %q; use one of %s", value.Value, strings.Join(schemaTypes, ", ")))
		case strings.HasPrefix(keyword, "exclusive") && value.Tag != "!!bool":
			return c.specError(at, "in OpenAPI 3.0 "+keyword+" is true or false, beside the limit")
		case keyword == "exclusiveMinimum" && s.Min == nil, keyword == "exclusiveMaximum" && s.Max == nil:
			return c.specError(at, keyword+" has no effect without the limit")
		case slices.Contains([]string{"enum", "allOf", "anyOf", "oneOf"}, keyword) && len(value.Content) == 0:
			return c.specError(at, keyword+" must be a list with at least one entry")
		case keyword == "discriminator" && len(s.OneOf)+len(s.AnyOf) == 0:
			c.addUnchecked(at, "discriminators without oneOf or anyOf beside them")
		}
	}
	return nil
}

// addUncheckedFormats adds the formats of the spec that have no matcher to Unchecked.
func (c *Contract) addUncheckedFormats() {
	places := map[string]string{}
	for _, s := range c.schemas {
		if s.Format != "" && s.Format != "binary" && formats.Matchers[s.Format] == nil && formats.IntegerBits[s.Format] == 0 {
			places[s.place] = s.Format
		}
	}
	for _, place := range slices.Sorted(maps.Keys(places)) {
		c.addUnchecked(place+"/format", "format "+places[place])
	}
}
