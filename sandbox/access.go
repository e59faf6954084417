package sandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// digest is the salted hash of an API key and an account token. Without the salt, the time of a map lookup would leak
// information about them.
type digest [sha256.Size]byte

// keyring holds the credentials of all accounts.
type keyring struct {
	salt  [16]byte
	known map[digest]*credential
}

// credential is an API key and its account.
type credential struct {
	digest  digest
	account *account
	key     *APIKey
}

// may reports whether the key has a permission.
func (c *credential) may(p Permission) bool { return slices.Contains(c.key.Permissions, p) }

func (k *keyring) add(a *account) {
	for i := range a.APIKeys {
		key := &a.APIKeys[i]
		both := k.digest(key.Key, a.Token)
		k.known[both] = &credential{digest: both, account: a, key: key}
	}
}

func (k *keyring) digest(key, token string) digest {
	salted := append(k.salt[:len(k.salt):len(k.salt)], key...)
	return sha256.Sum256(append(append(salted, 0), token...)) // no header has a 0
}

// find returns the credential of a request, or else the problem, for the response. It always compares both parts, in
// constant time.
func (k *keyring) find(header http.Header) (c *credential, problem string) {
	authorization, tokens := header["Authorization"], header["Account-Token"]
	switch {
	case len(authorization) == 0 || strings.Trim(authorization[0], " \t") == "":
		return nil, "The header Authorization is missing. It is the word Token, a space and an API key."
	case len(tokens) == 0 || strings.Trim(tokens[0], " \t") == "":
		return nil, "The header Account-Token is missing."
	case len(authorization) > 1 || len(tokens) > 1:
		return nil, "A credential was sent more than once."
	}
	scheme, secret, _ := strings.Cut(authorization[0], " ")
	if secret = strings.Trim(secret, " \t"); !strings.EqualFold(scheme, "Token") || secret == "" {
		return nil, "The header Authorization is not the word Token, a space and an API key."
	}
	both := k.digest(secret, tokens[0])
	known, exists := k.known[both]
	if !exists {
		known = &credential{}
	}
	if subtle.ConstantTimeCompare(known.digest[:], both[:]) != 1 || !exists {
		return nil, "The API key or the account token is not valid, or they do not belong together."
	}
	return known, ""
}

// rateWindow counts an account's requests in the clock minute.
type rateWindow struct {
	mu     sync.Mutex
	minute int64 // since 1970
	used   int
}

// take counts a request. If the limit is exhausted, it returns false and the seconds until the window ends, rounded up.
func (w *rateWindow) take(limit int, now time.Time) (wait int64, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(now)
	if w.used >= limit {
		left := time.Unix((w.minute+1)*60, 0).Sub(now)
		return int64((left + time.Second - 1) / time.Second), false
	}
	w.used++
	return 0, true
}

// advance moves the window to the minute of now, but never backwards: of two concurrent requests, the first to lock may
// have read the clock last.
func (w *rateWindow) advance(now time.Time) {
	if minute := now.Unix() / 60; minute > w.minute {
		w.minute, w.used = minute, 0
	}
}

// reset makes the limit start anew, whatever the minute.
func (w *rateWindow) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.minute, w.used = 0, 0
}

// RateLimit is the state of an account's limit in the current clock minute.
type RateLimit struct {
	Account string    // its name
	Limit   int       // requests in a minute; 0 for no limit
	Used    int       // requests in this minute; 0 if there is no limit
	Reset   time.Time // when the minute ends
}

// RateLimits returns the state of each account, in the order of [Sandbox.Accounts].
func (s *Sandbox) RateLimits() []RateLimit {
	now := s.Now()
	reset := time.Unix((now.Unix()/60+1)*60, 0)
	var list []RateLimit
	for _, a := range s.accounts {
		a.window.mu.Lock()
		a.window.advance(now)
		list = append(list, RateLimit{Account: a.Name, Limit: s.perMinute, Used: a.window.used, Reset: reset})
		a.window.mu.Unlock()
	}
	return list
}
