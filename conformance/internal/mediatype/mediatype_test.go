package mediatype

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSelect(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		documented []string
		actual     string
		want       string
	}{
		{"equal", []string{"application/json"}, "Application/JSON", "application/json"},
		{"equal parameters", []string{"application/json;v=1", "application/json; v=2"}, "application/json;v=2", "application/json; v=2"},
		{"before none", []string{"application/json", "application/json;v=1"}, "application/json;v=1", "application/json; v=1"},
		{"no equal ones", []string{"application/json", "application/json;v=1"}, "application/json;v=3", "application/json"},
		{"most parameters", []string{"a/b;x=1", "a/b;x=1;y=2"}, "a/b;y=2;x=1", "a/b; x=1; y=2"},
		{"others beside them", []string{"a/b;x=1"}, "a/b;x=1;z=3", "a/b; x=1"},
		{"another value", []string{"a/b;x=1"}, "a/b;x=2", ""},
		{"another value, in a range", []string{"a/b;x=1", "a/*"}, "a/b;x=2", "a/*"},
		{"left out", []string{"a/b;x=1"}, "a/b", "a/b; x=1"},
		{"left out, and several", []string{"a/b;x=1", "a/b;x=2"}, "a/b", ""},
		{"quotes", []string{`a/b;x="1"`}, "a/b;x=1", "a/b; x=1"},
		{"letter case of a name", []string{"a/b;Profile=X"}, "a/b;profile=X", "a/b; profile=X"},
		{"charset", []string{"text/plain;charset=UTF-8"}, "text/plain; charset=utf8", "text/plain; charset=UTF-8"},
		{"another charset", []string{"text/plain;charset=UTF-8"}, "text/plain; charset=latin1", ""},
		{"the charset of JSON", []string{"application/json;charset=UTF-8"}, "application/json; charset=latin1", "application/json"},
		{"a boundary", []string{"multipart/form-data; boundary=x"}, "multipart/form-data; boundary=y", "multipart/form-data"},
		{"a range", []string{"*/*", "text/*"}, "text/csv", "text/*"},
		{"a suffix", []string{"application/*", "application/*+json"}, "application/problem+json", "application/*+json"},
		{"not of the suffix", []string{"application/*+json"}, "application/json", ""},
		{"another type", []string{"application/json", "text/*"}, "image/png", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var patterns []Pattern
			for _, text := range test.documented {
				patterns = append(patterns, NewPattern(text))
			}
			slices.SortStableFunc(patterns, Pattern.Compare)
			name, parameters, err := Parse(test.actual)
			require.NoError(t, err)
			got := ""
			if i := Select(patterns, name, parameters); i >= 0 {
				got = patterns[i].String()
			}
			assert.Equal(t, test.want, got)
		})
	}
}
