package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/generate"
)

// Target is a server to send requests to.
type Target struct {
	// URL is the base URL, in place of that of the server in the spec.
	URL string
	// Credentials has the values of the credentials by security scheme: of a header the whole value, such as "Token KEY".
	Credentials map[string]string
	// Restricted has the credentials of a caller without the permission to change anything, see [Options].
	Restricted map[string]string
	// Transport sends the requests (default a transport with a new connection for each).
	Transport http.RoundTripper
	// Rate limits the requests in a clock minute (default 0: no limit).
	Rate int
	// MaxCreates ends the requests that may make records once so many were made, expected or not (default 0: no limit).
	MaxCreates int
	// Done is called after each request (default nil).
	Done func(Outcome)
}

// Outcome is what became of a case.
type Outcome struct {
	Case     *Case
	Request  *traffic.Exchange     // with placeholders for credentials; its URL has no host
	URL      string                // of the request, likewise
	Exchange *traffic.Exchange     // without credentials; without a response if there was none
	Findings []conformance.Finding // see [conformance.Contract.Check]
	Problem  string                // why the response is not as expected; "" if it is
	Leaked   string                // the record that the server should not have made: its Location and id; "" for none
}

// Evidence is the exchange as it is checked: without a request body whose unknown property would count as drift, which is
// that of the probe.
func (o *Outcome) Evidence() *traffic.Exchange {
	if !strings.HasSuffix(o.Case.Name, unknownProperty) {
		return o.Exchange
	}
	ex := *o.Exchange
	ex.Request.Body, ex.Request.BodyOmitted = nil, true
	return &ex
}

// Failed reports whether the exchange violates the contract or the expectation.
func (o *Outcome) Failed() bool {
	return o.Problem != "" || slices.ContainsFunc(o.Findings, func(f conformance.Finding) bool { return f.Fails() })
}

// Result is the result of a run. After an interrupt or a 429 it is about what was sent until then.
type Result struct {
	Report   *conformance.Report
	Outcomes []Outcome // a case whose request was repeated after a 429 has several
	Problems []string
	Unsent   []Omission
}

const (
	maxBody       = 1 << 20 // bytes
	timeout       = 30 * time.Second
	maxRetryAfter = 5 * time.Minute // a longer wait ends the run
	maxSilent     = 3               // so many requests in a row without a response end it, too
)

// run is the state of a run.
type run struct {
	plan    *Plan
	target  Target
	ledger  *conformance.Ledger
	hide    *conformance.Redactor // for the credentials of all requests: a server may repeat one that a request lacks
	result  *Result
	created int
	silent  int                                                // requests in a row without a response
	learned map[*operation]map[conformance.Part]map[string]any // values that responses had for parameters
	window  time.Time                                          // the clock minute
	sent    int                                                // in it
}

// Run sends the requests of the plan, one after the other. The error is that of the target; a server that does not respond
// is a problem in the result.
func (p *Plan) Run(ctx context.Context, t Target) (*Result, error) {
	u, err := url.Parse(t.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the base URL is not one such as https://HOST or https://HOST/BASE")
	}
	for _, c := range p.credentials {
		if t.Credentials[c.scheme] == "" {
			return nil, fmt.Errorf("there is no credential for the security scheme %s", c.scheme)
		}
	}
	if t.Transport == nil {
		// The server may close a connection after a bad request, and the next request would fail.
		t.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	}
	r := &run{plan: p, target: t, ledger: p.contract.NewLedger(), hide: p.contract.Redactor(), result: &Result{},
		learned: map[*operation]map[conformance.Part]map[string]any{}}
	for _, c := range p.Cases {
		r.hide.Add(p.withCredentials(c.Request, t.Credentials, t.Restricted))
	}
	r.sendAll(ctx, p.Cases)
	r.result.Report = r.ledger.Report()
	return r.result, nil
}

// unlinked is why a request is not sent before others.
const unlinked = "no earlier response has the value that it needs"

// sendAll sends the requests of cases; those that need the value of a response, which the others had not, at the end.
func (r *run) sendAll(ctx context.Context, cases []*Case) {
	var later []*Case
	for i, c := range cases {
		switch why := r.blocked(ctx, c); why {
		case "":
			if why := r.try(ctx, c); why != "" {
				for _, c := range append(later, cases[i:]...) {
					r.omit(c, why)
				}
				return
			}
		case unlinked:
			later = append(later, c)
		default:
			r.omit(c, why)
		}
	}
	if len(later) < len(cases) {
		r.sendAll(ctx, later)
		return
	}
	for _, c := range later {
		r.omit(c, unlinked)
	}
}

func (r *run) omit(c *Case, why string) {
	r.result.Unsent = append(r.result.Unsent, Omission{c.Name, why})
}

