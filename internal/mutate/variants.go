package mutate

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// site is a place in a value with a schema that describes it alone: not one of several.
type site struct {
	node *node
	path []string
}

// sites walks a value and its schema together.
func (s *spec) sites(n *node, v any, path []string, visited map[*node]bool) []site {
	if n == nil || visited[n] {
		return nil
	}
	if visited == nil {
		visited = map[*node]bool{}
	}
	visited[n] = true
	all := []site{{n, slices.Clone(path)}}
	switch v := v.(type) {
	case []any:
		if n.Items != nil && len(v) > 0 { // the first speaks for the others
			all = append(all, s.sites(s.node(n.Items, n.at+"/items"), v[0], append(path, "0"), nil)...)
		}
	case map[string]any:
		extra := false
		for _, name := range sortedKeys(v) {
			of := s.property(n, name)
			if of == nil && !extra {
				of, extra = s.rest(n), true
			}
			all = append(all, s.sites(of, v[name], append(path, name), nil)...)
		}
		if n.Discriminator != nil && len(n.AnyOf)+len(n.OneOf) > 0 {
			name, _ := v[n.Discriminator.PropertyName].(string)
			all = append(all, s.sites(s.chosen(n, name), v, path, visited)...)
		}
	}
	for _, part := range s.list(n.AllOf, n.at+"/allOf") {
		all = append(all, s.sites(part, v, path, visited)...)
	}
	return all
}

// variant is another value for a site, which may break a keyword of its schema. Whether it does, and nothing else, is
// for the reading to say.
type variant struct {
	rule   string
	claim  string // pointer in the spec
	name   string
	member string // pointer of the member that the claim is about
	value  any
}

// variants proposes values that break the keywords of a site's schema, one for each way to break one that people get
// wrong. The schema is nested so deep in others that combine it.
func (d *drawing) variants(n *node, v any, nested int) []variant {
	var all []variant
	add := func(rule, name string, value any) {
		all = append(all, variant{rule: rule, claim: n.at + "/" + rule, name: name, value: value})
	}
	if types := n.types(); len(types) > 0 {
		for name, other := range others {
			if !slices.ContainsFunc(types, func(t string) bool { return is(other, t) }) {
				add("type", name, other)
			}
		}
		if !n.Nullable {
			claim := map[bool]string{true: "/nullable", false: "/type"}[n.written("nullable")]
			all = append(all, variant{rule: "nullable", claim: n.at + claim, name: "null"})
		}
	}
	if len(n.Enum) > 0 {
		for name, value := range d.outside(plainValue(n.Enum[0])) {
			add("enum", name, value)
		}
	}
	all = append(all, d.numbers(n)...)
	switch v := v.(type) {
	case string:
		all = append(all, d.texts(n, v)...)
	case []any:
		all = append(all, d.lists(n, v)...)
	case map[string]any:
		all = append(all, d.objects(n, v, nested)...)
	}
	all = append(all, d.combinations(n, v, nested)...)
	slices.SortStableFunc(all, func(a, b variant) int {
		return strings.Compare(a.rule+a.member+"/"+a.name, b.rule+b.member+"/"+b.name)
	})
	return all
}

// others are values of each type.
var others = map[string]any{"text": "text", "empty-text": "", "number-as-text": "4711", "true-as-text": "true", "integer": json.Number("4711"),
	"fraction": json.Number("1.5"), "true": true, "false": false, "list": []any{}, "list-of-text": []any{"text"}, "list-of-numbers": []any{json.Number("1")},
	"object": map[string]any{}, "object-with-a-member": map[string]any{"a": json.Number("1")}}

