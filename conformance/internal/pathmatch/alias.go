package pathmatch

import (
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/speclint"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// WithAliases returns a path of the spec, and its aliases by x-path-aliases: a map from the beginning of paths to another that
// stands for the same, as in /api/v1: /api. OpenAPI has no way to say so without writing each operation twice.
func WithAliases(source *yamltree.Tree, path string) ([]string, *speclint.Problem) {
	paths, at := []string{path}, strictjson.Pointer(speclint.AliasesKey)
	aliases := source.Node(at)
	if aliases == nil {
		return paths, nil
	}
	if aliases.Type != strictjson.Object {
		return nil, &speclint.Problem{Pointer: at, Reason: "must be a map from the beginning of paths to another"}
	}
	for _, e := range aliases.Entries {
		if e.Type != strictjson.String || !strings.HasPrefix(e.Key, "/") || !strings.HasPrefix(e.Text, "/") {
			return nil, &speclint.Problem{Pointer: at + strictjson.Pointer(e.Key),
				Reason: "must be the beginning of a path for another, each with a slash in front"}
		}
		rest, found := strings.CutPrefix(path, e.Key)
		if found && (rest == "" || rest[0] == '/') {
			paths = append(paths, strings.TrimRight(e.Text, "/")+rest)
		}
	}
	return paths, nil
}
