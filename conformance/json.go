package conformance

import (
	"crypto/sha256"
	"fmt"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// value is a value of a body, of a header or of the spec.
type value = strictjson.Value

// fault is a defect of the JSON itself, below any schema.
type fault struct {
	rule    string
	pointer string
	actual  string
}

// parseBody parses one JSON text (RFC 8259) and lists what is wrong with it as such. ok is false where it has no value. Of
// members with one name the last counts, as in most decoders.
func parseBody(doc *strictjson.Document, text []byte) (faults []fault, ok bool) {
	if !doc.Parse(text) {
		reason, notUTF8 := strictjson.Diagnose(text)
		if notUTF8 {
			return []fault{{ruleUnicode, "", reason}}, false
		}
		return []fault{{ruleJSON, "", reason}}, false
	}
	for _, name := range doc.Duplicates {
		tokens := doc.Path(name)
		for i := range tokens {
			tokens[i] = inPointer(tokens[i])
		}
		faults = append(faults, fault{ruleDuplicate, strictjson.Pointer(tokens...), "the member more than once"})
	}
	if doc.LoneSurrogate >= 0 {
		faults = append(faults, fault{ruleUnicode, "", fmt.Sprintf("half of a surrogate pair at byte %d", doc.LoneSurrogate)})
	}
	return faults, true
}

// inPointer is how a member's name stands in the pointer of a finding: a very long one by its length and its hash, as it
// would be repeated for each finding below it.
func inPointer(name string) string {
	const maxName = 1 << 10
	if len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("(a name of %d bytes, SHA-256 %x…)", len(name), sum[:8])
}
