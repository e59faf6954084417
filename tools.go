//go:build tools

// The generator is pinned in go.mod by this import; the tag keeps it out of every build.
package tools

import _ "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen"
