package page

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestDropped has a response without anything.
func TestDropped(t *testing.T) {
	t.Parallel()
	ex := plainExchange(1)
	ex.Status, ex.ResponseHeader, ex.ResponseBody = 0, nil, nil
	shown := body200(t, newPage(newStub(ex), nil), "/?exchange=1")
	_, response, _ := strings.Cut(shown, `<h3 id="response-title">`)
	response, _, _ = strings.Cut(response, "</section>")
	assert.Equal(t, `Response</h3>
<p class="line"><code class="tag none">no response</code></p>
<h4>Headers</h4>
<p class="note">None.</p>
<h4>Body</h4>
<p class="note">No body.</p>
`, response)
}
