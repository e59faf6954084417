package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExamples runs the tests of other languages in examples/, of those that this machine has.
func TestExamples(t *testing.T) {
	t.Parallel()
	for name, command := range map[string][]string{
		"python": {"python3", "-B", "-m", "unittest"},
		"node":   {"node", "--test"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, err := exec.LookPath(command[0])
			if err != nil {
				t.Skip(err)
			}
			b := serveSandbox(t, "--rate-limit", "2")
			run := exec.CommandContext(t.Context(), program, command[1:]...)
			run.Dir = "../../examples/" + name
			run.Env = append(os.Environ(), envBaseURL+"="+b.url, envAPIKey+"="+b.key, envToken+"="+b.token)
			out, err := run.CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Regexp(t, `Ran 1 test|# pass 1\n|ℹ pass 1\n`, string(out))
		})
	}
}
