package pathmatch

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetcontract/fleetio-go/internal/openapi"
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
			values, ok := New(NewServers(nil, nil), test.template).Match(PlaceOf(u))
			if test.want == "-" {
				assert.False(t, ok)
				return
			}
			assert.True(t, ok)
			assert.Equal(t, test.want, strings.Join(values, " "))
		})
	}
	values, _ := New(NewServers(nil, nil), "/faults/{id}").Match(PlaceOf(&url.URL{Path: "/faults/%zz", RawPath: "/faults/%zz"}))
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
			template := New(NewServers([]openapi.Server{test.server}, nil), "/a")
			for want, paths := range map[bool][]string{true: test.yes, false: test.no} {
				for _, path := range paths {
					_, ok := template.Match(PlaceOf(&url.URL{Path: path}))
					assert.Equal(t, want, ok, path)
				}
			}
		})
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	variable := func(initial string, enum ...string) map[string]openapi.Variable {
		return map[string]openapi.Variable{"v": {Default: initial, Enum: enum}}
	}
	const local = "http://127.0.0.1:8080/a http://[::1]/a http://localhost/a http://x.localhost/a /a "
	for name, test := range map[string]struct {
		documented []openapi.Server
		given      string
		yes        string
		otherPath  string // on a host of the API
		otherHost  string
	}{
		"a host": {[]openapi.Server{{URL: "https://api.example.com"}}, "",
			local + "https://API.example.com:8443/a https://api.example.com./a http://u:p@api.example.com/a", "https://api.example.com/b",
			"https://example.com/a https://127.0.0.1.example.com/a https://xapi.example.com/a"},
		"two": {[]openapi.Server{{URL: "https://x/v1"}, {URL: "https://y:444/v2/"}}, "",
			"https://x/v1/a https://y/v2/a http://localhost/v1/a http://localhost/v2/a", "https://x/v2/a https://y/v1/a", "https://z/v1/a"},
		"none":                {nil, "", local + "https://z/a", "https://z/b", ""},
		"relative":            {[]openapi.Server{{URL: "/v1"}}, "", "https://z/v1/a", "https://z/a", ""},
		"relative beside":     {[]openapi.Server{{URL: "/v1"}, {URL: "https://x"}}, "", "https://z/v1/a https://x/a", "https://z/a", ""},
		"a subdomain":         {[]openapi.Server{{URL: "https://{v}.x.test/b", Variables: variable("a")}}, "", "https://q.x.test/b/a", "https://q.x.test/a", "https://x.test/b/a https://q.xytest/b/a"},
		"an enum":             {[]openapi.Server{{URL: "https://{v}.x.test", Variables: variable("a", "a", "b")}}, "", "https://b.x.test/a", "", "https://c.x.test/a"},
		"any host":            {[]openapi.Server{{URL: "https://{v}/b", Variables: variable("x.test")}}, "", "https://y.test/b/a", "https://y.test/a", ""},
		"any base":            {[]openapi.Server{{URL: "{v}/c", Variables: variable("https://x.test/b")}}, "", "https://y.test/b/c/a", "https://y.test/c/a", ""},
		"a port that varies":  {[]openapi.Server{{URL: "https://x:{v}", Variables: variable("443")}}, "", "https://x:1/a", "", "https://y/a"},
		"IPv6":                {[]openapi.Server{{URL: "https://[2001:db8::1]:8443/"}}, "", "https://[2001:db8::1]/a", "", "https://[2001:db8::2]/a"},
		"given":               {[]openapi.Server{{URL: "https://x/v1"}}, "https://gw:8443/fleet/", "https://gw/fleet/a https://gw/fleet/v1/a https://x/v1/a http://localhost/fleet/a", "https://gw/a https://gw/v1/a https://x/fleet/a", "https://z/v1/a"},
		"a path given":        {[]openapi.Server{{URL: "https://x/v1"}}, "/fleet", "https://x/fleet/a https://x/fleet/v1/a https://x/v1/a", "https://x/a", "https://z/fleet/a"},
		"given for relative":  {[]openapi.Server{{URL: "/v1"}}, "https://gw", local + "https://gw/v1/a https://gw/a http://localhost/v1/a", "https://gw/v2/a", "https://z/v1/a"},
		"given, and no other": {nil, "https://gw", local + "https://gw/a", "https://gw/b", "https://z/a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var given []*url.URL
			if test.given != "" {
				u, err := url.Parse(test.given)
				require.NoError(t, err)
				given = append(given, u)
			}
			servers := NewServers(test.documented, given)
			var hosts Hosts
			hosts.Add(servers)
			for i, list := range []string{test.yes, test.otherPath, test.otherHost} {
				for text := range strings.FieldsSeq(list) {
					u, err := url.Parse(text)
					require.NoError(t, err)
					_, matches := New(servers, "/a").Match(PlaceOf(u))
					_, varies := New(servers, "/{x}").Match(PlaceOf(&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}))
					assert.Equal(t, i == 0, matches, text)
					assert.True(t, !matches || varies, text)
					assert.Equal(t, i < 2, hosts.Has(PlaceOf(u)), text)
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
