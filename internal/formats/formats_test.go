package formats

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFormats(t *testing.T) {
	t.Parallel()
	for format, texts := range map[string]struct{ good, bad []string }{
		"date-time": {
			good: []string{"2023-03-14T13:46:27-06:00", "2024-02-29T00:00:00Z", "2023-03-14T13:46:27.123456789012Z",
				"2016-12-31T23:59:60Z", "2017-01-01T05:29:60+05:30", "0001-01-01T00:00:00+23:59", "2023-03-14t13:46:27z"},
			bad: []string{"", "2023-03-14", "2023-03-14T13:46:27", "2023-03-14 13:46:27Z", "2023-02-29T00:00:00Z",
				"2023-03-14T24:00:00Z", "2023-03-14T13:60:00Z", "2023-03-14T13:46:60Z", "2023-03-14T13:46:27,5Z",
				"2023-03-14T13:46:27.Z", "2023-03-14T13:46:27+0600", "2023-03-14T13:46:27+24:00",
				" 2023-03-14T13:46:27Z", "2023-03-14T13:46:27Z\n", "２023-03-14T13:46:27Z", "1900-02-29T00:00:00Z", "2023-04-31T00:00:00Z", "2023-00-01T00:00:00Z",
				"2016-12-31T23:58:60Z", "2017-01-01T05:28:60+05:30", "2023-03-14T00:00:00Z ", "2023-3-14T00:00:00Z"},
		},
		"date":          {[]string{"2024-02-29"}, []string{"2023-02-29", "2023-1-1", "2023-03-14T00:00:00Z", ""}},
		"uri":           {[]string{"https://a.example/b?c#d", "urn:x:y"}, []string{"/b", "", "a b:", "https://a.example/%zz"}},
		"uri-reference": {[]string{"", "/b", "#c", "?d", "//a.example", "string", "https://a.example/%20", "http://[v1.x]/", "http://[::1]:80/", "http://%41/", "a/b:c", "./a:b", "mailto:a@b", "http://u:p@h:8/p;a=1?q=/?#f/?"}, []string{"a b", "\\", "ü", "#a#b", "%", "<a>", "http://[::1", "/a[1]/b", "http://[:]", "http://[1.2.3.4]/", "http://[::1%25eth0]/", "?b[0]=1", "x[", "http://a@b@c/", "1:a", ":a"}},
		"email": {[]string{"a@b", "a.b+c@d.example", "~te~st~@example.com", `"a b..c@d\""@example.com`, "a@[127.0.0.1]", "a@[IPv6:::1]"},
			[]string{"a", "@b", "a@", "a b@c", "a@b@c", "a..b@c", ".a@b", "a.@b", "a@b..c", "a@-b", "a@b=c", "a@[127.0.0.300]", "a@[::1]", "a@[", `"a"b"@c`, "a@b, c@d"}},
		"hostname": {[]string{"www.example.com", "xn--nw2a.xn--j6w193g", "localhost", "1a", strings.Repeat("a", 63)},
			[]string{"", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "ü", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a"}},
		"ipv4": {[]string{"192.168.0.1"}, []string{"", "127.0.0.0.1", "256.1.1.1", "127.0", "0x7f000001", "087.10.0.1", "1.2.3.4/24", "::1", "::ffff:1.2.3.4"}},
		"ipv6": {[]string{"::1", "::", "2001:db8::7", "::ffff:1.2.3.4", "1:2:3:4:5:6:7::"},
			[]string{"", ":", "12345::", "1:1:1:1:1:1:1:1:1", "::laptop", "fe80::1%eth0", "1::2::3", "[::1]", "1.2.3.4", "::1/64"}},
		"time": {[]string{"08:30:06Z", "08:30:06.283185+05:30", "23:59:60Z", "01:29:60+01:30", "08:30:06z"},
			[]string{"", "08:30:06", "8:30:06Z", "24:00:00Z", "22:59:60Z", "08:30:06 PST", "2020-01-01T08:30:06Z", "08:30Z"}},
		"duration": {[]string{"P4DT12H30M5S", "P1Y2M", "PT36H", "P2W", "PT0S", "P1YT1S"},
			[]string{"", "P", "PT", "P1YT", "P1Y2W", "P2D1Y", "P1", "4D", "PT1D", "P-1D", "p1d", "PT0.5S", "P１Y"}},
		"uuid": {[]string{"123e4567-e89b-12d3-a456-426614174000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"}, []string{"", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g"}},
		"byte": {[]string{"", "YQ==", "YWI=", "YWJj"}, []string{"YQ", "YQ=", "Y Q==", "YQ==YQ==", "_-=="}},
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			for _, text := range texts.good {
				assert.True(t, Matchers[format]([]byte(text)), "%q", text)
			}
			for _, text := range texts.bad {
				assert.False(t, Matchers[format]([]byte(text)), "%q", text)
			}
		})
	}
}

func TestCompareInstants(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"2023-03-14T13:46:27-06:00", "2023-03-14T19:46:27Z", 0},
		{"2023-03-14T13:46:27Z", "2023-03-14T13:46:27.000Z", 0},
		{"2023-03-14T13:46:27.0000000001Z", "2023-03-14T13:46:27Z", 1},
		{"2023-03-14T13:46:27.25Z", "2023-03-14T13:46:27.5Z", -1},
		{"2023-03-14T13:46:28Z", "2023-03-14T13:46:27.9Z", 1},
		{"0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", -1}, {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", 0},
		{"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.25Z", 1},
	} {
		t.Run(test.a+" "+test.b, func(t *testing.T) {
			t.Parallel()
			a, ok := ParseInstant([]byte(test.a))
			require.True(t, ok)
			b, ok := ParseInstant([]byte(test.b))
			require.True(t, ok)
			assert.Equal(t, test.want, a.Compare(b))
		})
	}
}
