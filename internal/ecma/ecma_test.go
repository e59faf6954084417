package ecma_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/internal/ecma"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for pattern, texts := range map[string]struct{ yes, no []string }{
		// The same in both.
		``: {yes: []string{"", "a"}}, `^a|b$`: {yes: []string{"ax", "xb"}, no: []string{"xa"}},
		`^(a|b)+$`: {yes: []string{"ab"}, no: []string{"", "c"}}, `^(?:ab)?$`: {yes: []string{"", "ab"}, no: []string{"a"}},
		`^(?<year>[0-9]{4})$`: {yes: []string{"2026"}, no: []string{"26"}}, `^a{2,}$`: {yes: []string{"aa", "aaa"}, no: []string{"a"}},
		// Classes, which differ beyond ASCII.
		`^\d$`: {yes: []string{"7"}, no: []string{"٣"}}, `^\w$`: {yes: []string{"_"}, no: []string{"é", "ß"}},
		`^\s$`:     {yes: []string{" ", "\u00a0", "\ufeff", "\u2028", "\v", "\u3000"}, no: []string{"\u200b", "\u0085", "a"}},
		`^\S$`:     {yes: []string{"\u200b", "a", "\u0085", "\U0001F600"}, no: []string{" ", "\u00a0", "\ufeff", "\u2028", "\v"}},
		`^.$`:      {yes: []string{"a", "\u0085", "\U0001F600"}, no: []string{"\n", "\r", "\u2028", "\u2029"}},
		`^[\s\S]$`: {yes: []string{"\n", "a"}}, `^[^\s]$`: {yes: []string{"a"}, no: []string{"\u00a0"}}, `^[^\S]$`: {yes: []string{"\u00a0"}, no: []string{"a"}},
		`^[^]$`: {yes: []string{"\n", "a"}, no: []string{""}}, `[]`: {no: []string{"", "a"}}, `^[^]+x$`: {yes: []string{"\n\u2028x"}},
		`^[[:alpha:]]$`: {yes: []string{"a]", ":]"}, no: []string{"z]", "a"}}, `^[\w-.]$`: {yes: []string{"a", "-", "."}, no: []string{"+", ","}},
		`^[.-\d]$`: {yes: []string{".", "-", "7"}, no: []string{"/"}}, `^[a\-z]$`: {yes: []string{"-"}, no: []string{"b"}},
		`^[-a]$`: {yes: []string{"-", "a"}}, `^[a-]$`: {yes: []string{"-", "a"}}, `^[+--]$`: {yes: []string{"+", ",", "-"}, no: []string{"."}},
		`^[\]^\\]$`: {yes: []string{"]", "^", `\`}, no: []string{"a"}}, `^[\b]$`: {yes: []string{"\b"}, no: []string{"b"}},
		// The end is the end, not a line break before it.
		`^a$`: {yes: []string{"a"}, no: []string{"a\n", "b\na"}}, `\ba\b`: {yes: []string{"éa"}, no: []string{"ba"}}, `^\Ba`: {no: []string{"a"}},
		// Escapes.
		`^\u0041\x42\cJ\0$`: {yes: []string{"AB\n\x00"}}, `^\u{1F600}$`: {yes: []string{"\U0001F600"}}, `^\uD83D\uDE00$`: {yes: []string{"\U0001F600"}},
		`^[\uD83D\uDE00-\u{1F64F}]$`: {yes: []string{"\U0001F601"}, no: []string{"a"}}, `^[\u0020-\u007e]+$`: {yes: []string{"abc"}, no: []string{"é"}},
		`^\/a\/\-\_\@\:\ \"$`: {yes: []string{`/a/-_@: "`}}, `^\é$`: {yes: []string{"é"}}, `^{a}]$`: {yes: []string{"{a}]"}}, `^a{,2}$`: {yes: []string{"a{,2}"}},
		// What needs backtracking.
		`^(?=.*\d)(?!.*x).{3}$`: {yes: []string{"ab1"}, no: []string{"abc", "x12"}}, `(?<=\$)\d`: {yes: []string{"$1"}, no: []string{"1"}},
		`^(a|b)\1$`: {yes: []string{"aa"}, no: []string{"ab"}}, `^(?<c>.)\k<c>$`: {yes: []string{"aa"}, no: []string{"ab"}}, `^(?:(a)|b)\1$`: {yes: []string{"b", "aa"}, no: []string{"a"}},
		`^\p{Lu}\p{Script=Greek}$`: {yes: []string{"Aα"}, no: []string{"aα"}}, `^[\p{L}\@'-]+$`: {yes: []string{"é@-"}, no: []string{"1"}}, `^.{1,2000}$`: {yes: []string{"abc"}, no: []string{""}},
		`^(?=a)[\w-.]\-$`: {yes: []string{"a-"}, no: []string{"b-"}}, `^(?=.)[^]$`: {yes: []string{"\n"}[:0], no: []string{"\n"}},
	} {
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			p, err := ecma.Compile(pattern)
			require.NoError(t, err)
			for want, list := range map[bool][]string{true: texts.yes, false: texts.no} {
				for _, text := range list {
					matched, decided := p.Match([]byte(text))
					assert.True(t, decided)
					assert.Equal(t, want, matched, "%q", text)
				}
			}
		})
	}
}

