package styles

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

var (
	integer = &Shape{Types: Integer}
	list    = &Shape{Types: Array, Items: integer}
	words   = &Shape{Types: Array, Items: &Shape{Types: String}}
	color   = &Shape{Types: Object, Properties: map[string]*Shape{"R": integer, "G": integer, "name": {Types: String}}}
	mixed   = &Shape{Types: Array | String, Items: &Shape{Types: String}}
	deep    = &Shape{Types: Object, Properties: map[string]*Shape{"a": integer, "b": color, "list": list}}
)

// TestStyles has each style, exploded or not, with a scalar, an array and an object, as in the table of Style Values in
// OpenAPI 3.0.3.
func TestStyles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in, style string
		explode   bool
		shape     *Shape
		text      string // a path, a header, a query or cookies
		want      string // "-" for an absent value, "! " before that of a text that is not in the style
	}{
		{"path", "simple", false, integer, "5", "5"},
		{"path", "simple", false, list, "3,4,5", "[3,4,5]"},
		{"path", "simple", false, list, "3", "[3]"},
		{"path", "simple", false, color, "R,100,G,200", `{"R":100,"G":200}`},
		{"path", "simple", false, color, "R,100,G", `"R,100,G"`},
		{"path", "simple", true, integer, "5", "5"},
		{"path", "simple", true, list, "3,4,5", "[3,4,5]"},
		{"path", "simple", true, color, "R=100,G=200", `{"R":100,"G":200}`},
		{"path", "simple", true, color, "R,100", `"R,100"`},
		{"path", "simple", false, words, "a%2Cb,c%2Fd", `["a,b","c/d"]`},
		{"path", "label", false, integer, ".5", "5"},
		{"path", "label", false, list, ".3.4.5", "[3,4,5]"},
		{"path", "label", false, list, ".3,4,5", "[3,4,5]"},
		{"path", "label", false, color, ".R.100.G.200", `{"R":100,"G":200}`},
		{"path", "label", false, color, ".R,100,G,200", `{"R":100,"G":200}`},
		{"path", "label", true, integer, ".5", "5"},
		{"path", "label", true, list, ".3.4.5", "[3,4,5]"},
		{"path", "label", true, color, ".R=100.G=200", `{"R":100,"G":200}`},
		{"path", "label", true, integer, "5", "! 5"},
		{"path", "matrix", false, integer, ";p=5", "5"},
		{"path", "matrix", false, nil, ";p", `""`},
		{"path", "matrix", false, list, ";p=3,4,5", "[3,4,5]"},
		{"path", "matrix", false, color, ";p=R,100,G,200", `{"R":100,"G":200}`},
		{"path", "matrix", true, integer, ";p=5", "5"},
		{"path", "matrix", true, list, ";p=3;p=4;p=5", "[3,4,5]"},
		{"path", "matrix", true, color, ";R=100;G=200", `{"R":100,"G":200}`},
		{"path", "matrix", true, list, ";q=3", `! ";q=3"`},
		{"path", "matrix", false, integer, "5", "! 5"},

		{"query", "form", false, integer, "p=5", "5"},
		{"query", "form", false, list, "p=3,4,5", "[3,4,5]"},
		{"query", "form", false, words, "p=a%2Cb,c+d", `["a,b","c d"]`},
		{"query", "form", false, color, "p=R,100,G,200", `{"R":100,"G":200}`},
		{"query", "form", true, integer, "q=1&p=5", "5"},
		{"query", "form", true, list, "p=3&q=1&p=4", "[3,4]"},
		{"query", "form", true, list, "p=3", "[3]"},
		{"query", "form", true, list, "p=3,4", `["3,4"]`},
		{"query", "form", true, list, "p=", `[""]`},
		{"query", "form", true, list, "q=1", "-"},
		{"query", "form", true, color, "R=100&x=1&G=200", `{"R":100,"G":200}`},
		{"query", "form", true, color, "name=a&name=b", `{"name":["a","b"]}`},
		{"query", "form", true, color, "p=x", `"x"`},
		{"query", "form", true, integer, "p=1&p=2", `["1","2"]`},
		{"query", "form", true, mixed, "p=a", `"a"`},
		{"query", "form", true, mixed, "p=a&p=b", `["a","b"]`},
		{"query", "form", true, nil, "p=a/b?c:@!$'()*;=d", `"a/b?c:@!$'()*;=d"`},
		{"query", "form", true, nil, "p=%zz%4", `"%zz%4"`},
		{"query", "form", true, nil, "p=%ff", `"` + "\uFFFD" + `"`},
		{"query", "form", true, nil, "p", `""`},
		{"query", "spaceDelimited", false, list, "p=3%204+5", "[3,4,5]"},
		{"query", "spaceDelimited", false, integer, "p=5", "5"},
		{"query", "spaceDelimited", false, color, "p=R%20100", `{"R":100}`},
		{"query", "spaceDelimited", true, list, "p=3&p=4", "[3,4]"},
		{"query", "pipeDelimited", false, list, "p=3|4%7C5%7c6", "[3,4,5,6]"},
		{"query", "pipeDelimited", false, color, "p=R|100", `{"R":100}`},
		{"query", "pipeDelimited", true, list, "p=3&p=4", "[3,4]"},
		{"query", "deepObject", true, color, "p[R]=100&p%5BG%5D=200", `{"R":100,"G":200}`},
		{"query", "deepObject", true, color, "p=5", `"5"`},
		{"query", "deepObject", true, color, "p[R=1&q[R]=2", "-"},
		{"query", "deepObject", true, deep, "p[a]=1&p[b][R]=2&p[b][G]=3", `{"a":1,"b":{"R":2,"G":3}}`},
		{"query", "deepObject", true, deep, "p[list][]=1&p[list][]=2", `{"list":[1,2]}`},
		{"query", "deepObject", true, deep, "p[list][0]=1&p[list][1]=2", `{"list":[1,2]}`},
		{"query", "deepObject", true, deep, "p[list]=1", `{"list":[1]}`},
		{"query", "deepObject", true, deep, "p" + strings.Repeat("[a]", maxDepth+1) + "=1", "-"},

		{"header", "simple", false, integer, "5", "5"},
		{"header", "simple", false, integer, "007", "7"},
		{"header", "simple", false, integer, "-00", "-0"},
		{"header", "simple", false, integer, "1.0", `"1.0"`},
		{"header", "simple", false, integer, "-", `"-"`},
		{"header", "simple", false, list, "3, 4 ,5", "[3,4,5]"},
		{"header", "simple", false, color, "R, 100, name, a%2Fb", `{"R":100,"name":"a%2Fb"}`},
		{"header", "simple", true, color, "R=100, G=200", `{"R":100,"G":200}`},
		{"header", "simple", false, nil, "a, \"b\"\t\\\x01", `"a, \"b\"\t\\\u0001"`},
		{"header", "simple", false, &Shape{Types: Number}, "1e3", "1e3"},
		{"header", "simple", false, &Shape{Types: Number}, "NaN", `"NaN"`},
		{"header", "simple", false, &Shape{Types: Boolean}, "true", "true"},
		{"header", "simple", false, &Shape{Types: Boolean}, "True", `"True"`},
		{"header", "simple", false, &Shape{Types: Integer | Null}, "", "null"},
		{"header", "simple", false, &Shape{Types: String | Null}, "", `""`},

		{"cookie", "form", true, integer, "a=1; p=5", "5"},
		{"cookie", "form", false, list, "p=3,4", "[3,4]"},
		{"cookie", "form", true, list, "p=3; p=4", "[3,4]"},
		{"cookie", "form", false, color, "p=R,100", `{"R":100}`},
		{"cookie", "form", true, color, "R=100; G=200", `{"R":100,"G":200}`},
		{"cookie", "form", true, nil, `p="a%20b"`, `"a b"`},
	} {
		t.Run(test.style+" "+test.text, func(t *testing.T) {
			t.Parallel()
			f := &Field{Name: "p", In: test.in, Style: test.style, Explode: test.explode, Shape: test.shape}
			var got []byte
			present, styled := true, true
			switch test.in {
			case "query":
				got, present = f.AppendPairs(nil, AppendQuery(nil, test.text))
			case "cookie":
				got, present = f.AppendPairs(nil, AppendCookies(nil, []string{test.text}))
			default:
				got, styled = f.AppendText(nil, test.text)
			}
			want, isUnstyled := strings.CutPrefix(test.want, "! ")
			assert.Equal(t, isUnstyled, !styled)
			if want == "-" {
				assert.False(t, present)
				return
			}
			assert.Equal(t, want, string(got))
			var doc strictjson.Document
			assert.True(t, doc.Parse(got))
		})
	}
}

