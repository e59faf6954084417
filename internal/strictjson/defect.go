package strictjson

import "fmt"

// Defect is a violation of the JSON grammar or its recommendations.
type Defect struct {
	Rule    string // NotJSON, NotUnicode or Duplicate
	Pointer string // to a property that is there more than once
	Found   string
}

// The rules of a [Defect].
const (
	NotJSON    = "json"          // not one JSON value
	NotUnicode = "unicode"       // invalid UTF-8, or a lone surrogate
	Duplicate  = "duplicate-key" // a property more than once
)

// ParseBody parses one JSON text (RFC 8259) and lists its defects. ok is false if it has no value. Of properties with the
// same name the last counts, as in most decoders.
func (d *Document) ParseBody(text []byte) (defects []Defect, ok bool) {
	if !d.Parse(text) {
		reason, notUTF8 := Diagnose(text)
		if notUTF8 {
			return []Defect{{NotUnicode, "", reason}}, false
		}
		return []Defect{{NotJSON, "", reason}}, false
	}
	for _, name := range d.Duplicates {
		tokens := d.Path(name)
		for i := range tokens {
			tokens[i] = ShortName(tokens[i])
		}
		defects = append(defects, Defect{Duplicate, Pointer(tokens...), "the property more than once"})
	}
	if d.LoneSurrogate >= 0 {
		defects = append(defects, Defect{NotUnicode, "", fmt.Sprintf("a lone surrogate at byte %d", d.LoneSurrogate)})
	}
	return defects, true
}
