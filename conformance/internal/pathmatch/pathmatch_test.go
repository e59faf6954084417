package pathmatch

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetcontract/fleetio-go/conformance/internal/openapi"
	"github.com/stretchr/testify/require"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		template, url string
		want          string // the values, or "-"
	}{
		{"/faults", "/faults", ""},
		{"/faults", "/faults/", ""},
		{"/faults", "/%66aults", ""},
		{"/faults", "/faults//", "-"},
		{"/faults/{id}", "/faults/7", "7"},
		{"/faults/{id}", "/faults/7/", "7"},
		{"/faults/{id}", "/faults/", "-"},
		{"/faults/{id}", "/faults/a%2Fb", "a%2Fb"},
		{"/faults/{id}", "/faults/a%2fb", "a%2Fb"},
		{"/faults/{id}", "/faults/a/b", "-"},
		{"/faults/{id}", "/faults/a%20b", "a%20b"},
		{"/faults/{id}", "/faults/%C3%A9", "%C3%A9"},
		{"/faults/{id}", "/faults/%7E", "~"},
		{"/faults%2F{id}", "/faults%2F7", "7"},
		{"/a b/{id}", "/a%20b/7", "7"},
		{"/{a}.{b}", "/x.y", "x y"},
		{"/file-{name}.json", "/file-a.json", "a"},
		{"/file-{name}.json", "/file-.json", "-"},
		{"/{a}/{b}", "/;a=1/.2", ";a=1 .2"},
	} {
		t.Run(test.template+" "+test.url, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse("https://host" + test.url)
			require.NoError(t, err)
			values, ok := New(nil, test.template).Match(Path(u))
			if test.want == "-" {
				assert.False(t, ok)
				return
			}
			assert.True(t, ok)
			assert.Equal(t, test.want, strings.Join(values, " "))
		})
	}
	values, _ := New(nil, "/faults/{id}").Match(Path(&url.URL{Path: "/faults/%zz", RawPath: "/faults/%zz"}))
	assert.Equal(t, []string{"%25zz"}, values, "no URL has a malformed escape in its path")
}

func TestServers(t *testing.T) {
	t.Parallel()
	variable := func(initial string, enum ...string) openapi.Variable {
		return openapi.Variable{Default: initial, Enum: enum}
	}
	for name, test := range map[string]struct {
		server  openapi.Server
		yes, no []string
	}{
		"an enum": {openapi.Server{URL: "https://h/{v}", Variables: map[string]openapi.Variable{"v": variable("v1", "v1", "v2")}},
			[]string{"/v1/a", "/v2/a"}, []string{"/v3/a", "/a"}},
		"no enum": {openapi.Server{URL: "https://{host}:{port}/{v}", Variables: map[string]openapi.Variable{"host": variable("h"), "port": variable("80"), "v": variable("v1")}},
			[]string{"/v1/a", "/anything/a"}, []string{"/a", "/x/y/a"}},
		"a path": {openapi.Server{URL: "{base}/x", Variables: map[string]openapi.Variable{"base": variable("https://h/v1")}},
			[]string{"/v1/x/a"}, []string{"/x/a", "/v2/x/a"}},
		"relative": {openapi.Server{URL: "v2/"}, []string{"/v2/a"}, []string{"/a"}},
		"a query":  {openapi.Server{URL: "https://h?x=/y"}, []string{"/a"}, []string{"/y/a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			template := New([]openapi.Server{test.server}, "/a")
			for want, paths := range map[bool][]string{true: test.yes, false: test.no} {
				for _, path := range paths {
					_, ok := template.Match(path)
					assert.Equal(t, want, ok, path)
				}
			}
		})
	}
}

func TestRank(t *testing.T) {
	t.Parallel()
	paths := []string{"/{x}/b", "/a/{y}", "/a/{y}.json", "/a/b", "/a/b/{z}"}
	slices.SortStableFunc(paths, func(a, b string) int { return strings.Compare(Rank(a), Rank(b)) })
	assert.Equal(t, []string{"/a/b", "/a/b/{z}", "/a/{y}.json", "/a/{y}", "/{x}/b"}, paths)
}
