package conformance

import (
	"net/http"
	"net/http/httptest"
)

// GuessedType is the type that [Middleware] takes an answer for.
func GuessedType(handler http.HandlerFunc, method string) string {
	w := &copyingWriter{ResponseWriter: httptest.NewRecorder()}
	handler(flushingWriter{w}, httptest.NewRequest(method, "/x", nil))
	w.commit(http.StatusOK)
	return w.message(method).Header.Get("Content-Type")
}
