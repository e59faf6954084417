// Package fleetio is the Go side of Fleetio's Create Fault operation.
//
// The contract is api/openapi.yaml. What is generated from it is usable as it is: package gen/fleetioapi holds the types
// and a client and imports the standard library only, package gen/fleetioserver the stubs of a server. Package
// conformance weighs traffic against the contract.
package fleetio
