package sandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
)

// digest stands for an API key and the account token that must come with it. It is salted, so that how long a look into the
// map takes tells nothing about them.
type digest [sha256.Size]byte

// keyring knows who may call.
type keyring struct {
	salt  [16]byte
	known map[digest]*credential
}

// credential is an API key and its account.
type credential struct {
	digest  digest
	account *account
	key     *APIKey
	mayDo   bool // it has the permission to create faults
}

func (k *keyring) add(a *account) {
	for i := range a.APIKeys {
		key := &a.APIKeys[i]
		both := k.digest(key.Key, a.Token)
		k.known[both] = &credential{digest: both, account: a, key: key, mayDo: slices.Contains(key.Permissions, CreateFaults)}
	}
}

func (k *keyring) digest(key, token string) digest {
	var buffer [192]byte // no allocation for those of a usual length
	salted := append(append(buffer[:0], k.salt[:]...), key...)
	return sha256.Sum256(append(append(salted, 0), token...)) // no header has a 0
}

// find returns whose credentials a request has. Where there is nobody, why is for the answer. Both are always weighed, and
// compared in constant time.
func (k *keyring) find(header http.Header) (found *credential, why string) {
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
	known, right := k.known[both]
	if !right {
		known = &credential{}
	}
	if subtle.ConstantTimeCompare(known.digest[:], both[:]) != 1 || !right {
		return nil, "The API key or the account token is not valid, or they do not belong together."
	}
	return known, ""
}
