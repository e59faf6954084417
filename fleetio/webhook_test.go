package fleetio_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

const webhookKey = "shared-key"

// sign returns the header of a webhook with this body.
func sign(body, key string) http.Header {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(body))
	return http.Header{"X-Fleetio-Webhook-Signature": {hex.EncodeToString(h.Sum(nil))}}
}

const webhookBody = `{"id":"e-1","event":"fault_created","timestamp":"2026-03-14T13:46:29Z","triggered_by":null,"payload":` + created + `}`

func TestVerifyWebhook(t *testing.T) {
	t.Parallel()
	event, err := fleetio.VerifyWebhook([]byte(webhookBody), sign(webhookBody, webhookKey), webhookKey)
	require.NoError(t, err)
	assert.Equal(t, "e-1", event.ID)
	assert.Equal(t, fleetio.WebhookFaultCreated, event.Event)
	assert.Equal(t, time.Date(2026, 3, 14, 13, 46, 29, 0, time.UTC), event.Timestamp)
	assert.Nil(t, event.TriggeredBy)
	require.NotNil(t, event.Fault)
	assert.Equal(t, int64(90210), event.Fault.ID)
	assert.JSONEq(t, created, string(event.Payload))
	assert.Equal(t, webhookBody, string(event.Raw)) //nolint:testifylint // the bytes, not the JSON

	upper := http.Header{"X-Fleetio-Webhook-Signature": {strings.ToUpper(sign(webhookBody, webhookKey).Get("X-Fleetio-Webhook-Signature"))}}
	_, err = fleetio.VerifyWebhook([]byte(webhookBody), upper, webhookKey)
	require.NoError(t, err)
}

// TestVerifyWebhookTypes has what the documentation leaves open.
func TestVerifyWebhookTypes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body  string
		id    string
		event string
		by    string
		fault int64
		time  bool
	}{
		"number":           {`{"id":17,"event":"fault_resolved","timestamp":1,"triggered_by":{"id":3},"payload":` + created + `}`, "17", fleetio.WebhookFaultResolved, `{"id":3}`, 90210, false},
		"broken payload":   {`{"id":"a","event":"fault_created","timestamp":"2026-03-14T13:46:29-06:00","payload":{"id":"x"}}`, "a", fleetio.WebhookFaultCreated, "", 0, true},
		"no payload":       {`{"id":"a","event":"fault_created"}`, "a", fleetio.WebhookFaultCreated, "", 0, false},
		"another event":    {`{"id":"a","event":"issue_created","payload":` + created + `}`, "a", "issue_created", "", 0, false},
		"another property": {`{"id":"a","event":"fault_created","x":1,"payload":` + created + `}`, "a", fleetio.WebhookFaultCreated, "", 90210, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event, err := fleetio.VerifyWebhook([]byte(c.body), sign(c.body, webhookKey), webhookKey)
			require.NoError(t, err)
			assert.Equal(t, c.id, event.ID)
			assert.Equal(t, c.event, event.Event)
			assert.Equal(t, c.by, string(event.TriggeredBy))
			assert.Equal(t, c.time, !event.Timestamp.IsZero())
			assert.Equal(t, c.fault != 0, event.Fault != nil)
			if event.Fault != nil {
				assert.Equal(t, c.fault, event.Fault.ID)
			}
		})
	}
}

func TestVerifyWebhookErrors(t *testing.T) {
	t.Parallel()
	right := sign(webhookBody, webhookKey)
	for name, c := range map[string]struct {
		body, key string
		header    http.Header
		want      error
	}{
		"no signature":   {webhookBody, webhookKey, http.Header{}, fleetio.ErrWebhookSignature},
		"no hexadecimal": {webhookBody, webhookKey, http.Header{"X-Fleetio-Webhook-Signature": {"zz"}}, fleetio.ErrWebhookSignature},
		"cut off":        {webhookBody, webhookKey, http.Header{"X-Fleetio-Webhook-Signature": {right.Get("X-Fleetio-Webhook-Signature")[:32]}}, fleetio.ErrWebhookSignature},
		"another key":    {webhookBody, "another", right, fleetio.ErrWebhookSignature},
		"another body":   {webhookBody + " ", webhookKey, right, fleetio.ErrWebhookSignature},
		"no JSON":        {"x", webhookKey, sign("x", webhookKey), fleetio.ErrWebhookBody},
		"no id":          {`{"event":"fault_created"}`, webhookKey, sign(`{"event":"fault_created"}`, webhookKey), fleetio.ErrWebhookBody},
		"no event":       {`{"id":1,"event":2}`, webhookKey, sign(`{"id":1,"event":2}`, webhookKey), fleetio.ErrWebhookBody},
		"repeated":       {`{"id":1,"id":2,"event":"x"}`, webhookKey, sign(`{"id":1,"id":2,"event":"x"}`, webhookKey), fleetio.ErrWebhookBody},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event, err := fleetio.VerifyWebhook([]byte(c.body), c.header, c.key)
			require.ErrorIs(t, err, c.want)
			assert.Nil(t, event)
			assert.NotContains(t, err.Error(), webhookKey)
		})
	}
	_, err := fleetio.VerifyWebhook([]byte(webhookBody), sign(webhookBody, ""), "")
	assert.ErrorContains(t, err, "the key is empty")
}
