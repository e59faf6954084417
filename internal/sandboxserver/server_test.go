package sandboxserver_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetcontract/fleetio-go/internal/sandboxserver"
)

// TestServerIsBounded holds that nobody can keep a connection, or make the server read, for ever.
func TestServerIsBounded(t *testing.T) {
	t.Parallel()
	s := sandboxserver.New(http.NotFoundHandler())
	assert.Positive(t, s.ReadHeaderTimeout)
	assert.Positive(t, s.ReadTimeout)
	assert.Greater(t, s.WriteTimeout, s.ReadTimeout, "or nobody could be told that the body came too late")
	assert.Positive(t, s.IdleTimeout)
	assert.Positive(t, s.MaxHeaderBytes)
	assert.True(t, s.Protocols.HTTP1() && s.Protocols.UnencryptedHTTP2())
}
