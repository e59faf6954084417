package fleetio

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// hidden stands where a credential stood.
const hidden = "[redacted]"

// Credentials are the two API keys that each call needs. They come from the account's settings in Fleetio.
//
// They print, log and marshal as "[redacted]", by themselves and in the exported fields of other values. The package fmt
// does not ask a value in an unexported field how it wants to be printed: do not print a struct that has one there.
type Credentials struct {
	APIKey       string // who calls; sent as "Authorization: Token ..."
	AccountToken string // the account that is acted on; sent as "Account-Token"
}

// Format implements [fmt.Formatter], which covers every verb.
func (Credentials) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// String implements [fmt.Stringer].
func (Credentials) String() string { return hidden }

// GoString implements [fmt.GoStringer].
func (Credentials) GoString() string { return hidden }

// LogValue implements [slog.LogValuer].
func (Credentials) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements [encoding.TextMarshaler], and so covers JSON too.
func (Credentials) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// check fails on a key that no header can hold as it is, or that was not meant so: a line break from the end of a file.
func (c Credentials) check() error {
	if err := checkKey("API key", c.APIKey); err != nil {
		return err
	}
	return checkKey("account token", c.AccountToken)
}

func checkKey(name, key string) error {
	if key == "" {
		return errors.New("fleetio: the " + name + " is empty")
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("fleetio: the " + name + " has a space, a line break or another character that no key has")
	}
	return nil
}

// hider takes the credentials out of a text. HTTP/2 has the names of headers in lower case.
func (c Credentials) hider() *strings.Replacer {
	return strings.NewReplacer(c.APIKey, hidden, c.AccountToken, hidden,
		strings.ToLower(c.APIKey), hidden, strings.ToLower(c.AccountToken), hidden)
}

// hideCut takes the credentials out of a text that may end within one, of which it leaves three characters at most.
func (t *transport) hideCut(text string) string {
	text = t.hide.Replace(text)
	for _, key := range []string{t.keys.APIKey, t.keys.AccountToken} {
		for n := min(len(key)-1, len(text)); n > 3; n-- {
			if start := len(text) - n; strings.EqualFold(text[start:], key[:n]) {
				return text[:start] + hidden
			}
		}
	}
	return text
}
