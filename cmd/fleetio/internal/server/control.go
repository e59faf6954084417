package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/fixture"
	"github.com/fleetcontract/fleetio-go/conformance/report"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/gen/controlserver"
	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

const (
	controlBase    = "/_sandbox"
	maxControlBody = 4 << 20 // bytes of a request, as of a fixture file
	maxListed      = 1000    // faults in a response
	defaultListed  = 100
	maxWait        = 60 // seconds; less than the time that a response may take
)

// controlSpec describes the control API.
//
//go:embed control.yaml
var controlSpec []byte

// Control is the control API of a sandbox, which control.yaml describes.
type Control struct {
	// Journal observes the sandbox.
	Journal *Journal
	// Token is what callers send as "Authorization: Bearer TOKEN"; "" for no check.
	Token string
	// New returns a sandbox as at the start, with the fixtures of the start or, if there are any, with others. It is nil if
	// the faults are in a file.
	New func(*sandbox.Fixtures) (*sandbox.Sandbox, error)
}

// control serves the control API of a server.
type control struct {
	*Control

	server   *Server
	stopping chan struct{} // closed when the server stops
	origins  *http.CrossOriginProtection
	mux      *http.ServeMux
}

var _ controlserver.ServerInterface = (*control)(nil)

func newControl(c *Control, s *Server) *control {
	served := &control{Control: c, server: s, stopping: make(chan struct{}), origins: http.NewCrossOriginProtection(), mux: http.NewServeMux()}
	controlserver.HandlerWithOptions(served, controlserver.StdHTTPServerOptions{
		BaseURL: controlBase, BaseRouter: served.mux,
		ErrorHandlerFunc: func(w http.ResponseWriter, _ *http.Request, err error) {
			problem(w, http.StatusBadRequest, err.Error())
		},
	})
	served.mux.HandleFunc("GET "+controlBase+"/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(controlSpec) // fails if the client has disconnected
	})
	return served
}

// ServeHTTP implements [http.Handler]. A website cannot use the API through the browser of a developer: the server checks
// the host, and here are checked the origin of what changes something, and the media type of bodies.
func (c *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range map[string]string{
		"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin", "X-Content-Type-Options": "nosniff",
	} {
		w.Header().Set(name, value)
	}
	if c.Token != "" && !authorized(r, c.Token) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		problem(w, http.StatusUnauthorized, "The header Authorization is not Bearer and the token of --control-token.")
		return
	}
	if err := c.origins.Check(r); err != nil {
		problem(w, http.StatusForbidden, "The request is from a page of another origin.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxControlBody)
	c.mux.ServeHTTP(w, r)
}

// authorized reports whether a request has the token. It compares hashes, so that the time tells nothing about the token, its length included.
func authorized(r *http.Request, known string) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sentSum, knownSum := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(known))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(sentSum[:], knownSum[:]) == 1
}

// problem responds with an error (RFC 9457).
func problem(w http.ResponseWriter, status int, detail string) {
	respond(w, status, "application/problem+json", controlserver.Problem{Status: int64(status), Title: http.StatusText(status), Detail: detail})
}

func respond(w http.ResponseWriter, status int, mediaType string, body any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // fails if the client has disconnected
}

func respondOK(w http.ResponseWriter, body any) {
	respond(w, http.StatusOK, "application/json", body)
}

// readBody reads the body, of one of the media types, and reports whether it could.
func readBody(w http.ResponseWriter, r *http.Request, mediaTypes ...string) ([]byte, bool) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(mediaTypes, mediaType) {
		problem(w, http.StatusUnsupportedMediaType, "The Content-Type of the body must be "+strings.Join(mediaTypes, " or ")+".")
		return nil, false
	}
	body, err := io.ReadAll(r.Body)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		problem(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is longer than %d bytes.", maxControlBody))
		return nil, false
	}
	if err != nil {
		problem(w, http.StatusBadRequest, "The body could not be read to its end.")
		return nil, false
	}
	return body, true
}

// decode reads a JSON body, and reports whether it could.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	body, ok := readBody(w, r, "application/json")
	if !ok {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && d.More() {
		err = errors.New("there is more than one value")
	}
	if err != nil {
		problem(w, http.StatusBadRequest, "The body is not the JSON that is expected: "+strings.TrimPrefix(err.Error(), "json: "))
		return false
	}
	return true
}

