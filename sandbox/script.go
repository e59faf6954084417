package sandbox

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// script says which call meets which trouble.
type script struct {
	armed    atomic.Bool // there may be some
	mu       sync.Mutex
	next     []Trouble
	standing []*standing
}

// standing is trouble for a share of the calls.
type standing struct {
	share       float64
	trouble     Trouble
	calls, made int
}

// Next makes trouble in the next calls of the operation, one each, after what was scripted before. The error is that of
// trouble that cannot be made, such as a deviation that there is not; then nothing is scripted.
func (s *Sandbox) Next(t ...Trouble) error {
	for _, t := range t {
		if err := t.check(); err != nil {
			return err
		}
	}
	s.script.mu.Lock()
	defer s.script.mu.Unlock()
	s.script.next = append(s.script.next, t...)
	s.script.armed.Store(true)
	return nil
}

// due returns the trouble of the call that begins; the zero one where it has none.
func (s *script) due() Trouble {
	if !s.armed.Load() {
		return Trouble{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.next) > 0 {
		t := s.next[0]
		s.next = s.next[1:]
		return t
	}
	for _, st := range s.standing {
		st.calls++
	}
	for _, st := range s.standing {
		// A share such as 0.1 is a little less in binary, and must not be late for it.
		if due := int(math.Floor(float64(st.calls)*st.share + 1e-9)); st.made < due {
			st.made++
			return st.trouble
		}
	}
	s.armed.Store(len(s.standing) > 0)
	return Trouble{}
}

// ParseTrouble reads what the flag --trouble takes, and returns [WithTrouble] or [WithNext] of it: WHAT, WHAT@10% or
// WHAT@next, for each call, for a share of the calls, or for the next call. WHAT is a status from 400 to 599, 429=30s,
// 503=5s, delay=250ms, truncate, malform, media-type=text/html, drop-before, drop-after or deviate=NAME.
func ParseTrouble(text string) (Option, error) {
	what, when := text, ""
	if i := strings.LastIndexByte(text, '@'); i >= 0 && (strings.HasSuffix(text, "%") || text[i:] == "@next") {
		what, when = text[:i], text[i+1:]
	}
	t, err := parseWhat(what)
	if err == nil {
		err = t.check()
	}
	if err != nil {
		return nil, err
	}
	if when == "next" {
		return WithNext(t), nil
	}
	share := 1.0
	if when != "" {
		percent, err := strconv.ParseFloat(strings.TrimSuffix(when, "%"), 64)
		if share = percent / 100; err != nil || !(share > 0 && share <= 1) {
			return nil, fmt.Errorf("sandbox: %q is no share above 0%% and at most 100%%", when)
		}
	}
	return WithTrouble(share, t), nil
}

// timed is the trouble that takes a duration.
var timed = map[string]func(time.Duration) Trouble{"delay": Delay, "429": RateLimited, "503": Unavailable}

func parseWhat(text string) (Trouble, error) {
	name, value, has := strings.Cut(text, "=")
	switch simple := map[string]func() Trouble{"truncate": Truncate, "malform": Malform, "drop-before": DropBefore, "drop-after": DropAfter}[name]; {
	case simple != nil && !has:
		return simple(), nil
	case has && timed[name] != nil:
		d, err := time.ParseDuration(value)
		if err != nil {
			return Trouble{}, fmt.Errorf("sandbox: trouble %q: %q is no duration such as 1.5s", text, value)
		}
		return timed[name](d), nil
	case name == "media-type" && value != "":
		return MediaType(value), nil
	case name == "deviate" && value != "":
		return Deviate(value), nil
	}
	if status, err := strconv.Atoi(text); err == nil {
		return Fail(status), nil
	}
	return Trouble{}, errors.New("sandbox: there is no trouble " + strconv.Quote(text) +
		"; there are a status from 400 to 599, 429=30s, 503=5s, delay=250ms, truncate, malform, media-type=text/html, drop-before, drop-after and deviate=NAME")
}
