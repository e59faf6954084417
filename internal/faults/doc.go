// Package faults calls the client and the import of the command through a proxy that breaks connections. It is a module of
// its own, so that importers of the project do not depend on the proxy.
package faults
