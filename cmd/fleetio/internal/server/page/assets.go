package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"strconv"
)

var (
	//go:embed assets/page.css
	css []byte
	//go:embed assets/page.js
	js []byte

	style  = newAsset("page", ".css", "text/css; charset=utf-8", css)
	script = newAsset("page", ".js", "text/javascript; charset=utf-8", js)
	assets = map[string]asset{style.path: style, script.path: script}
)

// asset is a file whose name changes with its content, so that a browser keeps it for good, and never an old one.
type asset struct {
	path, mediaType string
	content         []byte
}

func newAsset(name, extension, mediaType string, content []byte) asset {
	sum := sha256.Sum256(content)
	return asset{"/assets/" + name + "-" + hex.EncodeToString(sum[:8]) + extension, mediaType, content}
}

func (a asset) serve(w http.ResponseWriter) {
	w.Header().Set("Content-Type", a.mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.content)))
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.content) // a reader that went away misses nothing
}
