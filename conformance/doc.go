// Package conformance weighs HTTP exchanges against an OpenAPI spec.
//
// A spec of somebody else's API is a set of claims, and traffic is the evidence. Each keyword is a claim: that 201 is a
// documented status, that id is required, that code has at most 255 characters. [Load] reads the claims,
// [Contract.Check] weighs one exchange against them, and each [Finding] names the claim that the exchange refutes, with
// its line in the spec.
//
// What a finding means depends on where the claim comes from. A documented claim is one that the vendor states: traffic
// that refutes it shows a server that deviates. An assumed claim is one that we had to guess, marked in the spec by
// x-assumed: traffic that refutes it shows a spec that is wrong. See [Basis].
//
// A request is judged by its answer. A server that refuses a bad request does what it should; one that accepts it
// accepts what the contract forbids. What a recording does not hold is not judged: no evidence is not a pass.
//
// kin-openapi loads the spec and resolves its references. Its validator is the second opinion in tests and not the judge,
// as it rounds numbers to float64, stops at the first of some errors, and puts values into its messages.
package conformance
