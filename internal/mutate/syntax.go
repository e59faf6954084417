package mutate

import (
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// whole are faults of any JSON text, as what comes of a right one.
var whole = map[string]func(string) string{
	"two-values":            func(s string) string { return s + s },
	"two-values-and-a-line": func(s string) string { return s + "\n" + s },
	"word-after":            func(s string) string { return s + " x" },
	"bracket-after":         func(s string) string { return s + "]" },
	"brace-after":           func(s string) string { return s + "}" },
	"comma-after":           func(s string) string { return s + "," },
	"zero-byte-after":       func(s string) string { return s + "\x00" },
	"comma-before":          func(s string) string { return "," + s },
	"comment-before":        func(s string) string { return "/* a comment */" + s },
	"comment-after":         func(s string) string { return s + " // a comment" },
	"hash-after":            func(s string) string { return s + " # a comment" },
	"prefix":                func(s string) string { return ")]}',\n" + s },
	"callback":              func(s string) string { return "f(" + s + ")" },
	"form-feed":             func(s string) string { return "\f" + s },
	"no-break-space":        func(s string) string { return "\u00a0" + s },
	"vertical-tab":          func(s string) string { return s + "\v" },
	"byte-order-mark":       func(s string) string { return "\uFEFF" + s },
	"truncated":             func(s string) string { return "[" + s },
	"only-space":            func(string) string { return " \n" },
	"words":                 func(string) string { return "not JSON" },
	"html":                  func(string) string { return "<html></html>" },
	"undefined":             func(string) string { return "undefined" },
	"capital":               func(string) string { return "True" },
	"not-a-number":          func(string) string { return "NaN" },
	"too-deep":              func(string) string { return strings.Repeat("[", 10_002) + strings.Repeat("]", 10_002) },
	"utf-16": func(s string) string {
		return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "", "\x00")
	},
}

// object are faults of objects, as what comes of the members between the braces.
var object = map[string]func(string) string{
	"trailing-comma":    func(s string) string { return "{" + s + ",}" },
	"leading-comma":     func(s string) string { return "{," + s + "}" },
	"two-commas":        func(s string) string { return "{" + s + `,,"a":1}` },
	"no-comma":          func(s string) string { return "{" + s + ` "a":1}` },
	"no-colon":          func(s string) string { return "{" + s + `,"a" 1}` },
	"equals-sign":       func(s string) string { return "{" + s + `,"a"=1}` },
	"no-value":          func(s string) string { return "{" + s + `,"a":}` },
	"no-name":           func(s string) string { return "{" + s + `,:1}` },
	"bare-name":         func(s string) string { return "{" + s + `,a:1}` },
	"number-as-name":    func(s string) string { return "{" + s + `,1:1}` },
	"null-as-name":      func(s string) string { return "{" + s + `,null:1}` },
	"single-quotes":     func(s string) string { return "{" + s + `,'a':1}` },
	"single-quote-text": func(s string) string { return "{" + s + `,"a":'b'}` },
	"comment":           func(s string) string { return "{" + s + `/**/}` },
	"no-end":            func(s string) string { return "{" + s },
	"wrong-end":         func(s string) string { return "{" + s + "]" },
}

// tokenFaults are values that JSON does not have.
var tokenFaults = map[string]string{
	"nan": "NaN", "infinity": "Infinity", "minus-infinity": "-Infinity", "leading-zero": "012", "minus-leading-zero": "-01", "plus": "+1",
	"no-integer-part": ".5", "no-fraction": "1.", "no-exponent": "1e", "hexadecimal": "0x1F", "octal": "0o17", "underscore": "1_000", "minus": "-",
	"two-points": "1.2.3", "true-in-capitals": "TRUE", "none": "None", "undefined": "undefined", "unclosed-text": `"a`,
	"bad-escape": `"\x41"`, "bad-quote-escape": `"\'"`, "short-escape": `"\u12"`, "bad-hex-escape": `"\u12G4"`, "braced-escape": `"\u{1F600}"`,
	"line-in-text": "\"a\nb\"", "tab-in-text": "\"a\tb\"", "zero-byte-in-text": "\"a\x00b\"", "unit-separator-in-text": "\"a\x1fb\"",
	"escaped-line": "\"a\\\nb\"", "list-with-a-comma-after": "[1,]", "list-with-two-commas": "[1,,2]", "list-without-commas": "[1 2]", "list-without-end": "[1", "parentheses": "(1)",
}

