// Package mutate proves the judge: it derives from a spec what the judge must find, and what it must not.
//
// A mutant is an exchange that breaks exactly one claim. [Mutants] takes an exchange that conforms, changes it in one
// place (a required member dropped, one character too many, a credential left out of a call that is answered 2xx), and
// says which claim that breaks, and where. [Run] shows every mutant to the judge. One that is not found, found by
// another rule or at another place, or found twice is a failure, and so is a claim of the spec that no mutant breaks and
// that has no reason for it. Exchanges drawn at random that conform must raise nothing.
//
// The judge's own code takes no part in this. What a mutant breaks is decided by a small and slow reading of the spec of
// this package's own; kin-openapi's filter is the second opinion on each exchange, but for the gaps that it is known to
// have.
package mutate
