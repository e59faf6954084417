package sandbox_test

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// TestWebhook verifies webhooks by the client.
func TestWebhook(t *testing.T) {
	t.Parallel()
	s := sandbox.Start(t)
	var last *fleetio.Fault
	for range 3 {
		fault, err := s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
		require.NoError(t, err)
		last = fault
	}
	ids := map[string]bool{}
	for _, id := range []int64{2, 3, 3} {
		r, err := s.Webhook(t.Context(), "http://127.0.0.1/hook", "shared", id)
		require.NoError(t, err)
		assert.Equal(t, "http://127.0.0.1/hook", r.URL.String())
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		event, err := fleetio.VerifyWebhook(body, r.Header, "shared")
		require.NoError(t, err)
		assert.Equal(t, fleetio.WebhookFaultCreated, event.Event)
		assert.Nil(t, event.TriggeredBy)
		assert.WithinDuration(t, s.Now(), event.Timestamp, 5*time.Second)
		require.NotNil(t, event.Fault)
		assert.Equal(t, id, event.Fault.ID)
		if id == last.ID {
			assert.Equal(t, last, event.Fault)
		}
		ids[event.ID] = true
	}
	assert.Len(t, ids, 2, "a repeat has the same id")

	for name, test := range map[string]struct {
		url, key string
		fault    int64
		expected string
	}{
		"no key":   {"http://127.0.0.1", "", 1, "the key is empty"},
		"no fault": {"http://127.0.0.1", "k", 4, "there is no fault 4"},
		"fault 0":  {"http://127.0.0.1", "k", 0, "there is no fault 0"},
		"no URL":   {"http://u:secret@[", "k", 1, "the URL is none to send a request to"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := s.Webhook(t.Context(), test.url, test.key, test.fault)
			require.EqualError(t, err, "sandbox: webhook: "+test.expected)
		})
	}
}
