// Package contracttest has the tests of several packages together.
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

// importRules has, for each package, the packages that it may import besides the standard library, and those that it must
// not depend on even indirectly. Paths in this module are relative. A path includes the packages below it.
var importRules = map[string]struct {
	may   []string
	never []string
	pure  bool // without direct and indirect dependencies on other modules
}{
	"fleetio":           {may: []string{"gen/fleetioapi"}, pure: true}, // importers of the client need no other module
	"gen/fleetioapi":    {pure: true},
	"gen/fleetioserver": {may: []string{"gen/fleetioapi", "github.com/oapi-codegen/runtime"}},
	"gen/controlserver": {may: []string{"github.com/oapi-codegen/runtime"}},
	"api":               {pure: true}, // the spec's bytes without a parser
	"conformance": { // the checker shares no code with the checked client and sandbox, and reads any spec
		may: []string{"conformance/internal", "conformance/known", "conformance/traffic", "internal/ecma", "internal/formats", "internal/openapi",
			"internal/printable", "internal/redact", "internal/speclint", "internal/spelling", "internal/strictjson", "internal/yamltree"},
		never: []string{"fleetio", "api", "gen", "sandbox"},
	},
	"conformance/internal/assumed": {may: []string{"internal/speclint", "internal/strictjson", "internal/yamltree"}},
	"conformance/internal/bitset":  {pure: true},
	"conformance/internal/criteria": {may: []string{"conformance/internal/assumed", "conformance/internal/template", "internal/formats",
		"internal/strictjson", "internal/yamltree"}},
	"conformance/internal/credentials": {may: []string{"conformance/traffic", "internal/openapi", "internal/redact", "internal/strictjson", "internal/yamltree"}},
	"conformance/internal/mediatype":   {pure: true},
	"conformance/internal/limits":      {may: []string{"internal/formats", "internal/openapi", "internal/strictjson"}},
	"conformance/internal/pathmatch":   {may: []string{"internal/openapi", "internal/speclint", "internal/strictjson", "internal/yamltree"}},
	"conformance/internal/styles":      {may: []string{"conformance/internal/mediatype", "internal/formats", "internal/openapi", "internal/strictjson"}},
	"conformance/internal/template":    {pure: true},
	"conformance/internal/testspec":    {pure: true},
	"conformance/internal/transport":   {pure: true},
	"conformance/known":                {pure: true},
	"conformance/conformancetest": {
		may: []string{"conformance", "conformance/probe", "conformance/traffic", "internal/capture", "internal/printable",
			"internal/recorder"},
		never: []string{"fleetio", "api", "gen", "sandbox"},
	},
	"conformance/probe": {
		may:   []string{"conformance", "conformance/internal", "conformance/traffic", "internal/generate", "internal/openapi", "internal/yamltree"},
		never: []string{"fleetio", "api", "gen", "sandbox"},
	},
	"conformance/traffic": {may: []string{"conformance/internal", "internal/printable", "internal/strictjson", "go.yaml.in/yaml/v4",
		"github.com/andybalholm/brotli", "github.com/klauspost/compress/zstd"}},
	"conformance/report": {
		may:   []string{"conformance", "conformance/traffic", "internal/curl", "internal/printable", "internal/redact", "internal/strictjson"},
		never: []string{"fleetio", "api", "gen", "sandbox"},
	},
	"cmd/fleetio/internal/against": {
		may:   []string{"conformance", "internal/openapi", "internal/strictjson", "internal/yamltree"},
		never: []string{"fleetio", "api", "gen", "sandbox"},
	},
	"cmd/fleetio/internal/importer": {
		may:   []string{"fleetio", "gen/fleetioapi", "github.com/gofrs/flock"},
		never: []string{"api", "conformance", "sandbox"},
	},
	"cmd/fleetio/internal/proxy": {pure: true},
	"cmd/fleetio/internal/suggest": {
		may:   []string{"conformance", "internal/printable", "go.yaml.in/yaml/v4"},
		never: []string{"fleetio", "api", "gen", "sandbox"},
	},
	"internal/curl":           {pure: true},
	"internal/ecma":           {may: []string{"github.com/dlclark/regexp2/v2"}},
	"internal/formats":        {pure: true},
	"internal/openapi":        {may: []string{"internal/strictjson", "internal/yamltree"}},
	"internal/speclint":       {may: []string{"internal/formats", "internal/spelling", "internal/strictjson", "internal/yamltree"}},
	"internal/spelling":       {pure: true},
	"internal/strictjson":     {pure: true},
	"internal/yamltree":       {may: []string{"internal/strictjson", "go.yaml.in/yaml/v4"}},
	"internal/capture":        {may: []string{"conformance/traffic"}, never: []string{"fleetio", "api", "gen", "sandbox"}},
	"internal/gencheck":       {may: []string{"internal/ecma", "internal/gencheck/check", "internal/openapi", "internal/speclint", "internal/strictjson", "internal/yamltree"}},
	"internal/gencheck/check": {pure: true}, // it is copied to gen/fleetioapi
	"internal/generate":       {may: []string{"conformance"}, never: []string{"fleetio", "api", "gen", "sandbox"}},
	"internal/printable":      {pure: true},
	"internal/recorder": {may: []string{"conformance", "conformance/traffic", "internal/capture"},
		never: []string{"fleetio", "api", "gen", "sandbox"}},
	"internal/redact": {pure: true},
	"sandbox": { // a test double needs neither a parser of specs nor a database; it has a method that returns a client
		may:   []string{"fleetio", "gen", "internal/redact"},
		never: []string{"api", "conformance", "github.com/getkin/kin-openapi", "modernc.org", "go.yaml.in"},
	},
	"cmd/fleetio/internal/server": {
		may:   []string{"cmd/fleetio/internal/server/fixture", "cmd/fleetio/internal/server/page", "conformance", "gen/controlserver", "gen/fleetioserver", "sandbox"},
		never: []string{"api", "modernc.org"},
	},
	"cmd/fleetio/internal/server/fixture": {
		may:   []string{"internal/strictjson", "internal/yamltree", "sandbox"},
		never: []string{"api", "conformance", "github.com/getkin/kin-openapi", "modernc.org"},
	},
	"cmd/fleetio/internal/server/sqlite": {
		may:   []string{"gen/fleetioapi", "sandbox", "modernc.org/sqlite"}, // the columns of its view
		never: []string{"api", "conformance", "github.com/getkin/kin-openapi"},
	},
	"cmd/fleetio/internal/server/page": { // the caller passes the verdicts in
		may:   []string{"internal/curl", "gen", "sandbox", "internal/printable"},
		never: []string{"api", "conformance", "github.com/getkin/kin-openapi", "modernc.org", "go.yaml.in"},
	},
	"cmd/fleetio": {may: []string{"cmd/fleetio/internal", "fleetio", "api", "conformance", "gen/fleetioapi", "internal/curl", "internal/printable", "internal/recorder", "sandbox", "github.com/spf13/cobra", "golang.org/x/term"}},
}

