package sandbox

import "net/http"

// answerExample answers an operation that the sandbox has no behaviour for.
func (s *Sandbox) answerExample(w http.ResponseWriter, _ *http.Request, operationID string) {
	c := w.(*exchange) //nolint:forcetypeassert // the router passes its own ResponseWriter on
	c.problem(http.StatusNotImplemented, "The sandbox has no behaviour for "+operationID+".")
}
