package conformance

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/redact"
)

// ErrCredential says that a credential cannot be taken out of an exchange. Nothing of the exchange is in the error.
var ErrCredential = errors.New("a credential cannot be taken out of it")

// Redactor takes the credentials of several exchanges out of all of them. It is not safe for concurrent use.
type Redactor struct {
	redaction *redaction
	words     map[string]bool
	all       *redact.Redactor // for words; nil when there are new ones
}

// Redactor returns a redactor that knows no exchange yet.
func (c *Contract) Redactor() *Redactor {
	return &Redactor{redaction: c.redaction(), words: map[string]bool{}}
}

// maxRecorded is how many credentials of all exchanges are looked for.
const maxRecorded = 10_000

// Add returns a copy of an exchange without its own credentials, see [Contract.Redact], and remembers them.
func (r *Redactor) Add(ex *traffic.Exchange) (*traffic.Exchange, error) {
	own := r.redaction.credentials(ex)
	for word := range own.Words {
		if !r.words[word] {
			r.words[word], r.all = true, nil
		}
	}
	if len(r.words) > maxRecorded {
		return nil, fmt.Errorf("%w: all exchanges have more than %d different ones", ErrCredential, maxRecorded)
	}
	return r.redaction.redact(ex, own.Redactor())
}

// Redact returns a copy of an exchange without the credentials of all that were added.
func (r *Redactor) Redact(ex *traffic.Exchange) (*traffic.Exchange, error) {
	if r.all == nil {
		r.all = redact.New(slices.Collect(maps.Keys(r.words))...)
	}
	return r.redaction.redact(ex, r.all)
}

// Redact returns a copy of an exchange without its credentials, which is checked with the same result. They are those
// of the spec's security schemes, those in the headers and URLs that hold credentials whatever a spec says, and cookies
// that the server sets. Each becomes "[redacted]", behind the name of its scheme, and so does every repetition of four
// characters and more, anywhere in the exchange: in any letter case, in base64 or hex, escaped for JSON, URLs or HTML.
// In place of a number it is a number. A name that the spec uses, such as a property's, and a value of an enum are no
// credentials.
//
// The error is [ErrCredential] where one cannot be replaced: taken apart or compressed; or where the exchange holds
// more of them than can be looked for. It names the exchange, and no credential.
func (c *Contract) Redact(ex *traffic.Exchange) (*traffic.Exchange, error) {
	return c.Redactor().Add(ex)
}

// redaction is what the spec says of credentials.
type redaction struct {
	security alternative     // of all operations
	schemes  []string        // of authentication, in lower case
	words    map[string]bool // that are no credentials, in lower case: names and the values of enums
}

func (c *Contract) newRedaction() *redaction {
	r := &redaction{words: map[string]bool{}}
	for _, op := range c.operations {
		r.security = append(r.security, slices.Concat(op.security...)...)
	}
	for _, k := range r.security {
		if name, ok := strings.CutSuffix(k.prefix, " "); ok {
			r.schemes = append(r.schemes, name)
		}
	}
	r.addWords(c.source.Root)
	return r
}

// addWords adds the words below a node. Values of examples are left out: one could be a real credential.
func (r *redaction) addWords(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		for _, child := range n.Content {
			r.addWords(child)
		}
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i].Value, n.Content[i+1]
		r.words[strings.ToLower(name)] = true
		if name == "enum" {
			for _, item := range value.Content {
				r.words[strings.ToLower(item.Value)] = true
			}
		}
		if name != "example" && name != "examples" {
			r.addWords(value)
		}
	}
}

// credentials collects what an exchange has to keep to itself.
func (r *redaction) credentials(ex *traffic.Exchange) *redact.Secrets {
	s := &redact.Secrets{}
	collect(s, []alternative{r.security}, ex)
	for _, field := range ex.Response.Header.Values("Set-Cookie") {
		pair, _, _ := strings.Cut(field, ";") // RFC 6265, section 4.1
		_, value, _ := strings.Cut(pair, "=")
		s.AddWord(strings.Trim(value, ` "`))
	}
	maps.DeleteFunc(s.Words, func(word string, _ bool) bool {
		return redact.IsScheme(word, r.schemes...) || r.words[strings.ToLower(word)]
	})
	return s
}

// isCredential reports whether the spec names a header or parameter as a credential.
func (r *redaction) isCredential(in, name string) bool {
	return slices.ContainsFunc(r.security, func(k credential) bool {
		return k.in == in && (k.name == name || in == "header" && http.CanonicalHeaderKey(k.name) == name)
	})
}

func (r *redaction) redact(ex *traffic.Exchange, secrets *redact.Redactor) (*traffic.Exchange, error) {
	failed := false
	data := func(text []byte) []byte {
		result, ok := secrets.Data(text)
		failed = failed || !ok
		return result
	}
	text := func(text string) string { return string(data([]byte(text))) }
	name := func(name string) string { return strings.ReplaceAll(text(name), redact.Placeholder, redact.Name) }
	message := func(m traffic.Message) traffic.Message {
		header := m.Header
		if header != nil {
			m.Header = http.Header{}
		}
		for _, key := range slices.Sorted(maps.Keys(header)) {
			for _, value := range header[key] {
				if canonical := http.CanonicalHeaderKey(key); canonical == "Set-Cookie" ||
					slices.Contains(carriers, canonical) || r.isCredential("header", canonical) {
					value = redact.Header(canonical, value, r.schemes...)
				}
				m.Header[name(key)] = append(m.Header[name(key)], text(value))
			}
		}
		if m.Body != nil {
			m.Body = data(m.Body)
		}
		return m
	}
	u := *ex.URL
	if u.User != nil {
		u.User = redact.User(u.User)
	}
	u.Scheme, u.Host = name(u.Scheme), name(u.Host)
	u.RawQuery = text(redact.Query(u.RawQuery, func(name string) bool { return r.isCredential("query", name) }))
	for _, part := range []*string{&u.Opaque, &u.Path, &u.RawPath, &u.Fragment, &u.RawFragment} {
		*part = text(*part)
	}
	result := &traffic.Exchange{Source: text(ex.Source), Method: name(ex.Method), URL: &u, Status: ex.Status,
		Request: message(ex.Request), Response: message(ex.Response)}
	if whole := u.String(); failed || text(whole) != whole {
		source := ex.Source
		if clean, ok := secrets.Data([]byte(source)); !ok || string(clean) != source {
			source = "an exchange"
		}
		return nil, fmt.Errorf("%s: %w", source, ErrCredential)
	}
	return result, nil
}
