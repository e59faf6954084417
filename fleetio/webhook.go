package fleetio

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Classes of errors of [VerifyWebhook], for [errors.Is].
var (
	// ErrWebhookSignature reports that the signature is missing or wrong: the body is not from the service, or was changed,
	// or is for another key.
	ErrWebhookSignature = errors.New("fleetio: webhook: the signature is missing or wrong")
	// ErrWebhookBody reports that the signature is right, and the body is no event.
	ErrWebhookBody = errors.New("fleetio: webhook: the body is no event")
)

// The events of faults.
const (
	WebhookFaultCreated  = "fault_created"
	WebhookFaultResolved = "fault_resolved"
)

// WebhookEvent is the body of a webhook. The service documents the names of its properties, and not their types: what is
// of another type than expected has the zero value, and is in Raw.
type WebhookEvent struct {
	// ID is of one event, and tells repeats; a number is in decimal digits.
	ID string
	// Event is what happened, such as [WebhookFaultCreated].
	Event string
	// Timestamp is when it happened (RFC 3339).
	Timestamp time.Time
	// TriggeredBy is the user or thing that caused it, as JSON; nil if there is none.
	TriggeredBy json.RawMessage
	// Fault is the payload of an event of a fault; nil for other events, and if the payload is no fault.
	Fault *Fault
	// Payload is the payload as JSON.
	Payload json.RawMessage
	// Raw is the whole body.
	Raw json.RawMessage
}

// VerifyWebhook checks that the body of a request was signed with the webhook's shared key, by its header
// X-Fleetio-Webhook-Signature, and returns the event. The body must be as it was received, byte for byte. The error is
// [ErrWebhookSignature] or [ErrWebhookBody], or that the key is empty.
//
// The service expects a 200 within 30 s: store the event, respond, and handle it later. Otherwise it sends the event
// again, five times in the first hour, then hourly for 24 hours. Events may arrive out of order and more than once: handle
// each ID once.
func VerifyWebhook(body []byte, header http.Header, key string) (*WebhookEvent, error) {
	if key == "" {
		return nil, errors.New("fleetio: webhook: the key is empty")
	}
	signature, err := hex.DecodeString(header.Get("X-Fleetio-Webhook-Signature"))
	h := hmac.New(sha256.New, []byte(key))
	h.Write(body)
	if err != nil || !hmac.Equal(signature, h.Sum(nil)) {
		return nil, ErrWebhookSignature
	}
	properties, _, err := webhookObject.decode(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWebhookBody, err)
	}
	event := &WebhookEvent{TriggeredBy: properties.TriggeredBy, Payload: properties.Payload, Raw: body}
	_ = json.Unmarshal(properties.Event, &event.Event)
	_ = json.Unmarshal(properties.Timestamp, &event.Timestamp)
	if json.Unmarshal(properties.ID, &event.ID) != nil {
		event.ID = string(properties.ID)
	}
	if event.ID == "" || event.Event == "" {
		return nil, fmt.Errorf("%w: its property id or event is missing", ErrWebhookBody)
	}
	if string(event.TriggeredBy) == "null" {
		event.TriggeredBy = nil
	}
	if strings.HasPrefix(event.Event, "fault_") {
		if fault, err := decodeFault(event.Payload); err == nil {
			event.Fault = fault
		}
	}
	return event, nil
}

// webhookObject reads the body of a webhook. The contract has no webhooks, which OpenAPI has from version 3.1 on.
var webhookObject = newObjectReader[struct {
	ID          json.RawMessage `json:"id"`
	Event       json.RawMessage `json:"event"`
	Timestamp   json.RawMessage `json:"timestamp"`
	TriggeredBy json.RawMessage `json:"triggered_by"`
	Payload     json.RawMessage `json:"payload"`
}]()
