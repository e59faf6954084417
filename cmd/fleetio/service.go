package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/importer"
	faults "github.com/fleetcontract/fleetio-go/fleetio"
)

const (
	vendorURL  = "https://secure.fleetio.com"
	envAPIKey  = "FLEETIO_API_KEY" //nolint:gosec // the name of one
	envToken   = "FLEETIO_ACCOUNT_TOKEN"
	envBaseURL = "FLEETIO_BASE_URL"
	// envControlToken is the token of the sandbox's control API.
	envControlToken = "FLEETIO_CONTROL_TOKEN"
	maxKeys         = 64 << 10
	credentials     = "The credentials are read from " + envAPIKey + " and " + envToken + " in the environment,\n" +
		"or from a file. No flag takes them, as other users of the machine can read a command line."
)

// service is the server and the account of a client.
type service struct {
	base       string
	insecure   bool
	keysPath   string
	apiVersion string
	delay      time.Duration
}

func (s *service) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.base, "base-url", "",
		"send requests to the server at `URL` (default $"+envBaseURL+", or else "+vendorURL+")")
	s.addInsecure(cmd)
	cmd.Flags().StringVar(&s.keysPath, "credentials", "",
		"read "+envAPIKey+"=... and "+envToken+"=... from `FILE`, of mode 600 (default the environment)")
	cmd.Flags().StringVar(&s.apiVersion, "api-version", "",
		"request the version of the API of `DATE`, such as 2025-05-05 (default that of the API key)")
	cmd.Flags().DurationVar(&s.delay, "look-up-delay", 2*time.Minute,
		"if a fault whose outcome is unknown is not found, look it up again after `TIME`")
}

func (s *service) addInsecure(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.insecure, "insecure-http", false,
		"allow an http URL of another machine, such as a sandbox in a container; the credentials are sent unencrypted")
}

// url returns the base URL of the server, without a trailing slash. It may contain a password, which client rejects.
func (s *service) url() string {
	return strings.TrimRight(cmp.Or(s.base, os.Getenv(envBaseURL), vendorURL), "/")
}

// credentials reads the credentials. Call it only once, because the file may be a pipe.
func (s *service) credentials() (faults.Credentials, error) {
	if s.keysPath != "" {
		return readKeys(s.keysPath)
	}
	keys := faults.Credentials{APIKey: os.Getenv(envAPIKey), AccountToken: os.Getenv(envToken)}
	if keys.APIKey == "" || keys.AccountToken == "" {
		return keys, errors.New("no credentials; set " + envAPIKey + " and " + envToken + ", or use --credentials FILE")
	}
	return keys, nil
}

// client returns a client whose requests continue after the end of the context once they are in flight, so that an
// interrupted command gets the outcome of each create.
func (s *service) client(keys faults.Credentials) (*faults.Client, error) {
	options := []faults.Option{
		faults.WithBaseURL(s.url()), faults.WithUserAgent("fleetio/" + version()),
		faults.WithHTTPClient(&http.Client{Transport: importer.Transport{Base: http.DefaultTransport}}),
		faults.WithReconcile(), faults.WithReconcileDelay(s.delay),
	}
	if s.apiVersion != "" {
		options = append(options, faults.WithAPIVersion(s.apiVersion))
	}
	if s.insecure {
		options = append(options, faults.WithInsecureHTTP())
	}
	client, err := faults.NewClient(keys, options...)
	if err != nil {
		return nil, errors.New(strings.Replace(importer.Message(err), "WithInsecureHTTP", "--insecure-http", 1))
	}
	return client, nil
}

// readKeys reads the credentials of a file.
func readKeys(path string) (faults.Credentials, error) {
	values, err := readSecrets(path, envAPIKey, envToken)
	return faults.Credentials{APIKey: values[envAPIKey], AccountToken: values[envToken]}, err
}

// readSecrets reads values from lines of NAME=VALUE, and fails if one of the names is missing. No error repeats a line.
func readSecrets(path string, names ...string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	// Windows has no mode bits.
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by other users (mode %04o); chmod 600 it, and consider new keys",
			path, info.Mode().Perm())
	}
	values := map[string]string{}
	lines := bufio.NewScanner(io.LimitReader(f, maxKeys))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		name, value, isPair := strings.Cut(text, "=")
		_, duplicate := values[name]
		switch {
		case !isPair:
			return nil, fmt.Errorf("%s:%d: expected NAME=VALUE", path, n)
		case duplicate:
			return nil, fmt.Errorf("%s:%d: duplicate name", path, n)
		case strings.HasPrefix(value, `"`) || strings.HasPrefix(value, "'"):
			return nil, fmt.Errorf("%s:%d: the value is quoted; remove the quotes, which would be part of it", path, n)
		}
		values[name] = value
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, name := range names {
		if values[name] == "" {
			return nil, fmt.Errorf("%s: no %s", path, name)
		}
	}
	return values, nil
}
