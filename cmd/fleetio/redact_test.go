package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withCredentials is a recording whose server repeats a credential.
const withCredentials = `{"method":"POST","url":"https://secure.fleetio.com/api/v1/faults","status":401,"request":{"headers":[` +
	`["Authorization","Token sesame-open-1"],["Account-Token","sesame-open-2"],["Content-Type","application/json"]],"body":"{}"},` +
	`"response":{"headers":[["Content-Type","text/plain"]],"body":"not sesame-open-2"}}` + "\n"

func TestRedact(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "clean.ndjson")
	code, stdout, stderr := fleetio(withCredentials, "redact", "-")
	assert.Equal(t, 0, code, stderr)
	assert.NotContains(t, stdout, "sesame")
	assert.Contains(t, stdout, "not [redacted]")
	code, out, stderr := fleetio(withCredentials, "redact", "-o", path, "-")
	assert.Equal(t, 0, code, stderr)
	assert.Empty(t, out)
	assert.Equal(t, stdout, read(t, path))
	assert.Len(t, names(t, filepath.Dir(path)), 1)

	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(path, link))
	code, _, stderr = fleetio(strings.Repeat(withCredentials, 2), "redact", "-o", link, "-")
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, strings.Repeat(stdout, 2), read(t, path), "the link stays one")
}

func TestRedactRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	out := filepath.Join(folder, "out.ndjson")
	source := write(t, "source.ndjson", withCredentials)
	for name, test := range map[string]struct {
		stdin  string
		args   []string
		stderr string
	}{
		"over the source":  {"", []string{"-o", source, source}, "would be overwritten"},
		"no such folder":   {"", []string{"-o", folder + "/no/x", source}, "there is no folder"},
		"a device":         {"", []string{"-o", os.DevNull, source}, "not a regular file"},
		"nothing":          {har(""), []string{"-o", out, "-"}, "no exchange"},
		"cut short":        {withCredentials + withCredentials[:90], []string{"-o", out, "-"}, "-: "},
		"no such spec":     {"", []string{"--spec", "nowhere.yaml", "-o", out, source}, "nowhere.yaml"},
		"nothing to print": {har(""), []string{"-"}, "no exchange"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := fleetio(test.stdin, append([]string{"redact"}, test.args...)...)
			assert.Equal(t, 2, code)
			assert.Contains(t, stderr, test.stderr)
			assert.NotContains(t, stderr, "sesame")
			assert.Empty(t, stdout)
			assert.Empty(t, names(t, folder))
		})
	}
	t.Cleanup(func() {
		if read(t, source) != withCredentials {
			t.Error("the source has changed")
		}
	})
}
