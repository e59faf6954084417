package conformance

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// Finding is one deviation of an exchange from the contract.
type Finding struct {
	// Rule is the violated schema keyword (minimum, required, nullable, ...) or one of: status (undocumented),
	// media-type, body (missing, or unexpected), json (not one JSON value), unicode (invalid UTF-8, or a lone surrogate),
	// duplicate-key, security (a credential is missing), criterion, undocumented-property, undocumented-header,
	// undocumented-parameter, portability (valid, but many decoders reject it), multipart (malformed), style (a label or
	// matrix without its prefix), rejected (a request that satisfies the contract), server-error (for a request that
	// violates it).
	Rule string `json:"rule"`
	Part Part   `json:"part"`
	// Pointer is a JSON pointer (RFC 6901) into the body; for required it includes the missing name. For a parameter or
	// header it is the pointer into its value after /NAME, with the position in a list after it; for a credential elsewhere, /Cookie/NAME or /URL/NAME; for the status,
	// "". A name of more than 1024 bytes is replaced by its length and hash.
	Pointer string   `json:"pointer"`
	Spec    Location `json:"spec"` // the violated claim
	// Message states the expected and the actual value, without credentials.
	Message  string `json:"message"`
	Expected string `json:"-"`
	Actual   string `json:"-"`
	// Claim is the ID of the refuted [Claim]; "" for drift and notes, which refute none.
	Claim  string `json:"claim,omitempty"`
	Source Source `json:"source"`
	Reason string `json:"-"` // why the claim is assumed; "" if it is documented
	// Observed describes the actual value for an edit of the spec; nil for a missing one.
	Observed *Observed `json:"observed,omitempty"`
	// Index is the position of the exchange in the traffic, from 0. [Contract.Check] leaves it 0.
	Index int64 `json:"index"`
	// Exchange is the Source of the [traffic.Exchange].
	Exchange  string `json:"exchange"`
	Operation string `json:"operation"` // its operationId, or method and path
	Status    int    `json:"status"`    // HTTP status of the response
	// Fingerprint identifies the deviation across exchanges, runs and edits of the spec elsewhere. It is a hash of the
	// operation, status, part, rule and pointer, of a criterion's name, and of the source of drift and notes.
	Fingerprint string `json:"fingerprint"`
}

// Fails reports whether the finding is a deviation from the contract: drift and notes are not.
func (f *Finding) Fails() bool { return f.Source == Documented || f.Source == Assumed }

// String returns the operation, the status, the place, the rule and the message.
func (f *Finding) String() string {
	return fmt.Sprintf("%s %d: %s %s %s: %s", f.Operation, f.Status, f.Part, f.Pointer, f.Rule, f.Message)
}

// Source is the origin of a claim or finding.
type Source string

const (
	// Documented claims are stated by the vendor. If one is refuted, the server deviates.
	Documented Source = "documented"
	// Assumed claims are guesses, which x-assumed lists. If one is refuted, the spec is wrong.
	Assumed Source = "assumed"
	// Drift is traffic that no claim covers: the spec is incomplete.
	Drift Source = "drift"
	// Note is traffic that conforms but may surprise a client, such as 1.0 for an integer.
	Note Source = "note"
)

// Part is the part of an exchange that a claim or finding is about.
type Part string

// The parts of an exchange.
const (
	RequestPath    Part = "request.path"    // a parameter of the path
	RequestQuery   Part = "request.query"   // a parameter of the query
	RequestHeader  Part = "request.header"  // a header of the request, or a credential in its URL
	RequestCookie  Part = "request.cookie"  // a cookie of the request
	RequestBody    Part = "request.body"    // the request's body
	ResponseStatus Part = "response.status" // the status code
	ResponseHeader Part = "response.header" // a header of the response
	ResponseBody   Part = "response.body"   // the response's body
)

func (p Part) ofRequest() bool { return strings.HasPrefix(string(p), "request.") }

// Rules other than schema keywords.
const (
	ruleStatus    = "status"
	ruleMediaType = "media-type"
	ruleBody      = "body"
	ruleJSON      = strictjson.NotJSON
	ruleUnicode   = strictjson.NotUnicode
	ruleDuplicate = strictjson.Duplicate
	ruleSecurity  = "security"
	ruleCriterion = "criterion"
	ruleMultipart = "multipart"
	ruleStyle     = "style"
	ruleEmpty     = "allowEmptyValue"

	ruleUndocumentedProperty  = "undocumented-property"
	ruleUndocumentedHeader    = "undocumented-header"
	ruleUndocumentedParameter = "undocumented-parameter"
	ruleRejected              = "rejected"
	ruleServerError           = "server-error"
	rulePortability           = "portability"
)

// fingerprint ignores positions in lists, as a deviation may be in the first item of one body and the third of another.
// The criterion's name distinguishes it from others at the same place.
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