// blocked returns why a request is not sent; "" if it is.
func (r *run) blocked(ctx context.Context, c *Case) string {
	switch {
	case ctx.Err() != nil:
		return "interrupted"
	case changes(c.Request.Method) && r.target.MaxCreates > 0 && r.created >= r.target.MaxCreates:
		return fmt.Sprintf("%d records were made, which is the limit", r.created)
	case r.full():
		return fmt.Sprintf("the limit is %d requests", r.plan.options.MaxRequests)
	case !r.isLinked(c):
		return unlinked
	}
	return ""
}

// full reports whether no more requests are allowed: those after a 429 count, too.
func (r *run) full() bool {
	limit := r.plan.options.MaxRequests
	return limit > 0 && len(r.result.Outcomes) >= limit
}

// isLinked reports whether the request needs no value of an earlier response, or it is known.
func (r *run) isLinked(c *Case) bool {
	for part, name := range c.links() {
		if _, known := r.learned[c.draft.op][part][name]; !known && !r.isSet(c, part, name) {
			return false
		}
	}
	return true
}

// links are the parameters of the request that have the value of an earlier response.
func (c *Case) links() iter.Seq2[conformance.Part, string] {
	return func(yield func(conformance.Part, string) bool) {
		if c.draft.op == nil {
			return
		}
		for _, p := range parts[1:] {
			isPath := p.part == conformance.RequestPath
			if !c.linked && !isPath || isPath && (slices.Contains(c.expected.statuses, http.StatusNotFound)) {
				continue
			}
			for _, name := range c.draft.op.linked[p.part] {
				if !yield(p.part, name) {
					return
				}
			}
		}
	}
}

func (r *run) isSet(c *Case, part conformance.Part, name string) bool {
	_, where, _ := strings.Cut(string(part), ".")
	_, isSet := r.plan.options.Set[c.draft.op.id+"/"+where+"/"+name]
	return isSet
}

// try sends a request, and once more after a 429. It returns why the run ends; "" if it goes on.
func (r *run) try(ctx context.Context, c *Case) (ends string) {
	for again := range 2 {
		if !r.pace(ctx) {
			return "interrupted"
		}
		o := r.send(ctx, c)
		if o.Exchange.Status != http.StatusTooManyRequests {
			if r.silent == maxSilent {
				return "the server does not respond"
			}
			return ""
		}
		seconds, err := strconv.ParseUint(o.Exchange.Response.Header.Get("Retry-After"), 10, 31)
		wait := time.Duration(seconds) * time.Second
		if again == 1 || err != nil || wait > maxRetryAfter || r.full() {
			return "rate limited" + map[bool]string{true: "; Retry-After is " + strconv.FormatUint(seconds, 10) + " s", false: ""}[err == nil]
		}
		if !sleep(ctx, wait) {
			return "interrupted"
		}
	}
	return ""
}