// listed is a package in the output of `go list`.
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

// list lists this module's packages and their dependencies, for one operating system.
func list(t *testing.T, system string) map[string]listed {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-deps",
		"-json=ImportPath,Standard,Module,Dir,GoFiles,IgnoredGoFiles,Imports,Deps", "./...")
	// Without cgo, as there is no C compiler for other systems.
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

// TestImports lists the packages for three operating systems, so that no build constraint hides an import.
func TestImports(t *testing.T) {
	t.Parallel()
	found, built, ignored := map[string]bool{}, map[string]bool{}, map[string]bool{}
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
			found[name] = true
			rule, ruled := importRules[name]
			if !assert.True(t, ruled, "%s has no import rule: add one", name) {
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
					forbidden := within(relative(d), never)
					assert.False(t, forbidden, "%s must not depend on %s (%s)", name, d, system)
				}
			}
		}
	}
	for name := range importRules {
		assert.True(t, found[name], "there is a rule for %s, which does not exist", name)
	}
	// tools.go pins the generator; no build includes it.
	tools, err := filepath.Abs(filepath.Join(root, "tools.go"))
	require.NoError(t, err)
	for file := range ignored {
		assert.True(t, built[file] || file == tools, "%s is built for no system, so its imports are not checked", file)
	}
}

func relative(path string) string { return strings.TrimPrefix(path, module+"/") }

func within(path, parent string) bool { return path == parent || strings.HasPrefix(path, parent+"/") }
