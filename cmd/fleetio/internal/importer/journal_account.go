package importer

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
)

// account tells an Account-Token from others, and not what it is. The key is random, so that no table of digests finds
// the token, and two journals do not show that they are of one account.
type account struct {
	key, digest []byte // of sha256.Size bytes; nil where a journal has none
}

func newAccount(token string) account {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // which never fails
	return account{key, digestToken(key, token)}
}

func (a account) hasToken(token string) bool {
	return a.digest != nil && hmac.Equal(a.digest, digestToken(a.key, token))
}

func digestToken(key []byte, token string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(token))
	return h.Sum(nil)
}
