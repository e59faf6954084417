package conformance

import (
	"errors"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/yamltree"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// refuseSiblings finds what stands beside a $ref, which is ignored (OpenAPI 3.0.3, Reference Object): nullable, above all.
func (c *Contract) refuseSiblings() error {
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

// knownExtensions are ours, and one that a linter reads.
var knownExtensions = []string{assumedKey, criteriaKey, "x-lint-ignore"}

// refuseTheUnsaid finds what kin-openapi lets pass and what would make a claim vanish: a keyword without a value, a merge
// key, criteria where nothing reads them. Extensions that nobody here knows are noted, as they may be ours, misspelt.
func (c *Contract) refuseTheUnsaid() error {
	read := map[string]bool{}
	for _, op := range c.operations {
		for _, r := range op.responses {
			read[r.pointer] = true
		}
	}
	var errs []error
	seen := map[string]bool{}
	_ = c.source.WalkObjects(func(at string, n *yaml.Node, names bool) error {
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, place := n.Content[i].Value, at+strictjson.Pointer(n.Content[i].Value)
			switch {
			case n.Content[i].Tag == "!!merge":
				errs = append(errs, c.specError(place, "merge keys are not read: write the members out"))
			case names:
			case key == criteriaKey && !read[at]:
				errs = append(errs, c.specError(place, "x-criteria stands beside the content of a response"))
			case strings.HasPrefix(key, "x-") && !slices.Contains(knownExtensions, key) && !seen[key]:
				seen[key] = true
				c.note(place, "the extension "+key)
			case yamltree.Follow(n.Content[i+1]).Tag == "!!null" && !slices.Contains(yamltree.DataKeywords, key):
				errs = append(errs, c.specError(place, key+" has no value"))
			}
		}
		return nil
	})
	return errors.Join(errs...)
}
