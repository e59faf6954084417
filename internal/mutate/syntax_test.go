package mutate

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/generate"
)

// syntaxFaults are texts that are not JSON, where @ stands for a right one: a text as a whole, an object of which @ is
// what stands between the braces, and a value inside.
var syntaxFaults = readTable[struct{ Text, Object, Value map[string]string }](syntaxTable)

//go:embed syntax.json
var syntaxTable []byte

func readTable[T any](data []byte) (table T) {
	if err := json.Unmarshal(data, &table); err != nil {
		panic(err) // the file is part of this package
	}
	return table
}

// notUTF8 are bytes that no text in UTF-8 has.
var notUTF8 = map[string]string{"lone-byte": "\xff", "continuation-byte": "\x80", "cut-character": "\xe2\x82",
	"overlong-slash": "\xc0\xaf", "surrogate": "\xed\xa0\x80", "beyond-unicode": "\xf4\x90\x80\x80", "latin-1": "caf\xe9"}

// loneSurrogates are escapes of half a surrogate pair.
var loneSurrogates = map[string]string{"high": `\ud83d`, "low": `\ude00`, "two-high": `\ud83d\ud83d`,
	"swapped": `\ude00\ud83d`, "high-and-letter": `\uD83Dx`, "high-and-escape": `\uD83D\n`, "pair-and-low": `\ud83d\ude00\ude00`}

// marker is a text that is replaced after the encoding.
const marker = "MARKER"

// syntax adds a mutant for each way in which a body is not one JSON value in UTF-8.
func (c *collector) syntax(base *exchangeModel, s side, write func(name, rule, at, body string)) {
	value := base.values[s.body]
	right := generate.Encode(value)
	for name, fault := range syntaxFaults.Text {
		write(name, "json", "", strings.ReplaceAll(fault, "@", right))
	}
	write("too-deep", "json", "", strings.Repeat("[", 10_002)+strings.Repeat("]", 10_002))
	write("utf-16", "json", "", strings.ReplaceAll(strings.ToValidUTF8(right, "?"), "", "\x00"))
	inside := func(text string) string { return "[" + text + "]" }
	if object, isObject := value.(map[string]any); isObject && len(object) > 0 {
		marked := generate.Encode(generate.Replaced(value, generate.SortedKeys(object)[:1], marker))
		inside = func(text string) string { return strings.Replace(marked, `"`+marker+`"`, text, 1) }
		for name, fault := range syntaxFaults.Object {
			write(name, "json", "", strings.ReplaceAll(fault, "@", right[1:len(right)-1]))
		}
	}
	for name, text := range syntaxFaults.Value {
		write("value-"+name, "json", "", inside(text))
	}
	for name, bytes := range notUTF8 {
		write("not-utf-8/"+name, "unicode", "", inside(`"`+bytes+`"`))
	}
	if s.body == conformance.ResponseBody {
		c.disputed(base, s, value, nil, write)
	}
}

// disputed adds what RFC 8259, sections 4 and 8.2, only advises against, as parsers differ about it: a name twice and a
// lone surrogate. To send it is a deviation, to accept it is none. It walks the body, and the first item of lists.
func (c *collector) disputed(
	base *exchangeModel, s side, v any, path []string, write func(name, rule, at, body string),
) {
	whole := base.values[s.body]
	switch v := v.(type) {
	case []any:
		if len(v) > 0 {
			c.disputed(base, s, v[0], append(path, "0"), write)
		}
	case map[string]any:
		for _, name := range generate.SortedKeys(v) {
			at := slices.Concat(path, []string{name})
			object := generate.Encode(v) // with the name before the others, so that the last is the right one
			twice := "{" + generate.Encode(name) + ":" + generate.Encode(v[name]) + "," + object[1:]
			write("duplicate-key"+pointer(at...), "duplicate-key", pointer(at...),
				strings.Replace(generate.Encode(generate.Replaced(whole, path, marker)), `"`+marker+`"`, twice, 1))
			c.disputed(base, s, v[name], at, write)
		}
	case string:
		for name, escape := range loneSurrogates {
			quiet := base.quiet() // without the request, as no echo can be right
			changed := quiet[len(quiet)-1].with(s.body, path, generate.Decode(`"`+escape+`"`))
			if len(changed.violations()) == 0 {
				body := strings.Replace(generate.Encode(generate.Replaced(whole, path, marker)), marker, escape, 1)
				c.raw(changed, s.name+"/json/lone-surrogate/"+name+pointer(path...),
					claim(s.media.at, "unicode", s.body, ""),
					func(ex *traffic.Exchange) { ex.Response.Body = []byte(body) })
			}
		}
	}
}