// outside proposes values near one of an enum.
func (d *drawing) outside(value any) map[string]any {
	switch v := value.(type) {
	case string:
		return map[string]any{"upper-case": strings.ToUpper(v), "swapped-case": swapCase(v), "longer": v + "x", "space-after": v + " ", "space-before": " " + v,
			"shorter": shorten(v, utf8.RuneCountInString(v)-1), "empty": "", "other": "neither-of-them"}
	case json.Number:
		return map[string]any{"one-more": decimal(new(big.Rat).Add(rat(v), big.NewRat(1, 1))), "large": json.Number("987654"), "negative": json.Number("-987654")}
	case bool:
		return map[string]any{"opposite": !v}
	}
	return map[string]any{"empty-list": []any{}, "empty-object": map[string]any{}, "text": "other"}
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

// numbers proposes what is just beyond each bound, and far beyond.
func (d *drawing) numbers(n *node) []variant {
	var all []variant
	add := func(rule, name string, r *big.Rat) {
		all = append(all, variant{rule: rule, claim: n.at + "/" + rule, name: name, value: decimal(r)})
	}
	for _, bound := range []struct {
		at                *big.Rat
		exclusive         *bool
		rule, exclusively string
		sign              int64
	}{{n.least, n.ExclusiveMin.Bool, "minimum", "exclusiveMinimum", -1}, {n.most, n.ExclusiveMax.Bool, "maximum", "exclusiveMaximum", 1}} {
		at := bound.at
		if at == nil {
			continue
		}
		rule := bound.rule
		if bound.exclusive != nil && *bound.exclusive {
			rule = bound.exclusively
			add(rule, "the-bound", at)
		}
		for name, by := range map[string]*big.Rat{"one-beyond": big.NewRat(1, 1), "just-beyond": big.NewRat(1, 8), "far-beyond": big.NewRat(1_000_000, 1),
			"a-multiple-beyond": n.step} {
			if by != nil {
				add(rule, name, new(big.Rat).Add(at, new(big.Rat).Mul(by, big.NewRat(bound.sign, 1))))
			}
		}
		add(rule, "zero", new(big.Rat))
		add(rule, "negative", big.NewRat(-1, 1))
	}
	if step := n.step; step != nil {
		for name, part := range map[string]*big.Rat{"half": big.NewRat(1, 2), "third": big.NewRat(7, 3), "eighth": big.NewRat(81, 8)} {
			add("multipleOf", name, new(big.Rat).Mul(step, part))
		}
		for name, plus := range map[string]int64{"one-more": 1, "one-less": -1} {
			for times := range int64(4) {
				add("multipleOf", name, new(big.Rat).Add(new(big.Rat).Mul(step, big.NewRat(times*10, 1)), big.NewRat(plus, 1)))
			}
		}
	}
	if w := widths[n.Format]; w != nil {
		one := big.NewInt(1)
		add("format", "one-above", new(big.Rat).SetInt(new(big.Int).Add(w[1], one)))
		add("format", "one-below", new(big.Rat).SetInt(new(big.Int).Sub(w[0], one)))
		add("format", "far-above", new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil)))
		add("format", "far-below", new(big.Rat).SetInt(new(big.Int).Neg(new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil))))
	}
	return all
}

// texts proposes texts of a wrong length, in characters of one to four bytes, and malformed ones.
func (d *drawing) texts(n *node, v string) []variant {
	var all []variant
	add := func(rule, name, value string) {
		all = append(all, variant{rule: rule, claim: n.at + "/" + rule, name: name, value: value})
	}
	for _, c := range []struct {
		name string
		r    rune
	}{{"ascii", 'x'}, {"accents", 'é'}, {"emoji", '🚗'}, {"digits", '1'}} {
		if n.MaxLength != nil {
			most := int(*n.MaxLength) //nolint:gosec // lengths of a spec are small
			add("maxLength", "one-more-in-"+c.name, lengthen(shorten(v, most), most+1, c.r))
			add("maxLength", "one-more-all-"+c.name, lengthen("", most+1, c.r))
		}
		if n.MinLength > 0 {
			least := int(n.MinLength) //nolint:gosec // as above
			add("minLength", "one-less-in-"+c.name, lengthen("", least-1, c.r))
		}
	}
	if n.MinLength > 0 {
		add("minLength", "empty", "")
		add("minLength", "cut", shorten(v, int(n.MinLength)-1)) //nolint:gosec // as above
	}
	for i := range 40 {
		if n.Pattern == "" {
			break
		}
		candidate := matching(d.rng, n.Pattern, 1+i)
		if n.MaxLength != nil && uint64(utf8.RuneCountInString(candidate)) > *n.MaxLength { //nolint:gosec // not negative
			add("maxLength", "matching", candidate)
		}
		add("minLength", "matching", candidate)
	}
	if n.Pattern != "" {
		for name, value := range map[string]string{"empty": "", "line-after": v + "\n", "line-before": "\n" + v, "other-case": swapCase(v),
			"longer": v + "!", "exclamation": lengthen("", utf8.RuneCountInString(v), '!'), "digits": lengthen("", utf8.RuneCountInString(v), '7'), "letters": lengthen("", utf8.RuneCountInString(v), 'q'), "shorter": shorten(v, utf8.RuneCountInString(v)-1)} {
			add("pattern", name, value)
		}
	}
	for _, bad := range formats[n.Format].bad {
		add("format", label(bad), bad)
	}
	return all
}

// label makes a part of a name out of any text.
func label(text string) string {
	if text == "" {
		return "empty"
	}
	return strings.Trim(strings.ReplaceAll(encode(text), "/", "|"), `"`)
}
