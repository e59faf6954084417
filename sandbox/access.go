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

// digest stands for an API key and the account token that must come with it. It is salted, so that the time of a look
// into the map tells nothing about them.
type digest [sha256.Size]byte

// keyring has the credentials of all accounts.
type keyring struct {
	salt  [16]byte
	known map[digest]*credential
}

// credential is an API key and its account.
type credential struct {
	digest    digest
	account   *account
	key       *APIKey
	mayCreate bool
}

func (k *keyring) add(a *account) {
	for i := range a.APIKeys {
		key := &a.APIKeys[i]
		both := k.digest(key.Key, a.Token)
		mayCreate := slices.Contains(key.Permissions, CreateFaults)
		k.known[both] = &credential{digest: both, account: a, key: key, mayCreate: mayCreate}
	}
}

func (k *keyring) digest(key, token string) digest {
	salted := append(k.salt[:len(k.salt):len(k.salt)], key...)
	return sha256.Sum256(append(append(salted, 0), token...)) // no header has a 0
}

// find returns the credential that a request has. If it has none, the problem is for the response. Both parts are
// always looked at, and compared in constant time.
func (k *keyring) find(header http.Header) (found *credential, problem string) {
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

// take counts a request. If the limit is used up it does not, and returns how long that lasts, in whole seconds.
func (w *rateWindow) take(limit int, now time.Time) (wait int64, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(now)
	if w.used >= limit {
		left := time.Unix((w.minute+1)*60, 0).Sub(now)
		return int64((left + time.Second - 1) / time.Second), false
	}
	w.used++
	return 0, true
}

// turn begins a new minute if one has begun. Of two requests, the one that comes here first may have read the clock
// last.
func (w *rateWindow) turn(now time.Time) {
	if minute := now.Unix() / 60; minute > w.minute {
		w.minute, w.used = minute, 0
	}
}

// RateLimit is the state of an account's limit in the current clock minute.
type RateLimit struct {
	Account string    // its name
	Limit   int       // requests in a minute; 0 for no limit, and then none are counted
	Used    int       // of them
	Reset   time.Time // when the minute ends
}

// RateLimits returns the state of each account, in their order.
func (s *Sandbox) RateLimits() []RateLimit {
	now := time.Now()
	reset := time.Unix((now.Unix()/60+1)*60, 0)
	var list []RateLimit
	for _, a := range s.accounts {
		a.window.mu.Lock()
		a.window.turn(now)
		list = append(list, RateLimit{Account: a.Name, Limit: s.perMinute, Used: a.window.used, Reset: reset})
		a.window.mu.Unlock()
	}
	return list
}