// inRange returns a parameter or its default, and reports whether it is in its range.
func inRange(w http.ResponseWriter, name string, value *int64, byDefault, low, high int64) (int64, bool) {
	if value == nil {
		return byDefault, true
	}
	if *value < low || *value > high {
		problem(w, http.StatusBadRequest, fmt.Sprintf("The parameter %s is a number from %d to %d.", name, low, high))
		return 0, false
	}
	return *value, true
}

// onlyKnown reports whether the query has no other parameters than these. A misspelt filter would let everything pass.
func onlyKnown(w http.ResponseWriter, r *http.Request, names ...string) bool {
	for name := range r.URL.Query() {
		if !slices.Contains(names, name) {
			problem(w, http.StatusBadRequest, fmt.Sprintf("There is no parameter %q; there are %s.", name, strings.Join(names, ", ")))
			return false
		}
	}
	return true
}

// ListFailures implements [controlserver.ServerInterface].
func (c *control) ListFailures(w http.ResponseWriter, _ *http.Request) {
	respondOK(w, controlserver.Failures{Failures: c.server.Sandbox().Failures()})
}

// AddFailures implements [controlserver.ServerInterface].
func (c *control) AddFailures(w http.ResponseWriter, r *http.Request) {
	var body controlserver.Failures
	if !decode(w, r, &body) {
		return
	}
	if body.Failures == nil {
		problem(w, http.StatusBadRequest, "The property failures is missing. It is a list of strings.")
		return
	}
	if err := c.server.Sandbox().Inject(body.Failures...); err != nil {
		c.invalid(w, err)
		return
	}
	c.ListFailures(w, r)
}

// ClearFailures implements [controlserver.ServerInterface].
func (c *control) ClearFailures(w http.ResponseWriter, _ *http.Request) {
	c.server.Sandbox().ClearFailures()
	w.WriteHeader(http.StatusNoContent)
}

// Reset implements [controlserver.ServerInterface].
func (c *control) Reset(w http.ResponseWriter, r *http.Request) {
	if c.New == nil {
		problem(w, http.StatusConflict, "The faults are in the file of --db, and stay there. Use another file, or none.")
		return
	}
	var fixtures *sandbox.Fixtures
	if r.ContentLength != 0 {
		body, ok := readBody(w, r, "application/json", "application/yaml")
		if !ok {
			return
		}
		if len(body) > 0 {
			parsed, err := fixture.Parse("body", body)
			if err != nil {
				problem(w, http.StatusUnprocessableEntity, err.Error())
				return
			}
			fixtures = &parsed
		}
	}
	box, err := c.New(fixtures)
	if err != nil {
		c.invalid(w, err)
		return
	}
	before := c.server.use(box)
	c.Journal.Clear()
	_ = before.Close() // it is in memory
	w.WriteHeader(http.StatusNoContent)
}

// ListAccounts implements [controlserver.ServerInterface].
func (c *control) ListAccounts(w http.ResponseWriter, _ *http.Request) {
	respondOK(w, sandbox.Fixtures{Accounts: c.server.Sandbox().Accounts()})
}

// ListStoredFaults implements [controlserver.ServerInterface].
func (c *control) ListStoredFaults(w http.ResponseWriter, r *http.Request, params controlserver.ListStoredFaultsParams) {
	limit, ok := inRange(w, "limit", params.Limit, defaultListed, 1, maxListed)
	if !ok || !onlyKnown(w, r, "account", "limit") {
		return
	}
	account := int64(0)
	if params.Account != nil {
		if account = *params.Account; account < 1 {
			problem(w, http.StatusBadRequest, "The parameter account is a number from 1.")
			return
		}
	}
	records, err := c.server.Sandbox().NewestRecords(r.Context(), account, int(limit))
	if err != nil {
		problem(w, http.StatusInternalServerError, "The store cannot be read: "+c.server.Sandbox().Redact(err.Error()))
		return
	}
	list := make([]json.RawMessage, len(records))
	for i, record := range records {
		list[len(list)-1-i] = record.JSON()
	}
	respondOK(w, map[string]any{"faults": list})
}

