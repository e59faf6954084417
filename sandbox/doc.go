// Package sandbox is a stand-in for the vendor's service, for tests: it answers Create Fault as the vendor documents it,
// keeps what was created, and makes trouble on demand.
//
//	func TestReport(t *testing.T) {
//		s := sandbox.Start(t)
//		s.Next(sandbox.DropAfter()) // the fault is created, and nobody learns of it
//		_, err := s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
//		...
//		if faults := s.Faults(); len(faults) != 1 { ... }
//	}
//
// What it does not do: it has this one operation and no other; it does not know the vendor's rate limits, only the one
// that it is given; its messages are in the style of the vendor's, and not the vendor's; nothing that it does proves
// anything about the vendor.
//
// It imports the standard library, the generated stubs and the client. The command fleetio sandbox serves it on a port.
package sandbox
