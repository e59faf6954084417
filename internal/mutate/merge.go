package mutate

import "math/big"

// merged is what a schema and those combined with it say of one value.
type merged struct {
	visited                  map[*node]bool
	types                    []string
	nullable                 bool
	enums                    [][]any
	formats, patterns        []string
	least, most              []*big.Rat
	step                     *big.Rat
	minLength, minItems      uint64
	maxLength, maxItems      *uint64
	minProps                 uint64
	maxProps                 *uint64
	unique, closed           bool
	items, rest              []*node
	properties               map[string][]*node
	required                 []string
	fixed                    map[string]string // what a discriminator asks for
	exclusiveLow, exclusHigh bool
}

func (d *drawing) merge(m *merged, n *node) {
	if m.visited[n] {
		return
	}
	m.visited[n] = true
	m.nullable = m.nullable || n.Nullable
	if types := n.types(); len(types) > 0 {
		m.types = types
	}
	if len(n.Enum) > 0 {
		m.enums = append(m.enums, n.enum)
	}
	if n.Format != "" {
		m.formats = append(m.formats, n.Format)
	}
	if n.Pattern != "" {
		m.patterns = append(m.patterns, n.Pattern)
	}
	if n.Min != nil {
		m.least = append(m.least, n.least)
		m.exclusiveLow = m.exclusiveLow || n.ExclusiveMin.Bool != nil && *n.ExclusiveMin.Bool
	}
	if n.Max != nil {
		m.most = append(m.most, n.most)
		m.exclusHigh = m.exclusHigh || n.ExclusiveMax.Bool != nil && *n.ExclusiveMax.Bool
	}
	if n.MultipleOf != nil {
		m.step = n.step
	}
	m.minLength, m.maxLength = max(m.minLength, n.MinLength), less(m.maxLength, n.MaxLength)
	m.minItems, m.maxItems = max(m.minItems, n.MinItems), less(m.maxItems, n.MaxItems)
	m.minProps, m.maxProps = max(m.minProps, n.MinProps), less(m.maxProps, n.MaxProps)
	m.unique, m.closed = m.unique || n.UniqueItems, m.closed || n.closed()
	if n.Items != nil {
		m.items = append(m.items, d.spec.node(n.Items, n.at+"/items"))
	}
	if rest := d.spec.rest(n); rest != nil {
		m.rest = append(m.rest, rest)
	}
	for _, name := range sortedKeys(n.Properties) {
		if m.properties == nil {
			m.properties = map[string][]*node{}
		}
		m.properties[name] = append(m.properties[name], d.spec.property(n, name))
	}
	m.required = append(m.required, n.Required...)
	for _, part := range d.spec.list(n.AllOf, n.at+"/allOf") {
		d.merge(m, part)
	}
	if n.Discriminator != nil {
		if choices := d.spec.choices(n); len(choices) > 0 {
			name := sortedKeys(choices)[d.rng.IntN(len(choices))]
			m.fixed[n.Discriminator.PropertyName] = name
			d.merge(m, choices[name])
		}
		return
	}
	for _, list := range [][]*node{d.spec.list(n.AnyOf, n.at+"/anyOf"), d.spec.list(n.OneOf, n.at+"/oneOf")} {
		if len(list) > 0 {
			d.merge(m, list[d.rng.IntN(len(list))])
		}
	}
}

func less(a, b *uint64) *uint64 {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}
