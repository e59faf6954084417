package sandbox

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// hidden stands where a credential stood.
const hidden = "[hidden]"

// leastHidden is how long a credential is that is looked for outside its header: a shorter one would take letters out of
// words. All that the fixtures have should be longer.
const leastHidden = 6

// history keeps the last exchanges, as they were: credentials are taken out when somebody asks.
type history struct {
	mu      sync.Mutex
	ring    []Exchange // number n is at n modulo its length
	last    int64      // number of the newest
	changed chan struct{}
}

// add keeps an exchange and gives it its number.
func (h *history) add(e *Exchange) {
	h.mu.Lock()
	h.last++
	e.Number = h.last
	if n := int64(len(h.ring)); n > 0 {
		h.ring[h.last%n] = *e
	}
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
	h.mu.Unlock()
}

func (h *history) since(number int64) []Exchange {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := int64(len(h.ring))
	from := max(number, h.last-n, 0)
	list := make([]Exchange, 0, max(h.last-from, 0))
	for i := from + 1; i <= h.last; i++ {
		list = append(list, h.ring[i%n])
	}
	return list
}

func (h *history) wait(ctx context.Context, number int64) error {
	for {
		h.mu.Lock()
		if h.last > number {
			h.mu.Unlock()
			return nil
		}
		if h.changed == nil {
			h.changed = make(chan struct{})
		}
		changed := h.changed
		h.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// hide takes the credentials out of a copy: of their headers whatever stands there; elsewhere what stands there, and all that
// the sandbox knows.
func (s *Sandbox) hide(e *Exchange) {
	replace := s.hider(e.Header)
	e.URL = replace(e.URL)
	e.Body, e.AnswerBody = []byte(replace(string(e.Body))), []byte(replace(string(e.AnswerBody)))
	e.Header, e.AnswerHeader = hideHeader(e.Header, replace), hideHeader(e.AnswerHeader, replace)
}

// hider returns what takes credentials out of a text.
func (s *Sandbox) hider(header http.Header) func(string) string {
	pairs := slices.Clone(s.secrets)
	for _, name := range []string{"Authorization", "Account-Token"} {
		for _, value := range header[name] {
			// Both, as either could be the key.
			for _, secret := range []string{value, value[strings.LastIndexByte(value, ' ')+1:]} {
				pairs = appendSecret(pairs, secret)
			}
		}
	}
	return strings.NewReplacer(pairs...).Replace
}

func appendSecret(pairs []string, secret string) []string {
	if len(secret) < leastHidden {
		return pairs
	}
	return append(pairs, secret, hidden)
}

func hideHeader(header http.Header, replace func(string) string) http.Header {
	if header == nil {
		return nil
	}
	clone := make(http.Header, len(header))
	for name, values := range header {
		for _, value := range values {
			switch scheme, _, has := strings.Cut(value, " "); {
			case name == "Authorization" && has && strings.EqualFold(scheme, "Token") && strings.TrimSpace(value[len(scheme):]) != "":
				value = scheme + " " + hidden
			case (name == "Authorization" || name == "Account-Token" || name == "Cookie" || name == "Proxy-Authorization") && strings.TrimSpace(value) != "":
				value = hidden
			default:
				value = replace(value)
			}
			clone[name] = append(clone[name], value)
		}
	}
	return clone
}
