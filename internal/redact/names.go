package redact

import (
	"bytes"
	"strings"
)

// Names has the names of headers, parameters, cookies and JSON properties that are credentials. nil has those of
// [IsCredential].
type Names struct {
	also, parameters map[string]bool // folded
	public           map[string]bool
	ends             endings
}

// NewNames returns the names of [IsCredential] and others: also are names everywhere, parameters those of parameters in
// URLs and forms only. Values in public, in lower case, are no credentials, such as the enum values of a spec.
func NewNames(also, parameters []string, public map[string]bool) *Names {
	n := &Names{also: map[string]bool{}, parameters: map[string]bool{}, public: public, ends: defaultNames.ends}
	for _, name := range also {
		n.also[fold(name)] = true
		n.ends.add(name)
	}
	for _, name := range parameters {
		n.parameters[fold(name)] = true
		n.ends.add(name)
	}
	return n
}

// defaultNames are those of IsCredential.
var defaultNames = func() *Names {
	n := &Names{}
	for _, list := range credentialNames {
		for _, c := range list {
			n.ends.add(c.name)
		}
	}
	return n
}()

// IsCredential reports whether a header or a parameter of this name usually is a credential. Letter case and punctuation
// do not matter.
func IsCredential(name string) bool { return defaultNames.Has(name) }

// Has reports whether a header, a parameter or a cookie of this name is a credential.
func (n *Names) Has(name string) bool {
	place, ok := n.orDefault().find([]byte(name))
	return ok && place != code
}

func (n *Names) orDefault() *Names {
	if n == nil {
		return defaultNames
	}
	return n
}

// place says where a name is that of a credential.
type place byte

const (
	suffix    place = iota // at the end of a longer name, too
	whole                  // alone
	parameter              // alone, and not as the name of a JSON property
	code                   // alone, and if it is that of an authorization code, see isCode
)

type credentialName struct {
	name  string
	place place
}

// credentialNames are the names of credentials by their last letter.
var credentialNames = func() (byEnd [256][]credentialName) {
	for at, names := range map[place]string{
		suffix: "token secret password passwd passphrase passcode pwd passwordconfirmation passwordconfirm passwordhash " +
			"passworddigest apikey accesskey secretkey privatekey signingkey masterkey sharedkey subscriptionkey functionskey " +
			"authkey sessionkey sessionid sessid cookie credential credentials jwt csrf xsrf assertion samlresponse " +
			"codeverifier onetimecode",
		whole: "authorization proxyauthorization xauthorization auth xauth session sid connectsid bearer userpass " +
			"otp totp oauthverifier",
		parameter: "key sig signature xamzsignature xgoogsignature oauthsignature pass ticket",
		code:      "code",
	} {
		for name := range strings.FieldsSeq(names) {
			end := name[len(name)-1]
			byEnd[end] = append(byEnd[end], credentialName{name, at})
		}
	}
	return byEnd
}()

// notCredentials end the names of tokens that select a page or a change, for example in a list.
var notCredentials = []string{"pagetoken", "nexttoken", "continuationtoken", "synctoken"}

// find looks up the name of a credential.
func (n *Names) find(name []byte) (place, bool) {
	if !n.ends.has(name) {
		return 0, false
	}
	var buffer [maxName]byte
	folded := appendFolded(buffer[:0], name)
	switch {
	case n.also[string(folded)]:
		return whole, true
	case n.parameters[string(folded)]:
		return parameter, true
	}
	for _, c := range credentialNames[folded[len(folded)-1]] {
		if string(folded) == c.name {
			return c.place, true
		}
		if c.place == suffix && strings.HasSuffix(string(folded), c.name) {
			for _, other := range notCredentials {
				if strings.HasSuffix(string(folded), other) {
					return 0, false
				}
			}
			return suffix, true
		}
	}
	return 0, false
}

// fold returns the letters (in lower case) and digits of a name, so that access_token, accessToken and Access-Token are
// the same.
func fold(name string) string { return string(appendFolded(nil, []byte(name))) }

func appendFolded(dst, name []byte) []byte {
	for _, c := range name {
		if alphanumeric[c] {
			dst = append(dst, lower[c])
		}
	}
	return dst
}

// endings is a set of the last three letters and digits of names, which excludes most other names.
type endings [1 << 15 / 64]uint64

func (e *endings) add(name string) {
	bit, _ := ending([]byte(name))
	e[bit>>6] |= 1 << (bit & 63)
}

func (e *endings) has(name []byte) bool {
	bit, ok := ending(name)
	return ok && e[bit>>6]&(1<<(bit&63)) != 0
}

// ending returns the lowest five bits of each of the last three letters and digits, and false if there is none.
func ending(name []byte) (bits uint32, ok bool) {
	for i, left := len(name)-1, 3; i >= 0 && left > 0; i-- {
		if c := name[i]; alphanumeric[c] {
			bits = bits<<5 | uint32(c&31)
			left--
			ok = true
		}
	}
	return bits, ok
}

// isPublic reports whether a value is no credential.
func (n *Names) isPublic(value []byte) bool {
	const maxPublic = 256
	return len(n.public) > 0 && len(value) <= maxPublic && n.public[string(bytes.ToLower(value))]
}
