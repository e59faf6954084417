// Package contracttest has the tests that are about more than one package.
package contracttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	module = "github.com/fleetcontract/fleetio-go"
	root   = "../.."
)

// importRules says what each package may import besides the standard library, and what must not reach it even through
// others. Paths of this module are relative; a rule covers what lies below the path it names.
var importRules = map[string]struct {
	may   []string
	never []string
	pure  bool // not even the imports of its imports leave this module and the standard library
}{
	"fleetio":           {may: []string{"gen/fleetioapi"}, pure: true}, // the client must cost an importer no module
	"gen/fleetioapi":    {pure: true},
	"gen/fleetioserver": {may: []string{"gen/fleetioapi", "github.com/oapi-codegen/runtime"}},
	"api":               {pure: true}, // the spec's bytes without a parser
	"conformance": { // the judge shares no code with the judged, and is handed the spec
		may: []string{"conformance/internal", "conformance/known", "conformance/traffic", "internal/printable", "internal/redact",
			"github.com/getkin/kin-openapi", "go.yaml.in/yaml/v4"},
		never: []string{"fleetio", "api", "gen", "sandbox"},
	},
	"conformance/internal/credentials": {may: []string{"conformance/internal/strictjson", "conformance/traffic", "internal/redact"}},
	"conformance/internal/formats":     {pure: true},
	"conformance/internal/strictjson":  {pure: true},
	"conformance/internal/yamltree":    {may: []string{"conformance/internal/strictjson", "go.yaml.in/yaml/v4"}},
	"conformance/known":                {pure: true},
	"conformance/conformancetest": {
		may:   []string{"conformance", "conformance/traffic", "internal/printable"},
		never: []string{"fleetio", "api", "gen", "sandbox"},
	},
	"conformance/traffic": {may: []string{"conformance/internal", "internal/printable", "go.yaml.in/yaml/v4"}},
	"conformance/report": {
		may:   []string{"conformance", "conformance/traffic", "internal/printable"},
		never: []string{"fleetio", "api", "gen", "sandbox"},
	},
	"cmd/fleetio/internal/importer": {
		may:   []string{"fleetio", "gen/fleetioapi", "github.com/gofrs/flock"},
		never: []string{"api", "conformance", "sandbox"},
	},
	"cmd/fleetio/internal/suggest": {
		may:   []string{"conformance", "internal/printable", "go.yaml.in/yaml/v4"},
		never: []string{"fleetio", "api", "gen", "sandbox"},
	},
	"internal/gencheck":  {may: []string{"github.com/getkin/kin-openapi"}},
	"internal/printable": {pure: true},
	"internal/redact":    {pure: true},
	"sandbox": { // a test double costs a test neither a spec's parser nor a database, and has a client to give
		may:   []string{"fleetio", "gen", "internal/redact"},
		never: []string{"api", "conformance", "github.com/getkin/kin-openapi", "modernc.org", "go.yaml.in"},
	},
	"cmd/fleetio/internal/server": {
		may:   []string{"cmd/fleetio/internal/server/page", "conformance", "sandbox"},
		never: []string{"api", "modernc.org"},
	},
	"cmd/fleetio/internal/server/fixture": {
		may:   []string{"sandbox", "go.yaml.in/yaml/v4"},
		never: []string{"api", "conformance", "github.com/getkin/kin-openapi", "modernc.org"},
	},
	"cmd/fleetio/internal/server/sqlite": {
		may:   []string{"sandbox", "modernc.org/sqlite"},
		never: []string{"api", "conformance", "github.com/getkin/kin-openapi"},
	},
	"cmd/fleetio/internal/server/page": { // the judge's verdicts are handed in
		may:   []string{"sandbox", "internal/printable"},
		never: []string{"api", "conformance", "github.com/getkin/kin-openapi", "modernc.org", "go.yaml.in"},
	},
	"cmd/fleetio": {may: []string{"cmd/fleetio/internal", "fleetio", "api", "conformance", "gen/fleetioapi", "internal/printable", "sandbox", "github.com/spf13/cobra", "golang.org/x/term"}},
}

// listed is what `go list` says of a package.
type listed struct {
	ImportPath     string
	Standard       bool
	Module         *struct{ Path string }
	Dir            string
	GoFiles        []string
	IgnoredGoFiles []string
	Imports        []string
	Deps           []string
}

// list lists this module's packages and what they depend on, as they are built for one system.
func list(t *testing.T, system string) map[string]listed {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-deps",
		"-json=ImportPath,Standard,Module,Dir,GoFiles,IgnoredGoFiles,Imports,Deps", "./...")
	// Without cgo, as no other system's C compiler is here, and this system's shall make no difference.
	command.Dir = root
	command.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	require.NoError(t, err, "go list for %s: %s", system, &stderr)
	packages := map[string]listed{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		require.NoError(t, err)
		packages[p.ImportPath] = p
	}
}

// TestImports lists the packages for three systems, so that no build constraint hides an import.
func TestImports(t *testing.T) {
	t.Parallel()
	seen, built, ignored := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, system := range []string{"linux", "windows", "darwin"} {
		packages := list(t, system)
		for path, p := range packages {
			if p.Module == nil || p.Module.Path != module {
				continue
			}
			for _, file := range p.GoFiles {
				built[filepath.Join(p.Dir, file)] = true
			}
			for _, file := range p.IgnoredGoFiles {
				if !strings.HasSuffix(file, "_test.go") {
					ignored[filepath.Join(p.Dir, file)] = true
				}
			}
			if len(p.GoFiles) == 0 {
				continue
			}
			name := relative(path)
			seen[name] = true
			rule, ruled := importRules[name]
			if !assert.True(t, ruled, "%s has no rule about what it may import: add one", name) {
				continue
			}
			for _, i := range p.Imports {
				allowed := packages[i].Standard ||
					slices.ContainsFunc(rule.may, func(may string) bool { return within(relative(i), may) })
				assert.True(t, allowed, "%s must not import %s (%s)", name, i, system)
			}
			for _, d := range p.Deps {
				foreign := !packages[d].Standard && (packages[d].Module == nil || packages[d].Module.Path != module)
				assert.False(t, rule.pure && foreign, "%s must not depend on %s (%s)", name, d, system)
				for _, never := range rule.never {
					barred := within(relative(d), never)
					assert.False(t, barred, "%s must not depend on %s (%s)", name, d, system)
				}
			}
		}
	}
	for name := range importRules {
		assert.True(t, seen[name], "there is a rule for %s, which is gone", name)
	}
	// tools.go pins the generator, and is built for nobody.
	tools, err := filepath.Abs(filepath.Join(root, "tools.go"))
	require.NoError(t, err)
	for file := range ignored {
		assert.True(t, built[file] || file == tools, "%s is built for no system, so nothing sees its imports", file)
	}
}

func relative(path string) string { return strings.TrimPrefix(path, module+"/") }

func within(path, parent string) bool { return path == parent || strings.HasPrefix(path, parent+"/") }
