package sandbox_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// TestEditBody edits the body of a response to a request whose code is blank: {"errors":{"code":["can't be blank","must
// match a Fault Rule"]}}.
func TestEditBody(t *testing.T) {
	t.Parallel()
	const blank = `{"vehicle_id":1,"code":" "}`
	for edits, want := range map[string]string{
		`set=/errors/code=1`:                       `{"errors":{"code":1}}`,
		`set=/errors/code/0=null`:                  `{"errors":{"code":[null,"must match a Fault Rule"]}}`,
		`set=/errors/code/-=[]`:                    `{"errors":{"code":["can't be blank","must match a Fault Rule",[]]}}`,
		`set=/errors/code/2="none"`:                `{"errors":{"code":["can't be blank","must match a Fault Rule"]}}`,
		`set=/errors/none/x=1`:                     `{"errors":{"code":["can't be blank","must match a Fault Rule"]}}`,
		`set=/errors=10000000000000000000000`:      `{"errors":10000000000000000000000}`,
		`set=/errors={} && set=/a~1b~0c~01=" = "`:  `{"a/b~c~1":" = ","errors":{}}`,
		`remove=/errors`:                           `{}`,
		`remove=/errors/code/0`:                    `{"errors":{"code":["must match a Fault Rule"]}}`,
		`remove=/errors/none`:                      `{"errors":{"code":["can't be blank","must match a Fault Rule"]}}`,
		`remove=/errors/code/x`:                    `{"errors":{"code":["can't be blank","must match a Fault Rule"]}}`,
		`body=`:                                    ``,
		`body={"a":1,"a":2`:                        `{"a":1,"a":2`,
		`set=/errors=1 && body=x && set=/errors=2`: `x && set=/errors=2`,
		`body=x`:                  `x`,
		`set=/errors="<>&\ud800"`: `{"errors":"\u003c\u003e\u0026\ud800"}`,
		`accept && set=/code="x" && remove=/id && status=300`: ``,
	} {
		t.Run(edits, func(t *testing.T) {
			t.Parallel()
			option, err := sandbox.ParseFailure(edits)
			require.NoError(t, err)
			got := post(t, sandbox.Start(t, option), blank)
			if strings.HasPrefix(edits, "accept") {
				assert.Equal(t, 300, got.StatusCode)
				assert.Contains(t, got.body, `"code":"x"`)
				assert.NotContains(t, got.body, `"id"`)
				return
			}
			assert.Equal(t, http.StatusUnprocessableEntity, got.StatusCode)
			if strings.HasPrefix(want, "{") && strings.HasSuffix(want, "}") {
				assert.JSONEq(t, want, got.body)
			} else {
				assert.Equal(t, want, got.body)
			}
		})
	}
}

func TestEditHeader(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edits  []string
		header string
		want   []string
	}{
		"set":           {[]string{"header=location=/2"}, "Location", []string{"/2"}},
		"set to =":      {[]string{"header=Location=/?a=b"}, "Location", []string{"/?a=b"}},
		"empty":         {[]string{"header=Location="}, "Location", []string{""}},
		"removed":       {[]string{"header=Location"}, "Location", nil},
		"Go's removed":  {[]string{"header=Date"}, "Date", nil},
		"two fields":    {[]string{"header=Location=/2", "header=Location=/3"}, "Location", []string{"/2", "/3"}},
		"type":          {[]string{"type=text/html"}, "Content-Type", []string{"text/html"}},
		"without type":  {[]string{"header=Content-Type"}, "Content-Type", nil},
		"with a status": {[]string{"status=204", "header=X-A=b"}, "X-A", []string{"b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sandbox.Start(t)
			s.InjectNext(sandbox.Edit(c.edits...))
			got := post(t, s, whole)
			assert.True(t, slices.Equal(c.want, got.Header.Values(c.header)), "%q", got.Header.Values(c.header))
			assert.NotEmpty(t, post(t, s, whole).Header.Get("Location"), "one response only")
			assert.Len(t, s.Faults(), 2, "the fault is created")
		})
	}
}

// TestEditLeavesOthersAlone edits what other failures make.
func TestEditLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	s := sandbox.Start(t, sandbox.WithEmptyForbidden())
	s.InjectNext(sandbox.Fail(403).And(sandbox.Edit("set=/status=0")), sandbox.Fail(429).And(sandbox.Edit("set=/error=0")))
	assert.Empty(t, post(t, s, whole).body, "there is no JSON")
	got := post(t, s, whole)
	assert.Equal(t, "1", got.Header.Get("Retry-After"))
	assert.Equal(t, `{"error":0}`, got.body)
	require.ErrorContains(t, s.Sandbox.InjectNext(sandbox.Edit("status=200", "no")), `failure "no": unknown; there are `)
	require.ErrorContains(t, s.Sandbox.InjectNext(sandbox.Edit()), "there is no failure")
	require.ErrorContains(t, s.Sandbox.InjectNext(sandbox.Fail(500).And(sandbox.Failure{})), "a function of this package makes one")
}