// pace waits until the rate allows a request. It returns false if the context ends.
func (r *run) pace(ctx context.Context) bool {
	now := time.Now().Truncate(time.Minute)
	if !now.Equal(r.window) {
		r.window, r.sent = now, 0
	}
	if r.target.Rate > 0 && r.sent == r.target.Rate {
		if !sleep(ctx, time.Until(now.Add(time.Minute))) {
			return false
		}
		return r.pace(ctx)
	}
	r.sent++
	return ctx.Err() == nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// send sends a request and checks the exchange.
func (r *run) send(ctx context.Context, c *Case) *Outcome {
	from := r.request(c)
	ex := r.plan.withCredentials(from, r.target.Credentials, r.target.Restricted)
	ex.Source = c.Name
	shown, err := r.hide.Redact(from) // a recorded one may have others than those of the schemes
	if err != nil {
		shown = &traffic.Exchange{Method: from.Method, URL: &url.URL{Path: from.URL.Path}}
	}
	o := &Outcome{Case: c, Request: shown, URL: r.url(shown)}
	// A request in flight ends: an interrupt must not hide a record that it makes.
	err = r.roundTrip(context.WithoutCancel(ctx), ex)
	if err == nil && c.draft.op != nil {
		r.learn(c.draft.op, ex)
	}
	r.hide.Add(ex)
	redacted, hidden := r.hide.Redact(ex)
	if hidden != nil { // the response is not shown, and counts as none
		redacted, err = from, errors.Join(err, hidden)
	}
	ex, o.Exchange = redacted, redacted
	o.Findings, _ = r.ledger.Add(o.Evidence()) // no operation has an undocumented method, and an error has no response
	isFinding := slices.ContainsFunc(o.Findings, func(f conformance.Finding) bool { return f.Fails() })
	r.silent++
	if err == nil {
		r.silent = 0
	}
	switch {
	case err != nil:
		o.Problem = "no response: " + reason(err)
	case ex.Status == http.StatusTooManyRequests, c.allows(ex.Status), isFinding:
	default:
		o.Problem = fmt.Sprintf("expected %s, found %d%s", c.Expected(), ex.Status, excerpt(ex.Response.Body))
	}
	if err == nil && ex.Status/100 == 2 && changes(ex.Method) {
		r.created++
		if !c.Creates && !c.expected.isAny() {
			o.Leaked = strings.TrimSpace(ex.Response.Header.Get("Location") + " " + idOf(ex.Response.Body))
		}
	}
	if o.Problem != "" {
		r.result.Problems = append(r.result.Problems, c.Name+": "+o.Problem)
	}
	r.result.Outcomes = append(r.result.Outcomes, *o)
	if r.target.Done != nil {
		r.target.Done(*o)
	}
	return o
}

// request returns the request of a case with the values that earlier responses had.
func (r *run) request(c *Case) *traffic.Exchange {
	d := c.draft
	if d.op == nil {
		return c.Request
	}
	for part, name := range c.links() {
		if value, known := r.learned[d.op][part][name]; known && !r.isSet(c, part, name) {
			d = d.with(part, []string{name}, value)
		}
	}
	if ex, ok := d.exchange(); ok {
		return ex
	}
	return c.Request
}

// withCredentials returns a copy of a request with credentials in place of the placeholders.
func (p *Plan) withCredentials(from *traffic.Exchange, values, restricted map[string]string) *traffic.Exchange {
	ex, u := *from, *from.URL
	ex.URL, ex.Request.Header, ex.Status, ex.Response = &u, from.Request.Header.Clone(), 0, traffic.Message{}
	for _, c := range p.credentials {
		switch value := c.get(&ex); {
		case strings.Contains(value, restrictedPlaceholder):
			c.set(&ex, restricted[c.scheme])
		case strings.Contains(value, placeholder):
			c.set(&ex, values[c.scheme])
		}
	}
	return &ex
}

// roundTrip sends a request and adds the response to it.
func (r *run) roundTrip(ctx context.Context, ex *traffic.Exchange) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, ex.Method, r.url(ex), bytes.NewReader(ex.Request.Body))
	if err != nil {
		return err
	}
	request.Header = ex.Request.Header.Clone()
	response, err := r.target.Transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = errTooLong
	}
	if err != nil {
		return err
	}
	ex.Status, ex.Response = response.StatusCode, traffic.Message{Header: response.Header, Body: body}
	return nil
}

// url returns the URL of a request, in which the target replaces the server of the spec.
func (r *run) url(ex *traffic.Exchange) string {
	path := ex.URL.RequestURI()
	for _, o := range r.plan.operations {
		if rest, ok := strings.CutPrefix(path, o.base+"/"); ok {
			path = "/" + rest
			break
		}
	}
	return strings.TrimRight(r.target.URL, "/") + path
}

// learn keeps the values that links of the response have for parameters: the first ones, as those of a request that asked
// for everything come first.
func (r *run) learn(of *operation, ex *traffic.Exchange) {
	response := of.responses[of.responseKey(ex.Status)]
	if response == nil {
		return
	}
	body := generate.Decode(string(ex.Response.Body))
	for _, link := range response.Links {
		for name, expression := range link.Parameters {
			var value any
			if pointer, isBody := strings.CutPrefix(expression, "$response.body#"); isBody {
				value, _ = generate.Lookup(body, generate.Tokens(pointer))
			} else if header, isHeader := strings.CutPrefix(expression, "$response.header."); isHeader && ex.Response.Header.Get(header) != "" {
				value = ex.Response.Header.Get(header)
			}
			to, part, name := parameterOf(r.plan.operations, link.OperationID, name)
			if value == nil || to == nil || r.learned[to][part][name] != nil {
				continue
			}
			if r.learned[to] == nil {
				r.learned[to] = map[conformance.Part]map[string]any{}
			}
			if r.learned[to][part] == nil {
				r.learned[to][part] = map[string]any{}
			}
			r.learned[to][part][name] = value
		}
	}
}

// idOf returns the property id of a body; "" if there is none.
func idOf(body []byte) string {
	object, _ := generate.Decode(string(body)).(map[string]any)
	if id, has := object["id"]; has {
		return "id " + generate.Encode(id)
	}
	return ""
}

// excerpt returns the start of a body.
func excerpt(body []byte) string {
	const maxShown = 200
	if len(body) == 0 {
		return ""
	}
	return ": " + string(bytes.ToValidUTF8(body[:min(len(body), maxShown)], nil))
}

var errTooLong = errors.New("the body is longer than 1 MiB")

// reason describes an error without the text of net/http's error, which may quote the response.
func reason(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection was closed too early"
	case errors.Is(err, errTooLong):
		return errTooLong.Error()
	case errors.Is(err, conformance.ErrCredential):
		return "it has a credential that cannot be removed"
	}
	return "net/http cannot read the response"
}
