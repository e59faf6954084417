package fleetio

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// placeholder replaces a credential wherever it would be printed.
const placeholder = "[redacted]"

// Credentials are the two keys that each request needs. Both are in the account's settings in Fleetio.
//
// They print, log and marshal as "[redacted]", also in the exported fields of other values. In an unexported field, fmt
// does not call their methods: do not print a struct that has one.
type Credentials struct {
	APIKey       string // identifies the user; sent as "Authorization: Token ..."
	AccountToken string // identifies the account; sent as "Account-Token"
}

// Format implements [fmt.Formatter], for every verb.
func (Credentials) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, placeholder) }

// String implements [fmt.Stringer].
func (Credentials) String() string { return placeholder }

// GoString implements [fmt.GoStringer].
func (Credentials) GoString() string { return placeholder }

// LogValue implements [slog.LogValuer].
func (Credentials) LogValue() slog.Value { return slog.StringValue(placeholder) }

// MarshalText implements [encoding.TextMarshaler], also for JSON.
func (Credentials) MarshalText() ([]byte, error) { return []byte(placeholder), nil }

// check fails on a key that is no valid header value, such as one with the line break of the file it was read from.
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

// redactor replaces the credentials in a string, also in lower case, which is how HTTP/2 sends header names.
func (c Credentials) redactor() *strings.Replacer {
	return strings.NewReplacer(c.APIKey, placeholder, c.AccountToken, placeholder,
		strings.ToLower(c.APIKey), placeholder, strings.ToLower(c.AccountToken), placeholder)
}

// redactCut redacts a string that may end within a credential. Of such a credential it leaves at most 3 characters.
func (t *transport) redactCut(s string) string {
	s = t.redactor.Replace(s)
	for _, key := range []string{t.keys.APIKey, t.keys.AccountToken} {
		for n := min(len(key)-1, len(s)); n > 3; n-- {
			if start := len(s) - n; strings.EqualFold(s[start:], key[:n]) {
				return s[:start] + placeholder
			}
		}
	}
	return s
}