func TestOwners(t *testing.T) {
	t.Parallel()
	open := &Shape{Types: Object, Open: true, Additional: integer}
	page := &Field{Name: "page", In: "query", Style: "form", Explode: true, Shape: integer}
	sort := &Field{Name: "sort", In: "query", Style: "deepObject", Explode: true, Shape: color}
	free := &Field{Name: "free", In: "query", Style: "form", Explode: true, Shape: open}
	both := &Field{Name: "both", In: "query", Style: "form", Explode: true, Shape: open}
	for _, f := range []*Field{page, sort, free, both} {
		f.Others = []*Field{page, sort, free, both}
	}
	got, present := free.AppendPairs(nil, AppendQuery(nil, "page=1&sort[R]=2&x=3&x=4&y=5"))
	assert.True(t, present)
	assert.JSONEq(t, `{"x":["3","4"],"y":5}`, string(got))
	assert.True(t, page.Owns("page"))
	assert.False(t, page.Owns("pages"))
	assert.True(t, sort.Owns("sort[x]"))
	assert.False(t, sort.Owns("sorted"))
	assert.True(t, page.IsEmpty(AppendQuery(nil, "page=")))
	assert.False(t, page.IsEmpty(AppendQuery(nil, "page=&page=1")))
}

func TestForms(t *testing.T) {
	t.Parallel()
	field := func(name, style string, explode bool, shape *Shape) *Field {
		return &Field{Name: name, In: "query", Style: style, Explode: explode, Shape: shape}
	}
	form := &Form{Shape: &Shape{Types: Object, Properties: map[string]*Shape{"n": integer, "list": list, "c": color, "json": color, "file": {Types: String, Binary: true}}},
		Fields: []*Field{field("n", "form", true, integer), field("list", "form", true, list), field("c", "deepObject", true, color), field("json", "form", true, color)}}
	form.Fields[3].JSON = true
	for body, want := range map[string]string{
		"n=1&list=2&list=3&c[R]=4&x=y+z": `{"n":1,"list":[2,3],"c":{"R":4},"x":"y z"}`,
		`json=%7B"R":1%7D`:               `{"json":{"R":1}}`,
		"json={":                         `{"json":"{"}`,
		"":                               `{}`,
		"a=1&a=2":                        `{"a":["1","2"]}`,
	} {
		assert.JSONEq(t, want, string(form.AppendQuery(nil, body)), body)
	}
	part := func(head, body string) string {
		return "--b\r\nContent-Disposition: form-data; name=" + head + "\r\n\r\n" + body + "\r\n"
	}
	for name, test := range map[string]struct {
		body, want string
		err        error
	}{
		"scalars":     {part("n", "1") + part("x", "y") + "--b--\r\n", `{"n":1,"x":"y"}`, nil},
		"a list":      {part("list", "1") + part("list", "2") + "--b--", `{"list":[1,2]}`, nil},
		"one item":    {part("list", "1") + "--b--", `{"list":[1]}`, nil},
		"JSON":        {part("c\r\nContent-Type: application/json", `{"R":1}`) + part("json", `{"R":2}`) + "--b--", `{"c":{"R":1},"json":{"R":2}}`, nil},
		"a JSON list": {part("list\r\nContent-Type: application/json", "[1, 2]") + "--b--", `{"list":[1,2]}`, nil},
		"binary":      {part("file; filename=f\r\nContent-Type: image/png", "\x89\xff") + "--b--", `{"file":"` + "\u0089\u00ff" + `"}`, nil},
		"no parts":    {"--b--", `{}`, nil},
		"truncated":   {part("n", "1"), "", ErrTruncated},
		"within":      {part("n", "1")[:48], "", ErrTruncated},
		"malformed":   {"--b\r\nno header\r\n\r\n1\r\n--b--", "", ErrMalformed},
		"empty":       {"", "", ErrTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := form.AppendMultipart(nil, []byte(test.body), "b", func(string, string) {})
			require.ErrorIs(t, err, test.err)
			if err == nil {
				assert.JSONEq(t, test.want, string(got))
			}
		})
	}
}
