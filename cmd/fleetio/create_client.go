package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/importer"
	faults "github.com/fleetcontract/fleetio-go/fleetio"
)

const (
	vendorURL   = "https://secure.fleetio.com"
	envAPIKey   = "FLEETIO_API_KEY" //nolint:gosec // the name of one
	envToken    = "FLEETIO_ACCOUNT_TOKEN"
	envBaseURL  = "FLEETIO_BASE_URL"
	mostOfKeys  = 64 << 10
	credentials = "The credentials come from " + envAPIKey + " and " + envToken + " in the environment, or from a file; no flag takes them,\n" +
		"as other users of the machine can read a command line."
)

// service is which server to call, and as whom.
type service struct {
	base     string
	keysPath string
}

func (s *service) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.base, "base-url", "", "`URL` of the server to call. By default, that in "+envBaseURL+", or else "+vendorURL+".")
	cmd.Flags().StringVar(&s.keysPath, "credentials", "",
		"`FILE` with the lines "+envAPIKey+"=... and "+envToken+"=..., for its owner's eyes only. By default, the environment.")
}

// url is the server's, without the slash that makes no difference. It may hold a password until client has refused that.
func (s *service) url() string {
	for _, base := range []string{s.base, os.Getenv(envBaseURL)} {
		if base != "" {
			return strings.TrimRight(base, "/")
		}
	}
	return vendorURL
}

// host is for people.
func (s *service) host() string {
	u, err := url.Parse(s.url())
	if err != nil {
		return "?"
	}
	return u.Host
}

// client returns a client whose calls outlast the end of the context once they are on their way, so that an interrupted
// command knows what became of each fault.
func (s *service) client() (*faults.Client, error) {
	keys, err := s.credentials()
	if err != nil {
		return nil, err
	}
	return s.clientOf(keys)
}

// credentials reads them once, as they may come from a pipe.
func (s *service) credentials() (faults.Credentials, error) {
	if s.keysPath != "" {
		return readKeys(s.keysPath)
	}
	keys := faults.Credentials{APIKey: os.Getenv(envAPIKey), AccountToken: os.Getenv(envToken)}
	if keys.APIKey == "" || keys.AccountToken == "" {
		return keys, errors.New("the credentials are missing: set " + envAPIKey + " and " + envToken + ", or name a file by --credentials")
	}
	return keys, nil
}

// clientOf is client for credentials that were read already.
func (s *service) clientOf(keys faults.Credentials) (*faults.Client, error) {
	client, err := faults.NewClient(keys, faults.WithBaseURL(s.url()), faults.WithUserAgent("fleetio/"+version()),
		faults.WithHTTPClient(&http.Client{Transport: importer.Patient{Next: http.DefaultTransport}}))
	if err != nil {
		return nil, errors.New(importer.Plain(err))
	}
	return client, nil
}

// readKeys reads credentials from lines of NAME=VALUE. No error repeats what stands in the file.
func readKeys(path string) (faults.Credentials, error) {
	var none faults.Credentials
	f, err := os.Open(path)
	if err != nil {
		return none, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return none, err
	}
	// Windows has no such bits, and Go makes them up there.
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return none, fmt.Errorf("%s can be read by others (mode %04o): chmod 600 it, and think about new keys", path, info.Mode().Perm())
	}
	values := map[string]string{}
	lines := bufio.NewScanner(io.LimitReader(f, mostOfKeys))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		name, value, is := strings.Cut(text, "=")
		_, again := values[name]
		switch {
		case !is:
			return none, fmt.Errorf("%s:%d: no line of NAME=VALUE", path, n)
		case again:
			return none, fmt.Errorf("%s:%d: a name stands there twice", path, n)
		case strings.HasPrefix(value, `"`) || strings.HasPrefix(value, "'"):
			return none, fmt.Errorf("%s:%d: the value is in quotes, which would be taken for a part of it", path, n)
		}
		values[name] = value
	}
	if err := lines.Err(); err != nil {
		return none, fmt.Errorf("%s: %w", path, err)
	}
	for _, name := range []string{envAPIKey, envToken} {
		if values[name] == "" {
			return none, fmt.Errorf("%s: there is no %s", path, name)
		}
	}
	return faults.Credentials{APIKey: values[envAPIKey], AccountToken: values[envToken]}, nil
}
