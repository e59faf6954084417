package main

import (
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

// What the servers run with, for the summary. The aim of the sandbox is one beside a bare handler as everybody has it; the
// tuned one shows how much of the difference is tuning.
const (
	goDefaults = "Go's defaults"
	asInMemory = "GC percent 400 and timeouts, as fleetio sandbox"
	asOnDisk   = "GC percent 400, timeouts and, unless GOMAXPROCS is set, one more of Go's processors, as fleetio sandbox --db FILE"
)

// tune has the settings of the command fleetio sandbox that are the process's.
func tune() { debug.SetGCPercent(400) }

// tuneOnDisk has one more of Go's processors, too, while the disk is waited for.
func tuneOnDisk() {
	tune()
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}

// asCommand has those that are the server's.
func asCommand(handler http.Handler) *http.Server {
	s := &http.Server{
		Handler: handler, Protocols: new(http.Protocols), MaxHeaderBytes: 64 << 10,
		ReadHeaderTimeout: time.Minute, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	return s
}
