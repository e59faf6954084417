package conformance

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"

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
		return []fault{diagnose(text)}, false
	}
	for _, name := range doc.Duplicates {
		faults = append(faults, fault{ruleDuplicate, pointerTo(doc, name), "the member more than once"})
	}
	if doc.LoneSurrogate >= 0 {
		faults = append(faults, fault{ruleUnicode, "", fmt.Sprintf("half of a surrogate pair at byte %d", doc.LoneSurrogate)})
	}
	return faults, true
}

// diagnose finds out why a text is not one JSON value in UTF-8.
func diagnose(text []byte) fault {
	if bytes.HasPrefix(text, []byte("\uFEFF")) {
		return fault{ruleJSON, "", "a byte order mark (RFC 8259, section 8.1, forbids it)"}
	}
	if at := strictjson.InvalidUTF8(text); at >= 0 {
		return fault{ruleUnicode, "", fmt.Sprintf("invalid UTF-8 at byte %d", at)}
	}
	d := strictjson.NewDecoder(text)
	err := d.Skip()
	if err == nil {
		return fault{ruleJSON, "", fmt.Sprintf("data after the value, which ends at byte %d", d.Offset())}
	}
	var invalid *strictjson.Error
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fault{ruleJSON, "", "JSON that ends too early"}
	case errors.Is(err, strictjson.ErrTooDeep):
		return fault{ruleJSON, "", "JSON " + err.Error()}
	case errors.As(err, &invalid):
		return fault{ruleJSON, "", fmt.Sprintf("invalid JSON at byte %d: %v", invalid.Offset, err)}
	}
	return fault{ruleJSON, "", "invalid JSON"}
}

// pointerTo returns the JSON pointer to the member whose name is at a node.
func pointerTo(doc *strictjson.Document, name int32) string {
	pointer := ""
	for at := int32(0); at < name; {
		isObject := doc.Nodes[at].Type == strictjson.Object
		child := at + 1
		for item := 0; ; item++ {
			start, token := child, strconv.Itoa(item)
			if isObject {
				token = inPointer(string(doc.Text(child, nil)))
				child++
			}
			if start == name || doc.Nodes[child].Next > name {
				pointer += strictjson.Pointer(token)
				at = child
				break
			}
			child = doc.Nodes[child].Next
		}
	}
	return pointer
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