// notUTF8 are bytes that no text in UTF-8 has.
var notUTF8 = map[string]string{"lone-byte": "\xff", "continuation-byte": "\x80", "cut-character": "\xe2\x82", "overlong-slash": "\xc0\xaf",
	"surrogate": "\xed\xa0\x80", "beyond-unicode": "\xf4\x90\x80\x80", "latin-1": "caf\xe9"}

// halves are escapes of half a character.
var halves = map[string]string{"high": `\ud83d`, "low": `\ude00`, "two-high": `\ud83d\ud83d`, "swapped": `\ude00\ud83d`, "high-and-letter": `\uD83Dx`,
	"high-and-escape": `\uD83D\n`, "pair-and-low": `\ud83d\ude00\ude00`}

// syntax derives a mutant for each way in which a body is not one JSON value in UTF-8.
func (d *derivation) syntax(base *draft, s side, m message, add func(name, rule, at, claim string, part conformance.Part, change func(*traffic.Message))) {
	right := encode(m.value)
	write := func(name, rule, at, body string) {
		add("json/"+name, rule, at, m.media.at, s.body, func(w *traffic.Message) { w.Body = []byte(body) })
	}
	for name, change := range whole {
		write(name, "json", "", change(right))
	}
	members, isObject := m.value.(map[string]any)
	inside := func(bytes string) string { return "[" + bytes + "]" }
	if isObject && len(members) > 0 {
		marked := encode(replaced(m.value, sortedKeys(members)[:1], marker))
		inside = func(bytes string) string { return strings.Replace(marked, `"`+marker+`"`, bytes, 1) }
	}
	for name, token := range tokenFaults {
		write("value-"+name, "json", "", inside(token))
	}
	for name, bytes := range notUTF8 {
		write("not-utf-8/"+name, "unicode", "", inside(`"`+bytes+`"`))
	}
	if isObject && len(members) > 0 {
		for name, change := range object {
			write(name, "json", "", change(right[1:len(right)-1]))
		}
	}
	d.disputed(base, s, m, write)
}

// marker is a text that is replaced after the encoding.
const marker = "MARKER"

// disputed derives what RFC 8259, sections 4 and 8.2, only advises against, as readers differ about it: a name twice and
// half a character. To send it is a deviation, to accept it is none.
func (d *derivation) disputed(base *draft, s side, m message, write func(name, rule, at, body string)) {
	if s.body == conformance.RequestBody {
		return
	}
	quiet := unsaid(base)
	base = quiet[len(quiet)-1]
	for _, at := range places(m.value, nil) {
		v, _ := lookup(m.value, at)
		holder, _ := lookup(m.value, at[:len(at)-1])
		if _, inObject := holder.(map[string]any); inObject {
			twice := `"` + marker + `":` + encode(v) + `,` // before the others, so that the last is the right one
			written := encode(replaced(m.value, at[:len(at)-1], marker+marker))
			written = strings.Replace(written, `"`+marker+marker+`"`, strings.Replace(encode(holder), "{", "{"+twice, 1), 1)
			write("duplicate-key"+pointer(at...), "duplicate-key", pointer(at...), strings.Replace(written, `"`+marker+`"`, encode(at[len(at)-1]), 1))
		}
		if _, isText := v.(string); !isText {
			continue
		}
		for name, half := range halves {
			changed := base.clone()
			if changed.response.value = replaced(m.value, at, decode(`"`+half+`"`)); len(changed.read()) > 0 {
				continue
			}
			body := strings.Replace(encode(replaced(m.value, at, marker)), marker, half, 1)
			d.half(base, s, m, name+pointer(at...), body)
		}
	}
}

// half adds a mutant in which the request is not recorded, as an echo cannot be right.
func (d *derivation) half(base *draft, s side, m message, name, body string) {
	ex := base.exchange(nil)
	ex.Response.Body = []byte(body)
	d.add(d.prefix+s.name+"/json/half-a-character/"+name, claimID(s.body, m.media.at), ex, Want{"unicode", s.body, ""})
}

// places lists the members and items of a value; of lists, the first.
func places(v any, path []string) [][]string {
	var all [][]string
	switch v := v.(type) {
	case map[string]any:
		for _, name := range sortedKeys(v) {
			at := append(append([]string{}, path...), name)
			all = append(append(all, at), places(v[name], at)...)
		}
	case []any:
		if len(v) > 0 {
			at := append(append([]string{}, path...), "0")
			all = append(append(all, at), places(v[0], at)...)
		}
	}
	return all
}
