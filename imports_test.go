package fleetio_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/fleetcontract/fleetio-go"

// importRules says what each package may import besides the standard library, and what must not reach it even through
// others. Paths of this module are relative; a rule covers what lies below the path it names.
var importRules = map[string]struct {
	may   []string
	never []string
	pure  bool // not even the imports of its imports leave this module and the standard library
}{
	".":                 {may: []string{"gen/fleetioapi"}, pure: true}, // importing the client must cost an importer no module
	"gen/fleetioapi":    {pure: true},
	"gen/fleetioserver": {may: []string{"gen/fleetioapi", "github.com/oapi-codegen/runtime"}},
	"api":               {pure: true}, // the spec's bytes without a parser
	"conformance": { // the judge shares no code with the judged, and is handed the spec
		may:   []string{"conformance/traffic", "github.com/getkin/kin-openapi", "go.yaml.in/yaml/v4"},
		never: []string{".", "api", "gen", "sandbox"},
	},
	"conformance/traffic": {pure: true},
	"conformance/report":  {may: []string{"conformance", "conformance/traffic"}, never: []string{".", "api", "gen", "sandbox"}},
	"cmd/fleetio":         {may: []string{"api", "conformance", "github.com/spf13/cobra"}},
}

func TestImports(t *testing.T) {
	t.Parallel()
	type listed struct {
		ImportPath string
		Standard   bool
		Module     *struct{ Path string }
		GoFiles    []string
		Imports    []string
		Deps       []string
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,Module,GoFiles,Imports,Deps", "./...").Output()
	require.NoError(t, err)
	packages := map[string]listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		packages[p.ImportPath] = p
	}
	seen := 0
	for path, p := range packages {
		if p.Module == nil || p.Module.Path != module || len(p.GoFiles) == 0 {
			continue
		}
		name := relative(path)
		rule, ruled := importRules[name]
		if !assert.True(t, ruled, "%s has no rule about what it may import: add one", name) {
			continue
		}
		seen++
		for _, i := range p.Imports {
			allowed := packages[i].Standard || slices.ContainsFunc(rule.may, func(may string) bool { return within(relative(i), may) })
			assert.True(t, allowed, "%s must not import %s", name, i)
		}
		for _, d := range p.Deps {
			foreign := !packages[d].Standard && (packages[d].Module == nil || packages[d].Module.Path != module)
			assert.False(t, rule.pure && foreign, "%s must not depend on %s", name, d)
			assert.NotContains(t, rule.never, relative(d), "%s must not depend on %s", name, d)
			for _, never := range rule.never {
				assert.False(t, never != "." && within(relative(d), never), "%s must not depend on %s", name, d)
			}
		}
	}
	assert.Equal(t, len(importRules), seen, "a rule is for a package that is gone")
}

func relative(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

func within(path, parent string) bool { return path == parent || strings.HasPrefix(path, parent+"/") }
