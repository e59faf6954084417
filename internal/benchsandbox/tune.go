package main

import (
	"fmt"
	"runtime/debug"

	"github.com/fleetcontract/fleetio-go/internal/sandboxserver"
)

// What the servers run with, for the summary. The aim of the sandbox is one beside a bare handler as everybody has it; the
// tuned one shows how much of the difference is tuning.
var (
	goDefaults = "Go's defaults"
	asInMemory = fmt.Sprintf("GC percent %d and timeouts that are looked at once a second, as fleetio sandbox", sandboxserver.GCPercent)
	asOnDisk   = fmt.Sprintf("GC percent %d, timeouts that are looked at once a second and, unless GOMAXPROCS is set, one more of Go's processors, as fleetio sandbox --db FILE",
		sandboxserver.GCPercent)
)

// tune has the settings of the command fleetio sandbox that are the process's.
func tune() { debug.SetGCPercent(sandboxserver.GCPercent) }

// tuneOnDisk has one more of Go's processors, too, while the disk is waited for.
func tuneOnDisk() {
	tune()
	sandboxserver.OneMoreProcessor()
}
