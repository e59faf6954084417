package conformance

import (
	"regexp"
	"slices"
)

// node is a schema compiled for the scanner, which proves in one pass over the bytes of a value that it keeps every
// claim. What a node cannot prove is left to the validator, which is slower and reports.
type node struct {
	id    int
	hard  bool  // nothing can be proven
	admit uint8 // a bit for each kind of value that the type has room for
	bear  [kinds][]word

	// Numbers.
	whole    bool // only integers
	bounded  bool
	low      int64 // inclusive, of whole numbers
	high     int64
	multiple int64 // 0 for none
	// Where a limit is no whole number, or a value is none: what lies clearly between these is proven.
	above, below float64
	roughly      bool // above and below are to be used for whole numbers, too
	exactly      bool // they are of no use

	// Texts.
	minLength, maxLength int
	pattern              *regexp.Regexp
	format               func([]byte) bool // false where it is not sure

	// What enum leaves, by kind.
	listed   bool
	texts    []string
	integers []int64
	others   uint8 // kinds of which enum has values that are not kept here

	// Arrays.
	item               *node
	minItems, maxItems int
	unique             bool
	uniqueBears        []word

	// Objects.
	members           []member
	index             map[string]int
	required          memberSet
	minMembers        int
	maxMembers        int
	rest              *node // of members without a name of their own
	closed            bool  // there are none such
	strange           bool  // there may be, and they are drift
	all, anyOf, oneOf []*node
	not               *node
	nullEnds          bool // nullable: null is valid, whatever else stands there
	combined          bool // whether there is any of the four
}

// member is a documented property.
type member struct {
	quoted  string // as JSON writes it, with both quotes; "" where that has escapes
	node    *node
	bears   []word // where it is required
	capture int    // see [scanner]; noCapture for none
}

// memberSet has a bit for each member of a node. Objects with more are left to the validator.
type memberSet [4]uint64

const mostMembers = 64 * len(memberSet{})

func (m *memberSet) add(i int)      { m[i>>6] |= 1 << (i & 63) }
func (m *memberSet) has(i int) bool { return m[i>>6]&(1<<(i&63)) != 0 }

// within reports whether all members are in the other set.
func (m *memberSet) within(o *memberSet) bool {
	return m[0]&^o[0] == 0 && m[1]&^o[1] == 0 && m[2]&^o[2] == 0 && m[3]&^o[3] == 0
}

// word is a part of a [bitset].
type word struct {
	at   int
	bits uint64
}

func words(list []int) []word {
	var result []word
	for _, i := range list {
		if i == noClaim {
			continue
		}
		at := slices.IndexFunc(result, func(w word) bool { return w.at == i>>6 })
		if at < 0 {
			at = len(result)
			result = append(result, word{at: i >> 6})
		}
		result[at].bits |= 1 << (i & 63)
	}
	return result
}

func (b bitset) addWords(list []word) {
	for _, w := range list {
		b[w.at] |= w.bits
	}
}
