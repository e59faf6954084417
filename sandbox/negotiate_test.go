package sandbox_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAccept(t *testing.T) {
	t.Parallel()
	s := start(t)
	for accept, status := range map[string]int{
		"application/json": 201, "*/*": 201, "application/*": 201, "text/html, */*;q=0.1": 201, "application/json;q=0.5, text/html": 201, ";": 201,
		"*": 201, "text/html, image/gif, *; q=.2, */*; q=.2": 201, "garbage": 201,
		"text/html": 406, "application/json;q=0": 406, "*/*, application/json;q=0": 406, "application/problem+json": 406,
	} {
		got := post(t, s, `{"vehicle_id":1,"code":"P0420"}`, set("Accept", accept))
		assert.Equal(t, status, got.StatusCode, accept)
	}
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, name := range []string{"application/json; charset=utf-8", `Application/JSON;charset="UTF-8"`, "application/json; version=1"} {
		got := post(t, s, `{"vehicle_id":1,"code":"P0420"}`, set("Content-Type", name), set("Authorization", "token "+s.Credentials.APIKey))
		assert.Equal(t, http.StatusCreated, got.StatusCode, name)
	}
}

// TestNotEncoded is about what says that there is no encoding.
func TestNotEncoded(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, encoding := range []string{"", "identity", "Identity"} {
		assert.Equal(t, http.StatusCreated, post(t, s, whole, set("Content-Encoding", encoding)).StatusCode, encoding)
	}
}
