package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// Webhook returns the request that the service sends for the event fault_created of a stored fault, to a URL, signed with
// the webhook's shared key: see [fleetio.VerifyWebhook]. The sandbox sends none by itself. Each request for a fault has the
// same id of the event, as a repeat has. It fails if there is no such fault, or if the URL is none.
func (s *Sandbox) Webhook(ctx context.Context, url, key string, fault int64) (*http.Request, error) {
	if key == "" {
		return nil, errors.New("sandbox: webhook: the key is empty")
	}
	records, err := s.store.Records(ctx, Query{MaxID: fault, Limit: 1})
	if err != nil {
		return nil, fmt.Errorf("sandbox: webhook: the store cannot be read: %w", err)
	}
	if fault < 1 || len(records) == 0 || records[0].ID != fault { // for 0, it is the newest
		return nil, fmt.Errorf("sandbox: webhook: there is no fault %d", fault)
	}
	body := encode(struct {
		ID          string          `json:"id"`
		Event       string          `json:"event"`
		Timestamp   json.RawMessage `json:"timestamp"`
		TriggeredBy *struct{}       `json:"triggered_by"`
		Payload     json.RawMessage `json:"payload"`
	}{
		ID: fmt.Sprintf("%s-%d", fleetio.WebhookFaultCreated, fault), Event: fleetio.WebhookFaultCreated,
		Timestamp: json.RawMessage(records[0].values()["created_at"]), Payload: records[0].JSON(),
	})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("sandbox: webhook: the URL is none to send a request to") // it may have a password
	}
	signature := hmac.New(sha256.New, []byte(key))
	signature.Write(body)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Fleetio-Webhook-Signature", hex.EncodeToString(signature.Sum(nil)))
	return r, nil
}
