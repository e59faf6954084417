package conformance

import (
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// aliasesKey is an extension of the document: a map from the beginning of paths to another that stands for the same, as
// in /api/v1: /api. OpenAPI has no way to say so without writing each operation twice.
const aliasesKey = "x-path-aliases"

// pathsOf returns a path of the spec, and its aliases.
func (c *Contract) pathsOf(doc *openapi3.T, path string) ([]string, error) {
	paths := []string{path}
	if doc.Extensions[aliasesKey] == nil {
		return paths, nil
	}
	at := strictjson.Pointer(aliasesKey)
	aliases, isMap := doc.Extensions[aliasesKey].(map[string]any)
	if !isMap {
		return nil, c.specError(at, "must be a map from the beginning of paths to another")
	}
	for _, from := range sortedKeys(aliases) {
		to, isText := aliases[from].(string)
		if !isText || !strings.HasPrefix(from, "/") || !strings.HasPrefix(to, "/") {
			return nil, c.specError(at+strictjson.Pointer(from), "must be the beginning of a path for another, each with a slash in front")
		}
		rest, found := strings.CutPrefix(path, from)
		if found && (rest == "" || rest[0] == '/') {
			paths = append(paths, strings.TrimRight(to, "/")+rest)
		}
	}
	return paths, nil
}
