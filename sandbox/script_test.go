package sandbox_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

func TestShares(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.WithTrouble(0.1, sandbox.Fail(503)), sandbox.WithTrouble(0.5, sandbox.Fail(500)))
	var got []string
	for range 20 {
		got = append(got, strconv.Itoa(post(t, s, whole).StatusCode))
	}
	want := strings.Fields("201 500 201 500 201 500 201 500 201 503 500 500 201 500 201 500 201 500 201 503")
	assert.Equal(t, want, got)
}

// TestSharesAfterNext holds that what is scripted for single calls does not add up to a burst.
func TestSharesAfterNext(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.WithTrouble(0.5, sandbox.Fail(500)))
	for range 10 {
		s.Next(sandbox.Fail(422))
	}
	var got []string
	for range 16 {
		got = append(got, strconv.Itoa(post(t, s, whole).StatusCode))
	}
	assert.Equal(t, strings.Repeat("422 ", 10)+"201 500 201 500 201 500", strings.Join(got, " "))
}

func TestEveryCall(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.WithTrouble(1, sandbox.Fail(500)), sandbox.WithNext(sandbox.Fail(422)))
	s.Next(sandbox.Fail(403))
	for _, want := range []int{422, 403, 500, 500} {
		assert.Equal(t, want, post(t, s, whole).StatusCode)
	}
}

func TestParseTrouble(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct {
		want   string // statuses
		befell string // the calls that met it
	}{
		"500": {"500 500 500", "123"}, "503@next": {"503 201 201", "1"}, "422@50%": {"201 422 201", "2"}, "429=30s": {"429 429 429", "123"},
		"drop-after@100%": {"0 0 0", "123"}, "media-type=text/html@next": {"201 201 201", "1"}, "truncate@34%": {"201 201 201", "3"},
		"delay=1ms": {"201 201 201", "123"}, "deviate=202/status/undocumented@next": {"202 201 201", "1"}, "malform": {"201 201 201", "123"},
		"503=2s@next": {"503 201 201", "1"}, "drop-before@next": {"0 201 201", "1"},
	} {
		option, err := sandbox.ParseTrouble(text)
		require.NoError(t, err, text)
		s := sandbox.Start(t, option)
		var got []string
		for range 3 {
			response, err := http.DefaultClient.Do(request(t, s, whole))
			if err != nil {
				got = append(got, "0")
				continue
			}
			got = append(got, strconv.Itoa(response.StatusCode))
			_ = response.Body.Close()
		}
		assert.Equal(t, c.want, strings.Join(got, " "), text)
		var befell []byte
		what, _, _ := strings.Cut(text, "@")
		for i, e := range s.Requests() {
			if e.Trouble != "" {
				befell = strconv.AppendInt(befell, int64(i+1), 10)
				assert.Equal(t, what, e.Trouble)
			}
		}
		assert.Equal(t, c.befell, string(befell), text)
	}
	for _, text := range []string{
		"", "200", "600", "no", "@next", "500@0%", "500@101%", "500@x%", "500@NaN%", "delay", "delay=", "delay=-1s", "delay=soon", "429=-1s", "truncate=1", "media-type=", "deviate=", "deviate=201/body/id/minimum/zer0",
	} {
		_, err := sandbox.ParseTrouble(text)
		assert.Error(t, err, text)
	}
}
