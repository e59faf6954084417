// Package conformance weighs HTTP exchanges against an OpenAPI spec.
//
// A spec of somebody else's API is a set of claims, and traffic is the evidence. [Load] reads the claims,
// [Contract.Check] weighs one exchange against them, a [Ledger] adds up what many exchanges say, and [Contract.Verify]
// does that for recordings on all cores. [Transport] and [Middleware] weigh what a Go test sends and serves.
//
// # Claims
//
// Each keyword of the spec that traffic could confirm or refute is a [Claim] with a stable ID: that 201 is a documented
// status, that id is required, that code has at most 255 characters. A claim is documented where the vendor states it,
// and assumed where we had to guess, which x-assumed says in the spec. See [Source].
//
// # Evidence
//
// An exchange supports a claim, refutes it, or is silent. It is never vacuous: an absent member says nothing of its
// length, null says nothing of a minimum, an empty list says nothing of its items, and what was not recorded says nothing
// at all.
//
// A request is judged by its answer. One that breaks a claim and is accepted refutes it: the server accepts what the
// contract forbids. One that breaks exactly one claim and is refused, by a documented status that can be about it,
// supports it: the claim is enforced. An accepted request that keeps a claim is only consistent with it.
//
// # Verdict
//
// What a [Finding] means follows from what it is about. A documented claim was refuted: the server deviates. An assumed one
// was: the spec is wrong. Or no claim covers what was seen: that is drift, the spec is incomplete. Drift does not fail a
// run, as a vendor may add what it likes. What conforms and may surprise, such as 1.0 for an integer, is a note.
//
// # A worked example
//
// Take this exchange:
//
//	POST /api/v1/faults   {"vehicle_id": 4711, "code": "P0420", "count": 3}
//	201                   {"id": 0, "vehicle_id": 4711, "code": "P0420", "count": null, "trace": "5f", ...}
//
// The answer refutes response.body#/components/schemas/Fault/properties/id/minimum, which the vendor documents: a finding,
// and the server deviates. It supports that id is required and an integer, as it is there and is one. That count may be null
// is supported, but about the width of count (format: int64) a null is silent. That a count which was sent is stored is a
// criterion of ours, and refuted: a finding, and the spec is wrong. The member trace is covered by no claim: drift. The
// request is consistent with code having at most 255 characters, and no more: that a longer one is refused, nobody has
// seen. [ExampleLedger] runs it.
//
// # How
//
// An exchange that conforms is proven to, in one pass over its bytes and without an allocation. What is not proven that
// way is decoded and weighed again by a second validator, which is exact and reports; a fuzz test holds the two against
// each other. kin-openapi loads the spec and resolves its references. Its validator is the third opinion in tests and not the
// judge, as it rounds numbers to float64, stops at the first of some errors, and puts values into its messages.
package conformance
