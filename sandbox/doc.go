// Package sandbox is a test double of Fleetio: it serves Create Fault, Retrieve Fault and List Faults as the vendor
// documents them, stores the faults that are created, and fails on demand.
//
//	func TestReport(t *testing.T) {
//		s := sandbox.Start(t)
//		s.InjectNext(sandbox.DropAfter()) // the fault is created, and the client gets no response
//		_, err := s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
//		...
//		if faults := s.Faults(); len(faults) != 1 { ... }
//	}
//
// Not supported: to change or delete faults, and the vendor's exact messages. Another operation of the contract is
// checked like these, and answered with the example of the contract, always the same. The vendor's rate limits, outages
// and latency are unknown: set them by [WithRateLimit] and [WithFailure]. A test that passes here proves nothing about
// the vendor.
//
// The clock of a sandbox can be moved ([Sandbox.Advance]), so that no test waits for a rate limit or a late fault.
//
// The package imports the standard library, the generated code, the client and the project's redaction. The command
// fleetio sandbox serves a sandbox on a port.
package sandbox
