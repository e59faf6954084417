// Package api has the contract: openapi.yaml, which is written by hand. Everything under gen/ is generated from it, and
// the checker compares traffic with it.
package api

import _ "embed"

// Spec is the text of openapi.yaml (OpenAPI 3.0.3). Callers must not change it.
//
//go:embed openapi.yaml
var Spec []byte
