package sandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
)

// digest stands for a credential. It is salted, so that how long a look into the map takes tells nothing about a key.
type digest [sha256.Size]byte

// keyring knows who may call.
type keyring struct {
	salt  [16]byte
	known map[digest]*credential // by API key
}

// credential is an API key with the account token that must come with it.
type credential struct {
	token   digest
	account *account
	key     *APIKey
	mayDo   bool // it has the permission to create faults
}

func (k *keyring) add(a *account) {
	for i := range a.APIKeys {
		key := &a.APIKeys[i]
		k.known[k.digest(key.Key)] = &credential{token: k.digest(a.Token), account: a, key: key,
			mayDo: slices.Contains(key.Permissions, CreateFaults)}
	}
}

func (k *keyring) digest(secret string) digest {
	var buffer [128]byte // no allocation for keys of a usual length
	return sha256.Sum256(append(append(buffer[:0], k.salt[:]...), secret...))
}

// find returns whose credentials a request has. Where there is nobody, why is for the answer. Both are always weighed, and
// compared in constant time.
func (k *keyring) find(header http.Header) (found *credential, why string) {
	authorization, tokens := header["Authorization"], header["Account-Token"]
	switch {
	case len(authorization) == 0 || strings.TrimSpace(authorization[0]) == "":
		return nil, "The header Authorization is missing. It is the word Token, a space and an API key."
	case len(tokens) == 0 || strings.TrimSpace(tokens[0]) == "":
		return nil, "The header Account-Token is missing."
	case len(authorization) > 1 || len(tokens) > 1:
		return nil, "A credential was sent more than once."
	}
	scheme, secret, _ := strings.Cut(authorization[0], " ")
	if secret = strings.TrimSpace(secret); !strings.EqualFold(scheme, "Token") || secret == "" {
		return nil, "The header Authorization is not the word Token, a space and an API key."
	}
	token := k.digest(tokens[0])
	known, right := k.known[k.digest(secret)]
	if !right {
		known = &credential{}
	}
	if subtle.ConstantTimeCompare(known.token[:], token[:]) != 1 || !right {
		return nil, "The API key or the account token is not valid, or they do not belong together."
	}
	return known, ""
}
