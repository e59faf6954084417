package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/report"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

var (
	tags       = regexp.MustCompile(`<[^>]*>`)
	ownTag     = regexp.MustCompile(`^(<!doctype html>|</?[a-z0-9]+( [a-zA-Z-]+(="[^"<>]*")?)*/?>)$`)
	values     = regexp.MustCompile(`="[^"]*"`)
	loading    = regexp.MustCompile(`(?i)<(img|link|iframe|object|embed|base|script)|\s(on\w+|src|srcset|style|action)=`)
	elsewhere  = regexp.MustCompile(`href="[^#]`)
	pageOpened = regexp.MustCompile(`(?s)^<!doctype html>.*</html>\n$`)
)

// checkPage fails for markup that is not the page's own, and for whatever would load something.
func checkPage(t *testing.T, data []byte) {
	t.Helper()
	page := string(data)
	assert.Regexp(t, pageOpened, page)
	for _, element := range []string{"style", "script"} { // whose content is no markup
		before, rest, found := strings.Cut(page, "<"+element+">")
		content, after, _ := strings.Cut(rest, "</"+element+">")
		require.True(t, found, element)
		assert.NotRegexp(t, `@import|url\(|fetch|http`, content)
		page = before + after
	}
	for _, tag := range tags.FindAllString(page, -1) {
		if !ownTag.MatchString(tag) || loading.MatchString(values.ReplaceAllString(tag, "=")) || elsewhere.MatchString(tag) {
			assert.Fail(t, "foreign markup", tag)
		}
	}
	assert.Equal(t, 1, strings.Count(page, "Content-Security-Policy"))
}

// page returns the page for a report.
func page(t *testing.T, r *conformance.Report, o report.Options) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, report.Write(&b, "html", r, o))
	checkPage(t, b.Bytes())
	return b.String()
}

// verified returns the report for an exchange, and the exchange as the page has it.
func verified(t *testing.T, ex *traffic.Exchange) (*conformance.Report, report.Options) {
	t.Helper()
	contract := load(t)
	kept := &report.Exchanges{}
	r, err := contract.Verify(func(yield func(*traffic.Exchange, error) bool) { yield(ex, nil) }, conformance.Options{
		Deviating: func(ex *traffic.Exchange, findings []conformance.Finding) { kept.Add(contract, ex, findings) }})
	require.NoError(t, err)
	require.NotEmpty(t, r.Deviations)
	return r, report.Options{Source: testspec.Spec, Exchanges: kept}
}

// exchange returns an accepted request whose response has the id 0, and text everywhere.
func exchange(t *testing.T, text string) *traffic.Exchange {
	t.Helper()
	body, err := json.Marshal(map[string]any{"vehicle_id": 1, "code": text, text: text})
	require.NoError(t, err)
	response, err := json.Marshal(map[string]any{"id": 0, text: text})
	require.NoError(t, err)
	return &traffic.Exchange{Source: "a.har#/" + text, Method: http.MethodPost, Status: 201,
		URL:      &url.URL{Scheme: "https", Host: "secure.fleetio.com", Path: "/api/v1/faults", RawQuery: url.Values{text: {text}}.Encode()},
		Request:  traffic.Message{Header: http.Header{"Authorization": {"Token " + secret}, "Account-Token": {secret + "2"}, "X-Text": {text}}, Body: body},
		Response: traffic.Message{Header: http.Header{"Content-Type": {"application/json"}, "X-Text": {text}}, Body: response}}
}

// TestHTMLIsEscaped has syntax of HTML, scripts, URLs and templates in every string of the report and of the exchange.
func TestHTMLIsEscaped(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"element":   "</pre><script>alert(1)</script><img src=x onerror=alert(1)>",
		"attribute": `" onmouseover="alert(1)" x='` + "`",
		"URL":       "javascript:alert(1)",
		"end":       "</title></style></script><!-- ]]>",
		"template":  "{{.Verdict}}${x}",
		"entity":    "&lt;script&gt;",
		"control":   unprintable,
		"line":      "a\nb\r\nc",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, o := verified(t, exchange(t, text))
			shown := page(t, r, o)
			assert.Contains(t, shown, "<h4>Request</h4>")
			assert.NotContains(t, shown, secret)
			assert.Empty(t, raw.FindString(shown))
			filled, problems := expecting(t)
			fill(reflect.ValueOf(filled), text)
			older, _ := expecting(t)
			shown = page(t, filled, report.Options{Spec: text, Problems: append(problems, text), Older: older})
			assert.Contains(t, shown, `<section id="trend">`)
			assert.Empty(t, raw.FindString(shown))
		})
	}
}