func TestCompileRejects(t *testing.T) {
	t.Parallel()
	for name, pattern := range map[string]string{
		"open group": `(`, "open class": `[a`, "backslash at the end": `a\`, "nothing to repeat": `*a`, "possessive": `a++`, "flags": `(?i)a`,
		"anchors of Perl": `\Aa\z`, "no digits": `\xZ`, "half a pair": `\uD83D`, "no character": `\u{110000}`, "reverse range": `[z-a]`,
		"long": strings.Repeat("a", 1<<15), "unknown property": `\p{Nonsense}`, "octal": `\07`, "open brace": `\u{41`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ecma.Compile(pattern)
			assert.Error(t, err)
		})
	}
}

func TestTranslate(t *testing.T) {
	t.Parallel()
	linear, err := ecma.Translate(`^[\p{Lu}\d]\/(?<n>\P{L})$`)
	require.NoError(t, err)
	assert.Equal(t, `\A[\p{Lu}\d]\x2f(?:[\P{L}])\z`, linear)
	for _, pattern := range []string{`(?=a)`, `(?<=a)b`, `(a)\1`, `\p{Script=Greek}`, `a{1001}`, `(?i)a`} {
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			_, err := ecma.Translate(pattern)
			assert.Error(t, err)
		})
	}
}

// TestMatchIsBounded matches patterns whose matching could take years.
func TestMatchIsBounded(t *testing.T) {
	t.Parallel()
	text := []byte(strings.Repeat("a", 5000) + "!")
	for pattern, decided := range map[string]bool{`^(a+)+$`: true, `^(?=a)(a+)+$`: false, `^(?=a)(a|aa)*$`: false, `^(?=a)(?:a{1,1500}){1,1500}$`: true} {
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			p, err := ecma.Compile(pattern)
			require.NoError(t, err)
			start := time.Now()
			matched, ok := p.Match(text)
			assert.False(t, matched)
			assert.Equal(t, decided, ok)
			assert.Less(t, time.Since(start), 5*time.Second)
		})
	}
}

// FuzzCompile looks for a pattern that panics, or does not end.
func FuzzCompile(f *testing.F) {
	for _, pattern := range []string{`^[\s-\u{1F600}]{2,3}$`, `(?<n>a)\k<n>(?!b)`, `[^]]`, `\p{L}\cA`, "[\xff]"} {
		f.Add(pattern, "a\u00a0")
	}
	f.Fuzz(func(_ *testing.T, pattern, text string) {
		if p, err := ecma.Compile(pattern); err == nil {
			_, _ = p.Match([]byte(text))
		}
	})
}
