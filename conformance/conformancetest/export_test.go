package conformancetest

import (
	"net/http"
	"net/http/httptest"
)

// DetectedType returns the type that [Middleware] detects for a response.
func DetectedType(handler http.HandlerFunc, method string) string {
	w := &copyingWriter{ResponseWriter: httptest.NewRecorder()}
	handler(flushingWriter{w}, httptest.NewRequest(method, "/x", nil))
	w.commit(http.StatusOK)
	return w.message(method).Header.Get("Content-Type")
}
