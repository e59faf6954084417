// Package conformance checks HTTP exchanges against an OpenAPI 3.0 document.
//
// A spec of somebody else's API is a set of claims, and traffic is the evidence. [Load] reads the claims,
// [Contract.Check] checks one exchange, a [Ledger] adds up the evidence of many exchanges, and [Contract.Verify] does
// that for recordings on all processors. The result is a [Report]. Package conformancetest checks the exchanges of a Go
// test.
//
// # Claims
//
// A [Claim] is a keyword of the spec that traffic can support or refute, such as: 201 is a documented status, id is
// required, code has at most 255 characters. Its ID is stable. A claim is documented if the vendor states it, and
// assumed if the spec marks it with x-assumed.
//
// # Evidence
//
// An exchange supports a claim, refutes it, or does not show it. A claim counts as observed only if the value that it
// constrains is present and was recorded: an absent property is no evidence for its length, null is none for a minimum,
// and an empty list is none for its items.
//
// The response decides about a request. If a request violates a claim and is accepted, it refutes the claim: the server
// accepts what the contract forbids. If it violates exactly one claim and is rejected, by a documented status that can
// be about that claim, it supports the claim: the server enforces it. An accepted request that satisfies a claim is only
// consistent with it.
//
// # Findings
//
// The [Source] of a [Finding] says what to correct. If traffic refutes a documented claim, the server deviates; if it
// refutes an assumed claim, the spec is wrong. Drift is traffic that no claim covers: the spec is incomplete. Drift does
// not fail a run, because a vendor may add properties at any time. A note is about traffic that conforms but may
// surprise, such as 1.0 for an integer.
//
// # Example
//
// [ExampleLedger] checks this exchange:
//
//	POST /api/v1/faults   {"vehicle_id": 4711, "code": "P0420", "count": 3}
//	201                   {"id": 0, "vehicle_id": 4711, "code": "P0420", "count": null, "trace": "5f", ...}
//
//	id: 0          refutes the documented claim that an id is at least 1: a finding, the server deviates
//	               supports the claims that id is required, and that it is an integer
//	count: null    supports the claim that count may be null; shows nothing about its format int64
//	               refutes the assumed criterion that the response repeats the count: a finding, the spec is wrong
//	trace          is covered by no claim: drift
//	code, sent     is consistent with the claim of at most 255 characters: no longer one was rejected
//
// # Implementation
//
// A body is parsed once, and one walk of the value together with its schema gives the evidence and the findings.
// Parameters, headers, forms and text are read as JSON first, so that the same walk checks them. An exchange that conforms
// and has no parameters costs no allocation. The spec is parsed once, into a tree that keeps numbers as written and knows
// the line of each value, from which mistakes are told, and claims are read.
package conformance