// ReadJournal implements [controlserver.ServerInterface].
func (c *control) ReadJournal(w http.ResponseWriter, r *http.Request, params controlserver.ReadJournalParams) {
	const maxNumber = 1 << 62
	since, ok := inRange(w, "since", params.Since, 0, 0, maxNumber)
	if !ok {
		return
	}
	status, ok := inRange(w, "status", params.Status, -1, 0, 999)
	if !ok {
		return
	}
	wait, ok := inRange(w, "wait", params.Wait, 0, 0, maxWait)
	if !ok || !onlyKnown(w, r, "since", "operation", "status", "wait") {
		return
	}
	if id := params.Operation; id != nil && !slices.ContainsFunc(fleetioserver.Operations, func(o fleetioserver.Operation) bool { return o.ID == *id }) {
		problem(w, http.StatusBadRequest, fmt.Sprintf("The contract has no operation %q.", *id))
		return
	}
	selects := func(e *sandbox.Exchange) bool {
		return (status < 0 || int64(e.Status) == status) && (params.Operation == nil || e.Operation == *params.Operation)
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(wait)*time.Second)
	defer cancel()
	for {
		added := c.Journal.Added() // before the look, so that none is missed
		box := c.server.Sandbox()
		latest := box.Latest()
		numbers := selected(box, since, latest, selects)
		if len(numbers) == 0 {
			select {
			case <-added:
				continue
			case <-c.stopping:
			case <-ctx.Done():
			}
		}
		w.Header().Set("Sandbox-Latest", strconv.FormatInt(latest, 10))
		if len(numbers) == 0 {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		c.writeExchanges(w, box, numbers)
		return
	}
}

// selected returns the numbers of the exchanges in the history above one number and up to another, ascending.
func selected(box *sandbox.Sandbox, above, upTo int64, selects func(*sandbox.Exchange) bool) (numbers []int64) {
	for n := upTo; n > above; n-- {
		e, kept := box.Unredacted(n)
		if !kept {
			break
		}
		if selects(&e) {
			numbers = append(numbers, n)
		}
	}
	slices.Reverse(numbers)
	return numbers
}

// ClearJournal implements [controlserver.ServerInterface].
func (c *control) ClearJournal(w http.ResponseWriter, _ *http.Request) {
	c.server.Sandbox().ClearRequests()
	c.Journal.Clear()
	w.WriteHeader(http.StatusNoContent)
}

// GetVerdict implements [controlserver.ServerInterface].
func (c *control) GetVerdict(w http.ResponseWriter, _ *http.Request) {
	verdict, _ := c.Journal.Report(c.server.Sandbox().Redact)
	w.Header().Set("Content-Type", "application/json")
	_ = report.Write(w, "json", verdict, report.Options{}) // fails if the client has disconnected
}

// GetClock implements [controlserver.ServerInterface].
func (c *control) GetClock(w http.ResponseWriter, _ *http.Request) {
	respondOK(w, controlserver.Clock{Now: c.server.Sandbox().Now().UTC()})
}

// SetClock implements [controlserver.ServerInterface].
func (c *control) SetClock(w http.ResponseWriter, r *http.Request) {
	var body struct{ Now *time.Time }
	if !decode(w, r, &body) {
		return
	}
	if body.Now == nil {
		problem(w, http.StatusBadRequest, "The property now is missing. It is a time such as 2026-03-14T13:46:27Z.")
		return
	}
	c.moved(w, r, c.server.Sandbox().SetTime(*body.Now))
}

// AdvanceClock implements [controlserver.ServerInterface].
func (c *control) AdvanceClock(w http.ResponseWriter, r *http.Request) {
	var body controlserver.AdvanceClockJSONBody
	if !decode(w, r, &body) {
		return
	}
	by, err := time.ParseDuration(body.By)
	if err != nil {
		problem(w, http.StatusUnprocessableEntity, fmt.Sprintf("The property by is a duration with its unit, such as 45s or 1m30s, not %q.", body.By))
		return
	}
	c.moved(w, r, c.server.Sandbox().Advance(by))
}

// invalid responds with the reason of the sandbox.
func (c *control) invalid(w http.ResponseWriter, err error) {
	problem(w, http.StatusUnprocessableEntity, c.server.Sandbox().Redact(strings.TrimPrefix(err.Error(), "sandbox: ")))
}

func (c *control) moved(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		c.invalid(w, err)
		return
	}
	c.GetClock(w, r)
}

// writeExchanges writes exchanges without credentials. The URL of the server is in front of theirs.
func (c *control) writeExchanges(w io.Writer, box *sandbox.Sandbox, numbers []int64) {
	base, _ := url.Parse(c.server.URL()) // it is a URL
	for _, n := range numbers {
		e, kept := box.Exchange(n)
		if !kept {
			continue
		}
		ex := exchangeOf(&e)
		ex.URL = base.ResolveReference(ex.URL)
		if traffic.WriteNDJSON(w, ex) != nil { // the client has disconnected
			return
		}
	}
}
