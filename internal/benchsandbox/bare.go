package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/fleetcontract/fleetio-go/internal/sandboxserver"
)

// bareFault and bareCreated have the members of the contract, as one writes them without a generator. Times are texts:
// reading them would be work that the bare server is spared.
type bareFault struct {
	VehicleID      int64   `json:"vehicle_id"`
	Code           string  `json:"code"`
	Count          *int64  `json:"count"`
	Description    *string `json:"description"`
	ExternalID     *string `json:"external_id"`
	LastOccurredAt *string `json:"last_occurred_at"`
	Name           *string `json:"name"`
	Status         *string `json:"status"`
	Source         *string `json:"source"`
}

type bareCreated struct {
	ID                int64     `json:"id"`
	CreatedAt         time.Time `json:"created_at"`
	UpdatedAt         time.Time `json:"updated_at"`
	AccountID         int64     `json:"account_id"`
	VehicleID         int64     `json:"vehicle_id"`
	Code              string    `json:"code"`
	Count             *int64    `json:"count"`
	Description       *string   `json:"description"`
	ExternalID        *string   `json:"external_id"`
	LastOccurredAt    *string   `json:"last_occurred_at"`
	Name              *string   `json:"name"`
	Status            *string   `json:"status"`
	Source            *string   `json:"source"`
	VehicleArchivedAt *string   `json:"vehicle_archived_at"`
	FaultRuleID       *int64    `json:"fault_rule_id"`
	IsSample          bool      `json:"is_sample"`
	IdempotencyKey    *string   `json:"idempotency_key"`
}

// bareHandler is what no server that does the work can be expected to beat: it decodes, encodes an answer of the same
// size, and does nothing else.
func bareHandler() http.Handler {
	rule := int64(8)
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+faultsPath, func(w http.ResponseWriter, r *http.Request) {
		var in bareFault
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		now := time.Now()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(&bareCreated{
			ID: 90210, CreatedAt: now, UpdatedAt: now, AccountID: 12, VehicleID: in.VehicleID, Code: in.Code,
			Count: in.Count, Description: in.Description, ExternalID: in.ExternalID, LastOccurredAt: in.LastOccurredAt,
			Name: in.Name, Status: in.Status, Source: in.Source, FaultRuleID: &rule,
		})
	})
	return mux
}

// bare is as one has it who sets nothing.
func bare(context.Context, string) (httpServer, func() error, error) {
	return &http.Server{Handler: bareHandler()}, noStore, nil //nolint:gosec // no timeouts: they cost time
}

func bareTuned(context.Context, string) (httpServer, func() error, error) {
	return sandboxserver.New(bareHandler()), noStore, nil
}

func noStore() error { return nil }
