package mutate

import (
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// drawing draws values that a schema describes.
type drawing struct {
	spec *spec
	rng  *rand.Rand
	part conformance.Part
	full bool // with every member, and nothing null
}

// value draws a value that holds, or reports that it found none.
func (d *drawing) value(n *node) (any, bool) {
	if n == nil {
		return map[string]any{"any": d.anything(0)}, true
	}
	for range 200 {
		v := d.draw([]*node{n}, 0)
		if len(d.spec.read(n, v, d.part, "")) == 0 {
			return v, true
		}
	}
	return nil, false
}

// anything draws a value that no schema speaks of.
func (d *drawing) anything(depth int) any {
	switch d.rng.IntN(8) {
	case 0:
		return nil
	case 1:
		return d.rng.IntN(2) == 0
	case 2:
		return json.Number(strconv.FormatInt(d.rng.Int64()-d.rng.Int64(), 10))
	case 3, 4:
		if depth < 3 {
			return []any{d.anything(depth + 1), d.anything(depth + 1)}
		}
	case 5:
		if depth < 3 {
			return map[string]any{text(d.rng, 3, false): d.anything(depth + 1)}
		}
	}
	return text(d.rng, d.rng.IntN(9), d.part == conformance.ResponseHeader)
}

// draw merges what several schemas say of a value, and draws one. What they say with not, or of each other, is left to
// whoever looks at the result.
func (d *drawing) draw(of []*node, depth int) any {
	m := &merged{visited: map[*node]bool{}, fixed: map[string]string{}}
	for _, n := range of {
		d.merge(m, n)
	}
	if m.nullable && !d.full && (d.rng.IntN(5) == 0 || depth > 5) || depth > 12 {
		return nil
	}
	if len(m.enums) > 0 {
		return clone(m.enums[0][d.rng.IntN(len(m.enums[0]))])
	}
	if len(m.types) == 0 {
		return d.anything(depth)
	}
	switch m.types[d.rng.IntN(len(m.types))] {
	case "boolean":
		return d.rng.IntN(2) == 0
	case "integer":
		return d.number(m, true)
	case "number":
		n := d.number(m, d.rng.IntN(3) == 0)
		if d.part != conformance.ResponseHeader && d.rng.IntN(4) == 0 {
			return spelled(n)
		}
		return n
	case "string":
		return d.text(m)
	case "array":
		return d.array(m, depth)
	}
	return d.object(m, depth)
}

// number draws a number near its bounds, or a small one.
func (d *drawing) number(m *merged, whole bool) json.Number {
	low, high := big.NewRat(-1_000_000, 1), big.NewRat(1_000_000, 1)
	for _, name := range m.formats {
		if w := widths[name]; w != nil {
			low, high = new(big.Rat).SetInt(w[0]), new(big.Rat).SetInt(w[1])
		}
	}
	for _, least := range m.least {
		if low.Cmp(least) < 0 || len(m.formats) == 0 {
			low = least
		}
	}
	for _, most := range m.most {
		if high.Cmp(most) > 0 || len(m.formats) == 0 {
			high = most
		}
	}
	if low.Cmp(high) > 0 {
		low, high = high, low
	}
	nudge := big.NewRat(1, 1)
	switch {
	case m.step != nil:
		nudge = m.step
	case !whole:
		nudge = big.NewRat(1, 8)
	}
	v := new(big.Rat)
	switch d.rng.IntN(6) {
	case 0:
		v.Set(low)
	case 1:
		v.Set(high)
	case 2:
		v.Add(low, nudge)
	case 3:
		v.Sub(high, nudge)
	case 4:
		v.Mul(nudge, big.NewRat(int64(d.rng.IntN(2000)-1000), 1))
	case 5:
		v.Add(low, new(big.Rat).Mul(nudge, big.NewRat(int64(d.rng.IntN(50)), 1)))
	}
	if m.step != nil { // the multiple at or below
		times := new(big.Rat).Quo(v, m.step)
		v.Mul(m.step, new(big.Rat).SetInt(new(big.Int).Div(times.Num(), times.Denom())))
	} else if whole {
		v.SetInt(new(big.Int).Div(v.Num(), v.Denom()))
	}
	return decimal(v)
}

func (d *drawing) text(m *merged) any {
	header := d.part == conformance.ResponseHeader
	for _, name := range m.formats {
		if f, known := formats[name]; known {
			return f.good[d.rng.IntN(len(f.good))]
		}
	}
	least, most := int(m.minLength), int(m.minLength)+12 //nolint:gosec // lengths of a spec are small
	if m.maxLength != nil {
		most = int(*m.maxLength) //nolint:gosec // as above
	}
	if len(m.patterns) > 0 {
		return matching(d.rng, m.patterns[d.rng.IntN(len(m.patterns))], max(1, min(most, 12)))
	}
	length := least + d.rng.IntN(max(0, min(most-least, 16))+1)
	switch d.rng.IntN(8) {
	case 0:
		length = least
	case 1:
		length = most
	}
	if header {
		length = max(length, 1)
	}
	return text(d.rng, length, header)
}

func (d *drawing) array(m *merged, depth int) any {
	least, most := int(m.minItems), int(m.minItems)+3 //nolint:gosec // lengths of a spec are small
	if m.maxItems != nil {
		most = int(*m.maxItems) //nolint:gosec // as above
	}
	length := least + d.rng.IntN(max(0, min(most-least, 4))+1)
	if d.rng.IntN(6) == 0 {
		length = min(most, 50)
	}
	if d.full && length == 0 || d.part == conformance.ResponseHeader {
		length = max(length, min(most, 2))
	}
	if depth > 4 {
		length = least
	}
	list := []any{}
	for try := 0; len(list) < length && try < 20*length; try++ {
		var item any
		if len(m.items) > 0 {
			item = d.draw(m.items, depth+1)
		} else {
			item = d.anything(depth)
		}
		if !m.unique || !slices.ContainsFunc(list, func(other any) bool { return same(other, item) }) {
			list = append(list, item)
		}
	}
	return list
}

func (d *drawing) object(m *merged, depth int) any {
	object := map[string]any{}
	for _, name := range sortedKeys(m.properties) {
		needed := slices.Contains(m.required, name)
		if slices.ContainsFunc(m.properties[name], func(n *node) bool { return otherWay(n, d.part) }) ||
			!needed && (depth > 3 || !d.full && d.rng.IntN(3) == 0) {
			continue
		}
		object[name] = d.draw(m.properties[name], depth+1)
	}
	more := 0
	if len(m.rest) > 0 && (d.full && depth < 4 || d.rng.IntN(2) == 0) {
		more = 1 + d.rng.IntN(2)
	}
	for _, name := range m.required {
		if _, there := object[name]; !there && m.properties[name] == nil {
			object[name] = d.member(m, depth)
		}
	}
	for more = max(more, int(m.minProps)-len(object)); more > 0; more-- { //nolint:gosec // counts of a spec are small
		object[[]string{"extra", "/~ %", "ключ", ""}[more%4]+strconv.Itoa(d.rng.IntN(1000))] = d.member(m, depth)
	}
	// Members that nobody described are no deviation of a request: the server may ignore them.
	if d.part == conformance.RequestBody && !m.closed && len(m.rest) == 0 && d.rng.IntN(6) == 0 {
		object["unknown"] = d.anything(depth)
	}
	for name, value := range m.fixed {
		object[name] = value
	}
	names := sortedKeys(object)
	d.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		if m.maxProps != nil && uint64(len(object)) > *m.maxProps && !slices.Contains(m.required, name) {
			delete(object, name)
		}
	}
	return object
}

func (d *drawing) member(m *merged, depth int) any {
	if len(m.rest) > 0 {
		return d.draw(m.rest, depth+1)
	}
	return d.anything(depth)
}
