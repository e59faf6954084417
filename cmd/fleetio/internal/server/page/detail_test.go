package page

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestDropped has an answer without anything.
func TestDropped(t *testing.T) {
	t.Parallel()
	ex := plainExchange(1)
	ex.Status, ex.AnswerHeader, ex.AnswerBody = 0, nil, nil
	shown := body200(t, newPage(newStub(ex), nil), "/?exchange=1")
	_, answer, _ := strings.Cut(shown, `<h3 id="answer-title">`)
	answer, _, _ = strings.Cut(answer, "</section>")
	assert.Equal(t, `Answer</h3>
<p class="line"><code class="tag none">no answer</code></p>
<h4>Headers</h4>
<p class="note">None.</p>
<h4>Body</h4>
<p class="note">No body.</p>
`, answer)
}
