package fleetio

import "github.com/fleetcontract/fleetio-go/gen/fleetioapi"

type (
	// FaultCreate is what a caller tells about a fault. A field that is a pointer is optional: nil is not sent. [Ptr]
	// makes a pointer of a value.
	FaultCreate = fleetioapi.FaultCreate
	// Fault is a fault as the service keeps it.
	Fault = fleetioapi.Fault
	// FaultStatus is where a fault stands. The service may know more of them than this version does.
	FaultStatus = fleetioapi.FaultStatus
	// Problem is the body of most answers that are errors.
	Problem = fleetioapi.Problem
	// Nullable is a member of a [Fault] that may be absent, null or a value of T; its Get returns the value.
	Nullable[T any] = fleetioapi.Nullable[T]
)

// Where a fault stands. A fault that is created without a status is open.
const (
	FaultStatusOpen     = fleetioapi.FaultStatusOpen
	FaultStatusResolved = fleetioapi.FaultStatusResolved
	FaultStatusIgnored  = fleetioapi.FaultStatusIgnored
)

// Ptr returns a pointer to v, for the optional fields of a [FaultCreate]: what new(v) does since Go 1.26.
//
//go:fix inline
func Ptr[T any](v T) *T { return new(v) }
