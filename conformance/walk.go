package conformance

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// data are the keywords whose values are not part of the spec's own structure.
var data = []string{"example", "examples", "default", "enum", "value", assumedKey}

// named are the keywords whose keys are names that the author chose.
var named = []string{"paths", "responses", "content", "headers", "properties", "schemas", "requestBodies", "parameters",
	"securitySchemes", "links", "callbacks", "encoding", "variables", "mapping", "scopes", "patternProperties"}

// walkObjects visits every object of a spec, but none in examples and other data. Where names is true, the keys of the
// object are names and not keywords.
func walkObjects(s *source, visit func(at string, n *yaml.Node, names bool) error) error {
	return walk("", s.root, false, visit)
}

func walk(at string, n *yaml.Node, names bool, visit func(at string, n *yaml.Node, names bool) error) error {
	switch n = follow(n); n.Kind {
	case yaml.MappingNode:
		if err := visit(at, n, names); err != nil {
			return err
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if !names && slices.Contains(data, key) {
				continue
			}
			// An example named default, say, lies below a name and is data all the same: its keyword is examples.
			if err := walk(at+pointerOf(key), n.Content[i+1], !names && slices.Contains(named, key), visit); err != nil {
				return err
			}
		}
	case yaml.SequenceNode:
		for i, e := range n.Content {
			if err := walk(at+pointerOf(strconv.Itoa(i)), e, false, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// refuseSiblings finds what stands beside a $ref, which is ignored (OpenAPI 3.0.3, Reference Object): nullable, above all.
func (c *Contract) refuseSiblings() error {
	return walkObjects(c.source, func(at string, n *yaml.Node, names bool) error {
		if ref, _ := c.source.child(n, "$ref"); names || ref == nil || ref.Kind != yaml.ScalarNode {
			return nil
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if key == "$ref" || key == "description" || key == "summary" || strings.HasPrefix(key, "x-") {
				continue
			}
			return c.specError(at+pointerOf(key), key+" beside a $ref is ignored: put both into an allOf")
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
	_ = walkObjects(c.source, func(at string, n *yaml.Node, names bool) error {
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, place := n.Content[i].Value, at+pointerOf(n.Content[i].Value)
			switch {
			case n.Content[i].Tag == "!!merge":
				errs = append(errs, c.specError(place, "merge keys are not read: write the members out"))
			case names:
			case key == criteriaKey && !read[at]:
				errs = append(errs, c.specError(place, "x-criteria stands beside the content of a response"))
			case strings.HasPrefix(key, "x-") && !slices.Contains(knownExtensions, key) && !seen[key]:
				seen[key] = true
				c.note(place, "the extension "+key)
			case follow(n.Content[i+1]).Tag == "!!null" && !slices.Contains(data, key):
				errs = append(errs, c.specError(place, key+" has no value"))
			}
		}
		return nil
	})
	return errors.Join(errs...)
}
