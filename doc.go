// Package fleetio is the Go side of Fleetio's Create Fault operation.
package fleetio
