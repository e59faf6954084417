package sandbox

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
)

// answer is what goes out. It is the ResponseWriter of the generated code, which so writes what can still be changed.
type answer struct {
	status int
	header http.Header // of the ResponseWriter that it goes to, by canonical names
	body   []byte
}

// Header implements [http.ResponseWriter].
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements [http.ResponseWriter].
func (a *answer) Write(p []byte) (int, error) {
	a.body = append(a.body, p...)
	return len(p), nil
}

// reset makes room for another answer, where the first one was not finished.
func (a *answer) reset() {
	a.status, a.body = 0, nil
	delete(a.header, "Content-Type")
	delete(a.header, "Location")
}

var jsonType = []string{"application/json"}

// created is the answer to a fault that was stored. It is written as it was stored, instead of once more.
type created struct {
	location string
	body     []byte
}

// VisitCreateFaultResponse implements [fleetioserver.CreateFaultResponseObject].
func (c *created) VisitCreateFaultResponse(w http.ResponseWriter) error {
	header := w.Header()
	header["Content-Type"] = jsonType
	header["Location"] = []string{c.location}
	w.WriteHeader(http.StatusCreated)
	a, _ := w.(*answer) // front has no other
	a.body = c.body
	return nil
}

// problem makes a problem object. Instance is drawn, so that a log can be searched for it.
func problem(status int, detail string) fleetioapi.Problem {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	instance := "/problems/" + hex.EncodeToString(id[:])
	return fleetioapi.Problem{Status: int64(status), Title: cmp.Or(http.StatusText(status), "Error"), Detail: &detail, Instance: &instance}
}

// undocumented is a problem of a status that the operation's page does not have. The generated code knows no such answer.
func (a *answer) undocumented(status int, detail string) {
	a.reset()
	a.header["Content-Type"] = jsonType
	a.status = status
	if status == http.StatusMethodNotAllowed {
		a.header["Allow"] = []string{http.MethodPost} // RFC 9110, section 15.5.6
	}
	var err error
	if a.body, err = json.Marshal(problem(status, detail)); err != nil {
		panic(err) // texts and a number: nothing in them can fail
	}
}

// refuse writes a documented error.
func (a *answer) refuse(with fleetioserver.CreateFaultResponseObject) {
	a.reset()
	if err := with.VisitCreateFaultResponse(a); err != nil {
		panic(err) // a problem, a list of messages: nothing in them can fail
	}
}

func (s *Sandbox) unauthorized(a *answer, detail string) {
	a.refuse(fleetioserver.CreateFault401JSONResponse(problem(http.StatusUnauthorized, detail)))
	if s.plainUnauthorized {
		a.header["Content-Type"] = []string{"text/plain; charset=utf-8"}
		a.body = []byte("HTTP Token: Access denied")
	}
	a.header["Www-Authenticate"] = []string{`Token realm="Fleetio sandbox"`} // RFC 9110, section 15.5.2
}

func (s *Sandbox) forbidden(a *answer, detail string) {
	a.refuse(fleetioserver.CreateFault403JSONResponse(problem(http.StatusForbidden, detail)))
	if s.emptyForbidden {
		delete(a.header, "Content-Type")
		a.body = nil
	}
}

func invalid(problems map[string][]string) fleetioserver.CreateFault422JSONResponse {
	return fleetioserver.CreateFault422JSONResponse{Errors: problems}
}

func (a *answer) limited(wait int64) {
	a.refuse(fleetioserver.CreateFault429JSONResponse{
		Body:    fleetioapi.RateLimited{Error: "Rate limit exceeded. Try again in " + seconds(wait) + ", or use the Bulk API."},
		Headers: fleetioserver.CreateFault429ResponseHeaders{RetryAfter: wait},
	})
}

func seconds(n int64) string {
	if n == 1 {
		return "1 second"
	}
	return strconv.FormatInt(n, 10) + " seconds"
}

// failed writes a 500. The reason is for people, and may be empty.
func (a *answer) failed(reason string) {
	detail := "The request could not be processed."
	if reason != "" {
		detail = "The request could not be processed: " + reason + "."
	}
	a.refuse(fleetioserver.CreateFault500JSONResponse(problem(http.StatusInternalServerError, detail)))
}
