// Package api embeds the contract: openapi.yaml, written by hand. gen/ is generated from it, and the checker checks traffic
// against it.
package api

import _ "embed"

// Spec is the content of openapi.yaml (OpenAPI 3.0.3). Callers must not change it.
//
//go:embed openapi.yaml
var Spec []byte
