package probe

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/generate"
)

// placeholder stands for a credential until a request is sent, as in redacted recordings, and invalid for a wrong one.
const (
	placeholder = "[redacted]"
	invalid     = "fleetio-probe-wrong"
	// restrictedPlaceholder stands for a credential of [Target.Restricted].
	restrictedPlaceholder = "[restricted]"
)

// draft is a request before it is written. Drafts are copied, never changed.
type draft struct {
	op          *operation
	values      map[conformance.Part]any // the body, and the parameters as objects by name
	contentType string
	raw         *string           // the body, if it is not the JSON of the value
	credentials map[string]string // by scheme; without one, the request lacks it
	method      string            // "" for that of the operation
}

// with returns the draft with another value at a path of a part.
func (d draft) with(part conformance.Part, path []string, value any) draft {
	return d.withPart(part, generate.Replaced(d.values[part], path, value))
}

func (d draft) withPart(part conformance.Part, whole any) draft {
	d.values = maps.Clone(d.values)
	d.values[part] = whole
	return d
}

// withCredential returns the draft with another credential; "" for none.
func (d draft) withCredential(scheme, value string) draft {
	d.credentials = maps.Clone(d.credentials)
	if d.credentials[scheme] = value; value == "" {
		delete(d.credentials, scheme)
	}
	return d
}

func (d draft) withRaw(contentType, body string) draft {
	d.contentType, d.raw = contentType, &body
	return d
}

var templated = regexp.MustCompile(`\{[^{}/]+\}`)

// exchange writes the request. Not every value of a parameter can be written.
func (d draft) exchange() (*traffic.Exchange, bool) {
	ok := true
	write := func(part conformance.Part, name string) []string {
		values, _ := d.values[part].(map[string]any)
		p := d.op.parameters[part].byName[name]
		if _, has := values[name]; !has || p == nil {
			ok = ok && p != nil && part != conformance.RequestPath
			return nil
		}
		texts, isWritable := p.Write(values[name])
		ok = ok && isWritable && p.IsWritable(texts)
		return texts
	}
	pairs := func(part conformance.Part) (all []string) {
		values, _ := d.values[part].(map[string]any)
		for _, name := range generate.SortedKeys(values) {
			all = append(all, write(part, name)...)
		}
		return all
	}
	path := templated.ReplaceAllStringFunc(d.op.path, func(name string) string {
		return strings.Join(write(conformance.RequestPath, strings.Trim(name, "{}")), "")
	})
	u, err := url.Parse(d.op.base + path)
	if err != nil {
		return nil, false
	}
	ex := &traffic.Exchange{Method: d.op.method, URL: u, Request: traffic.Message{Header: http.Header{"Accept": {"application/json"}}}}
	if d.method != "" {
		ex.Method = d.method
	}
	u.RawQuery = strings.Join(pairs(conformance.RequestQuery), "&")
	for name := range d.op.parameters[conformance.RequestHeader].byName {
		if texts := write(conformance.RequestHeader, name); len(texts) > 0 {
			ex.Request.Header.Set(name, texts[0])
		}
	}
	if cookies := pairs(conformance.RequestCookie); len(cookies) > 0 {
		ex.Request.Header.Set("Cookie", strings.Join(cookies, "; "))
	}
	if d.raw != nil {
		ex.Request.Body = []byte(*d.raw)
	} else if body, has := d.values[conformance.RequestBody]; has {
		ex.Request.Body = []byte(generate.Encode(body))
	}
	if len(ex.Request.Body) > 0 && d.contentType != "" {
		ex.Request.Header.Set("Content-Type", d.contentType)
	}
	for _, c := range d.op.credentials {
		if value, has := d.credentials[c.scheme]; has {
			c.set(ex, value)
		}
	}
	return ex, ok
}

// set adds the credential to a request, in place of another value of it.
func (c credential) set(ex *traffic.Exchange, value string) {
	switch c.in {
	case "query":
		query := ex.URL.Query()
		query.Set(c.name, value)
		ex.URL.RawQuery = query.Encode()
	case "cookie":
		others := http.Request{Header: ex.Request.Header}
		var kept []string
		for _, cookie := range others.Cookies() {
			if cookie.Name != c.name {
				kept = append(kept, cookie.String())
			}
		}
		ex.Request.Header.Set("Cookie", strings.Join(append(kept, c.name+"="+value), "; "))
	default:
		ex.Request.Header.Set(c.name, value)
	}
}

// get returns the credential of a request; "" for none.
func (c credential) get(ex *traffic.Exchange) string {
	switch c.in {
	case "query":
		return ex.URL.Query().Get(c.name)
	case "cookie":
		if cookie, err := (&http.Request{Header: ex.Request.Header}).Cookie(c.name); err == nil {
			return cookie.Value
		}
		return ""
	}
	return ex.Request.Header.Get(c.name)
}
