// Package sandbox is a test double of Fleetio: it serves Create Fault as the vendor documents it, stores the faults
// that are created, and fails on demand.
//
//	func TestReport(t *testing.T) {
//		s := sandbox.Start(t)
//		s.InjectNext(sandbox.DropAfter()) // the fault is created, and the client gets no response
//		_, err := s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
//		...
//		if faults := s.Faults(); len(faults) != 1 { ... }
//	}
//
// Not supported: every other operation; the vendor's own rate limits, outages and latency (set them by [WithRateLimit]
// and [WithFailure]); the vendor's exact messages. A test that passes here proves nothing about the vendor.
//
// It imports the standard library, the generated code and the client. The command fleetio sandbox serves it on a port.
package sandbox
