package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

func TestSandboxListsFailures(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := fleetio("", "sandbox", "--list-failures")
	require.Equal(t, 0, code, stderr)
	for _, f := range failures {
		assert.Contains(t, stdout, "\n"+f.what+" ")
		_, err := sandbox.ParseFailure(f.what + "@next")
		require.NoError(t, err, f.what)
	}
	assert.Equal(t, 2+len(failures), strings.Count(stdout, "\n"))
}

func TestHelpOfSandbox(t *testing.T) {
	t.Parallel()
	code, stdout, _ := fleetio("", "sandbox", "--help")
	assert.Equal(t, 0, code)
	assert.Contains(t, stdout, "Examples:\n  fleetio sandbox")
	assert.Contains(t, stdout, `(default "127.0.0.1:8080")`)
	assert.Contains(t, stdout, `(default "text")`)
}

func TestAnnounce(t *testing.T) {
	t.Parallel()
	accounts := []sandbox.Account{
		{ID: 1, Name: "one\nexport FLEETIO_API_KEY=x", Token: "t-1", APIKeys: []sandbox.APIKey{{Name: "r", Key: "k-1"}}},
		{ID: 2, Name: "two", Token: `t'"$(exit 9)\`, APIKeys: []sandbox.APIKey{
			{Name: "r", Key: "k-2"}, {Name: "w\n'", Key: "k'`exit 9`;#", Permissions: []sandbox.Permission{sandbox.CreateFaults}}}},
	}
	var b strings.Builder
	require.NoError(t, announce(&b, "http://127.0.0.1:1", "", "", accounts))
	code, out := shell(t, `eval "$PRINTED"; printf '%s %s %s' "$FLEETIO_BASE_URL" "$FLEETIO_API_KEY" "$FLEETIO_ACCOUNT_TOKEN"`, "PRINTED="+b.String())
	assert.Equal(t, 0, code)
	assert.Equal(t, "http://127.0.0.1:1 k'`exit 9`;# "+`t'"$(exit 9)\`, out)
	assert.Contains(t, b.String(), `key "r", which may not create or read faults: FLEETIO_API_KEY='k-2'`)
	assert.NotContains(t, b.String(), "page")
	assert.Contains(t, b.String(), `# account 2 "two" has no vehicle; no code`+"\n")

	b.Reset()
	fleet := sandbox.DefaultFixtures().Accounts
	for id := range int64(10) {
		fleet[1].Vehicles = append(fleet[1].Vehicles, sandbox.Vehicle{ID: 100 + id})
	}
	require.NoError(t, announce(&b, "http://127.0.0.1:1", "# before\n", "# after\n", fleet))
	assert.Contains(t, b.String(), `# account 12 "Northwind Delivery" has vehicles 1, 2, 4711; codes "P0420", "P0171", "SPN 3226 FMI 4", "P0442"`+"\n")
	assert.Contains(t, b.String(), `has vehicles 3, 100, 101, 102, 103, 104, 105, 106, and 3 more; code "P0300"`+"\n")

	b.Reset()
	require.NoError(t, announce(&b, "http://127.0.0.1:1", "", "", accounts[:1]))
	assert.Contains(t, b.String(), "export FLEETIO_API_KEY='k-1'\n", "also a key without permissions")
	assert.Contains(t, b.String(), `key "r", which may not create or read faults.`+"\n")
}

// TestSandboxGuide runs what the guide shows, and holds it to have all flags, all failures and the example as it is.
func TestSandboxGuide(t *testing.T) {
	t.Parallel()
	guide := read(t, "../../docs/sandbox.md")
	fleet := read(t, "internal/server/fixture/testdata/fleet.yaml")
	assert.Contains(t, guide, "```yaml\n"+fleet+"```\n")
	_, help, _ := fleetio("", "sandbox", "--help")
	_, help, _ = strings.Cut(help, "Flags:\n")
	flags := regexp.MustCompile(`(?m)^ +(--[a-z0-9-]+)`).FindAllStringSubmatch(help, -1)
	require.NotEmpty(t, flags)
	for _, flag := range flags {
		assert.Contains(t, guide, "`"+flag[1])
	}
	for _, f := range failures {
		assert.Contains(t, guide, "\n| `"+f.what+"` |")
	}

	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "fleet.yaml"), []byte(fleet), 0o600))
	_, script, _ := strings.Cut(guide, "```sh\n")
	script, _, _ = strings.Cut(script, "```")
	// Not the function, so that the process is the one that $! names.
	script = strings.Replace(script, "fleetio sandbox", `"$SELF" sandbox --addr 127.0.0.1:0 --log off`, 1)
	// Where a line fails, the server must not go on: the test would wait for it.
	code, out := shell(t, "cd "+folder+"\ntrap 'kill $! 2>/dev/null || :' EXIT\n"+script+"\nkill $!; wait $!")
	assert.Equal(t, 0, code, out)
	assert.Contains(t, out, `"id": 2,`)

	// Where it does not start, nothing is created anywhere else.
	require.NoError(t, os.Remove(filepath.Join(folder, "fleet.yaml")))
	_, out = shell(t, "cd "+folder+"\nset +e; export FLEETIO_API_KEY=k FLEETIO_ACCOUNT_TOKEN=t FLEETIO_BASE_URL=http://127.0.0.1:1\n"+
		strings.Replace(script, "fleetio create", "echo created", 1))
	assert.Contains(t, out, "fleet.yaml: no such file")
	assert.NotContains(t, out, "created")
}
