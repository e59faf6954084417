//go:build generate

package tools

// What cannot be generated is told first, with its line; then types, then what uses them. The settings are described in
// api/README.md.
//go:generate go run ./internal/gencheck -spec api/openapi.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen --config=api/types.cfg.yaml api/openapi.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen --config=api/client.cfg.yaml api/openapi.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen --config=api/server.cfg.yaml api/openapi.yaml
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen --config=cmd/fleetio/internal/server/control.cfg.yaml cmd/fleetio/internal/server/control.yaml
//go:generate go run ./internal/gencheck -spec api/openapi.yaml -api gen/fleetioapi -server gen/fleetioserver -client fleetio
