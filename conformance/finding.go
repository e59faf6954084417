package conformance

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// Finding is one deviation of an exchange from the contract.
type Finding struct {
	// Rule is the schema keyword that was broken (minimum, required, nullable, ...) or one of: status (not
	// documented), media-type, body (none where one is due, or one where none is), json (not one JSON value),
	// unicode (not UTF-8, or half a surrogate pair), duplicate-key, security (a credential is missing), criterion,
	// undocumented-property, undocumented-header, portability (valid, but many decoders refuse it).
	Rule string `json:"rule"`
	Part Part   `json:"part"`
	// Pointer is a JSON pointer (RFC 6901) into the body; for required it names what is missing. For a header it is the
	// name, with the position in a list behind it; for a credential elsewhere /Cookie/NAME or /URL/NAME. For the
	// status it is empty. A name of more than a kilobyte is given by its length and hash.
	Pointer string   `json:"pointer"`
	Spec    Location `json:"spec"` // the broken claim
	// Message tells what was expected and found, without any credential.
	Message  string `json:"message"`
	Expected string `json:"-"`
	Found    string `json:"-"`
	// Claim is the ID of the claim that is refuted, see [Claim]; "" for drift and notes, which refute none.
	Claim  string `json:"claim,omitempty"`
	Source Source `json:"source"`
	Reason string `json:"-"` // why the claim is assumed; "" where it is documented
	// Seen describes what was found, for whoever wants to mend the spec.
	Observed *Observed `json:"observed,omitempty"`
	// Index is the position of the exchange in the traffic, from 0. It is 0 where no [Ledger] counted.
	Index int64 `json:"index"`
	// Exchange is where the exchange was recorded, see [traffic.Exchange].
	Exchange  string `json:"exchange"`
	Operation string `json:"operation"` // its operationId, or method and path
	Status    int    `json:"status"`    // HTTP status of the response
	// Fingerprint is the same for the same deviation in another exchange and another run, and outlives edits of the
	// spec that do not touch the claim. It is made of operation, status, part, rule and pointer, of a criterion's name,
	// and of whether it is drift or a note.
	Fingerprint string `json:"fingerprint"`
}

// Fails reports whether the finding is a deviation from the contract, in contrast to drift and notes.
func (f *Finding) Fails() bool { return f.Source == Documented || f.Source == Assumed }

// Part is where in an exchange a finding lies.
type Part string

// The parts of an exchange.
const (
	RequestHeader  Part = "request.header"  // a header of the request, or a credential in its URL
	RequestBody    Part = "request.body"    // the request's body
	ResponseStatus Part = "response.status" // the status code
	ResponseHeader Part = "response.header" // a header of the response
	ResponseBody   Part = "response.body"   // the response's body
)

// Rules that are no schema keywords.
const (
	ruleStatus    = "status"
	ruleMediaType = "media-type"
	ruleBody      = "body"
	ruleJSON      = "json"
	ruleUnicode   = "unicode"
	ruleDuplicate = "duplicate-key"
	ruleSecurity  = "security"
	ruleCriterion = "criterion"

	ruleUndocumentedProperty = "undocumented-property"
	ruleUndocumentedHeader   = "undocumented-header"
	rulePortability          = "portability"
)

// fingerprint leaves list positions out, as the same deviation may meet the first item or the third. A criterion's
// name tells it from others at the same place.
func (f *Finding) fingerprint(criterion string) string {
	tokens := strings.Split(f.Pointer, "/")
	for i, t := range tokens {
		if _, err := strconv.Atoi(t); err == nil {
			tokens[i] = "*"
		}
	}
	parts := []string{f.Operation, strconv.Itoa(f.Status), string(f.Part), f.Rule, criterion, strings.Join(tokens, "/")}
	if !f.Fails() {
		parts = append(parts, string(f.Source)) // a media type can be undocumented, and it can be malformed
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