// TestHTMLMarksTheValue of a finding in the exchange and in the spec, and gives a command with variables for credentials.
func TestHTMLMarksTheValue(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		edit func(*traffic.Exchange)
		want []string
	}{
		"a value":           {nil, []string{"&#34;id&#34;: <mark>0</mark>", "<mark>          minimum: 1\n</mark>"}},
		"a missing header":  {nil, []string{"201 Created\nContent-Type: application/json\nX-Text: it&#39;s"}},
		"a header":          {nil, []string{"<mark>X-Text: it&#39;s</mark>"}},
		"a query parameter": {nil, []string{"<mark>POST /api/v1/faults?it%27s=it%27s</mark>"}},
		"a status":          {func(ex *traffic.Exchange) { ex.Status = 418 }, []string{"<mark>418 I&#39;m a teapot</mark>"}},
		"no JSON":           {func(ex *traffic.Exchange) { ex.Response.Body = []byte("{x") }, []string{"<mark>{x</mark>"}},
		"no body":           {func(ex *traffic.Exchange) { ex.Response.Body, ex.Response.BodyOmitted = nil, true }, []string{"(the body was not recorded)"}},
		"a large body": {func(ex *traffic.Exchange) { ex.Request.Body = bytes.Repeat([]byte("x"), 40<<10) },
			[]string{"(a body of more than 32 KiB)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ex := exchange(t, "it's")
			if test.edit != nil {
				test.edit(ex)
			}
			r, o := verified(t, ex)
			shown := page(t, r, o)
			for _, want := range test.want {
				assert.Contains(t, shown, want)
			}
		})
	}
}

// TestHTMLCommand runs the command of a page with a curl that prints its arguments.
func TestHTMLCommand(t *testing.T) {
	t.Parallel()
	shellPath, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no POSIX shell")
	}
	for _, text := range []string{"it's", "$(id) `id` \\ \"", "-x", "a\nb", "''"} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			ex := exchange(t, text)
			r, o := verified(t, ex)
			_, rest, found := strings.Cut(page(t, r, o), "<h4>Send it again</h4><pre tabindex=\"0\">")
			require.True(t, found)
			command, _, _ := strings.Cut(rest, "</pre>")
			command = html.UnescapeString(command)
			run := func(environment ...string) (string, error) {
				cmd := exec.CommandContext(t.Context(), shellPath, "-c", "curl() { printf '<%s>' \"$@\"; }\n"+command)
				cmd.Env = environment
				out, err := cmd.Output()
				return string(out), err
			}
			out, err := run("AUTHORIZATION=key", "ACCOUNT_TOKEN=account")
			require.NoError(t, err, command)
			assert.Equal(t, fmt.Sprintf("<--include><--globoff><--path-as-is><--noproxy><*><--request><POST><--header><Account-Token: account><--header><Authorization: Token key>"+
				"<--header><X-Text: %s><--header><Accept:><--header><User-Agent:><--header><Content-Type:><--data-raw><%s><--url><%s>", text, ex.Request.Body, ex.URL), out)
			_, err = run()
			require.Error(t, err, "a missing credential is an error")
		})
	}
}

// TestHTMLTrend lists what is new, gone and changed since an older report.
func TestHTMLTrend(t *testing.T) {
	t.Parallel()
	older, r := verify(t, recordings+"/drift.har"), verify(t, recordings+"/minimum.har")
	shown := page(t, r, report.Options{Older: older})
	for _, want := range []string{
		`<th scope="row">drift</th><td>2</td><td>0</td>`,
		`<th scope="row">drift: createFault 201: response.header /X-Api-Version undocumented-header</th><td>reported</td><td>gone</td>`,
		`<th scope="row">documented: createFault 201: response.body /id minimum</th><td></td><td>new</td>`,
		`<th scope="row">response.body#/components/schemas/Fault/properties/id/minimum</th><td>supported</td><td>refuted</td>`,
	} {
		assert.Contains(t, shown, want)
	}
	older.Spec.SHA256 = "other"
	assert.Contains(t, page(t, r, report.Options{Older: older}), "the older report is of another spec")
}

// TestExchangesAreTheFirst, in whatever order they come, and bounded.
func TestExchangesAreTheFirst(t *testing.T) {
	t.Parallel()
	contract := load(t)
	kept := &report.Exchanges{}
	finding := func(i, index int) []conformance.Finding {
		return []conformance.Finding{{Fingerprint: fmt.Sprintf("%04d", i), Index: int64(index)}}
	}
	for i := range 300 {
		for _, index := range []int{2, 1, 3} {
			ex := exchange(t, "x")
			ex.Request.Body = fmt.Appendf(nil, "exchange %d of %d", index, i)
			kept.Add(contract, ex, finding(299-i, index))
		}
	}
	r := verify(t, recordings+"/conformant-minimal.har")
	for i := range 300 {
		r.Deviations = append(r.Deviations, conformance.Deviation{Fingerprint: fmt.Sprintf("%04d", i), Source: conformance.Drift})
	}
	shown := page(t, r, report.Options{Exchanges: kept})
	assert.Equal(t, 200, strings.Count(shown, "<h4>Request</h4>"))
	assert.Len(t, regexp.MustCompile(`</h4><pre tabindex="0">POST[^<]*exchange 1 of`).FindAllString(shown, -1), 200)
	assert.NotContains(t, shown, "exchange 1 of 99<")
}
