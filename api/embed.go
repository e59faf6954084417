// Package api holds the contract: openapi.yaml, written by hand, from which everything under gen/ is generated and
// against which the conformance engine weighs traffic.
package api

import _ "embed"

// Spec is the text of openapi.yaml (OpenAPI 3.0.3). Callers must not change it.
//
//go:embed openapi.yaml
var Spec []byte
