package traffic

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPool reads the same with a pool whose exchanges come back at once, which those that follow overwrite.
func TestPool(t *testing.T) {
	t.Parallel()
	read := func(t *testing.T, exchanges iter.Seq2[*Exchange, error], put func(*Exchange)) (list []string) {
		t.Helper()
		for e, err := range exchanges {
			require.NoError(t, err)
			list = append(list, fmt.Sprintf("%s %d %s %d\n%+v\n%+v", e.Source, e.Size, show(e), e.Status, e.Request, e.Response))
			put(e)
		}
		return list
	}
	check := func(t *testing.T, source func(*Pool) iter.Seq2[*Exchange, error]) {
		t.Helper()
		want := read(t, source(new(Pool)), func(*Exchange) {})
		var pool Pool
		for range 2 {
			assert.Equal(t, want, read(t, source(&pool), pool.Put))
		}
	}
	t.Run("recordings", func(t *testing.T) {
		t.Parallel()
		check(t, func(p *Pool) iter.Seq2[*Exchange, error] {
			return p.Read(context.Background(), nil, "testdata", "../testdata/recordings")
		})
	})
	har := func(headers string) string {
		return `{"request":{"method":"GET","url":"http://example.com","headers":[` + headers + `]}}`
	}
	field := func(name, value string) string { return `{"name":"` + name + `","value":"` + value + `"}` }
	for _, test := range []struct {
		name    string
		headers [][]string // names and values
	}{
		{"equal", [][]string{{"A", "1", "B", "2"}, {"A", "1", "B", "2"}, {"A", "1", "B", "2"}}},
		{"other values", [][]string{{"A", "1", "B", "2"}, {"A", "3", "B", "2"}, {"A", "1", "B", `\"4\"`}, {"A", "ü", "B", ""}}},
		{"other names", [][]string{{"A", "1", "B", "2"}, {"A", "1", "C", "2"}, {"C", "1"}, {"A", "1", "B", "2", "C", "3"}}},
		{"other order", [][]string{{"A", "1", "B", "2"}, {"B", "1", "A", "2"}, {"A", "1", "B", "2"}}},
		{"one name twice", [][]string{{"A", "1", "B", "2"}, {"A", "1", "A", "2"}, {"A", "1", "B", "2"}, {"B", "1", "B", "2"}}},
		{"in another letter case", [][]string{{"A", "1", "B", "2"}, {"A", "1", "a", "2"}, {"a", "1", "b", "2"}, {"b", "1", "B", "2"}}},
		{"pseudo headers", [][]string{{":a", "1", "B", "2"}, {":a", "1", ":b", "2"}, {"B", "1", ":a", "2"}, {"", "1", ":a", "2"}}},
		{"empty", [][]string{{"A", "1"}, {}, {"A", "1"}, {}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var entries []string
			for _, header := range test.headers {
				var fields []string
				for i := 0; i < len(header); i += 2 {
					fields = append(fields, field(header[i], header[i+1]))
				}
				entries = append(entries, har(strings.Join(fields, ",")))
			}
			file := `{"log":{"entries":[` + strings.Join(entries, ",") + `]}}`
			check(t, func(p *Pool) iter.Seq2[*Exchange, error] {
				return p.Read(context.Background(), strings.NewReader(file), "-")
			})
			var lines bytes.Buffer
			for e, err := range Read(context.Background(), strings.NewReader(file), "-") {
				require.NoError(t, err)
				require.NoError(t, WriteNDJSON(&lines, e))
			}
			check(t, func(p *Pool) iter.Seq2[*Exchange, error] {
				return p.Read(context.Background(), io.Reader(bytes.NewReader(lines.Bytes())), "-")
			})
		})
	}
}
