package traffic

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pipe hands out a few bytes at a time.
type pipe struct{ r io.Reader }

func (p pipe) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), 64)]) }

// TestBlanksOnAPipe reads a recording with as many blanks as one may have where they cost most. It took minutes.
func TestBlanksOnAPipe(t *testing.T) {
	t.Parallel()
	blanks := strings.Repeat(" ", 8<<20)
	const entry = `{"request":{"method":"GET","url":"https://h/"},"response":{"status":200}}`
	for name, text := range map[string]string{
		"before the archive": blanks + `{"log":{"entries":[` + entry + `]}}`, "before a name": "{" + blanks + `"log":{"entries":[` + entry + `]}}`,
		"before the entries": `{"log":{"entries":[` + blanks + entry + `]}}`, "between entries": `{"log":{"entries":[` + entry + "," + blanks + entry + `]}}`,
		"behind the archive": `{"log":{"entries":[` + entry + `]}}` + blanks,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read := 0
			for _, err := range readHAR(pipe{strings.NewReader(text)}, "a") {
				require.NoError(t, err)
				read++
			}
			assert.Positive(t, read)
		})
	}
}

// TestFormatBehindBlanks finds the format and the line behind more blanks than are looked at.
func TestFormatBehindBlanks(t *testing.T) {
	t.Parallel()
	const lines = 3 * headSize
	for name, text := range map[string]string{"NDJSON": lineOf(""), "HAR": archive(entry("GET", "", `"status":204`))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := collect(Read(t.Context(), pipe{strings.NewReader(strings.Repeat("\n", lines) + text)}, "-"))
			require.NoError(t, err)
			require.Len(t, found, 1)
			if name == "NDJSON" {
				assert.Equal(t, fmt.Sprintf("-#L%d", lines+1), found[0].Source)
			}
		})
	}
	_, err := collect(Read(t.Context(), pipe{strings.NewReader(strings.Repeat("\n", lines) + `{"method":7}`)}, "-"))
	require.EqualError(t, err, fmt.Sprintf("-: entry 0 (byte %d): line %d: method: expected a string, got a number", lines+len(`{"method":`), lines+1))
}
