package contracttest

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/conformancetest"
	"github.com/fleetcontract/fleetio-go/conformance/probe"
)

// freshFile keeps runs against a real server out of the cache of go test, which excludes a test that opened a file of its
// module less than two seconds after its modification. The test opens the file, and TestMain touches it.
const freshFile = "live_test.go"

// TestMain touches the file after all tests: they may take longer than the two seconds.
func TestMain(m *testing.M) {
	code := m.Run()
	if os.Getenv("FLEETIO_BASE_URL") != "" {
		_ = os.Chtimes(freshFile, time.Time{}, time.Now()) // if that fails, -count=1 does the same
	}
	os.Exit(code)
}

// TestContractLive probes a server. FLEETIO_BASE_URL, FLEETIO_API_KEY and FLEETIO_ACCOUNT_TOKEN select the server (default:
// this project's sandbox). FLEETIO_VEHICLE_ID and FLEETIO_CODE are a vehicle and a code of the account (default 1 and
// P0420). A host other than loopback requires FLEETIO_LIVE=1, as each accepted create makes a real record.
func TestContractLive(t *testing.T) {
	target, err := targetFromEnv(os.Getenv)
	require.NoError(t, err)
	if target.base == "" {
		target = onLoopback("key-4c2a", "token-9e1f")
		server := httptest.NewServer(newSandbox(target.key, target.account))
		t.Cleanup(server.Close)
		target.base = server.URL
	} else if file, err := os.Open(freshFile); err == nil {
		_ = file.Close()
	}
	result := conformancetest.Probe(t, loadContract(t), target.options(), target.target())
	t.Logf("%d requests, %d of %d claims observed", len(result.Outcomes), result.Report.Summary.Observed, result.Report.Summary.Claims)
}

// options are the limits of a live account.
func (t liveTarget) options() probe.Options {
	return probe.Options{MaxRequests: 40, MaxCreates: 10, Seed: 1, Set: map[string]string{
		"createFault/request/vehicle_id": strconv.FormatInt(t.vehicle, 10), "createFault/request/code": t.code}}
}

func (t liveTarget) target() probe.Target {
	rate := 0
	if t.live {
		rate = 20
	}
	return probe.Target{URL: t.base, Rate: rate, MaxCreates: 10, Credentials: map[string]string{"apiKey": "Token " + t.key, "accountToken": t.account}}
}

func TestTargetFromEnv(t *testing.T) {
	t.Parallel()
	type env map[string]string
	with := func(more env) env {
		all := env{"FLEETIO_API_KEY": "k-4c2a", "FLEETIO_ACCOUNT_TOKEN": "t-9e1f"}
		maps.Copy(all, more)
		return all
	}
	const url = "FLEETIO_BASE_URL"
	for _, test := range []struct {
		env env
		err string
	}{
		{env: env{}},
		{env: with(env{url: "http://127.0.0.1:8080"})},
		{env: with(env{url: "http://localhost:8080/"})},
		{env: with(env{url: "http://[::1]:8080"})},
		{env: with(env{url: "https://secure.fleetio.com", "FLEETIO_LIVE": "1"})},
		{env: with(env{url: "https://secure.fleetio.com"}), err: "FLEETIO_LIVE=1"},
		{env: with(env{url: "https://127.0.0.1.example.com"}), err: "FLEETIO_LIVE=1"},
		{env: with(env{url: "127.0.0.1:8080"}), err: "scheme and host"},
		{env: with(env{url: "://"}), err: "scheme and host"},
		{env: with(env{url: "/"}), err: "scheme and host"},
		{env: with(env{url: "http://127.0.0.1/api"}), err: "scheme and host"},
		{env: with(env{url: "http://127.0.0.1?x"}), err: "scheme and host"},
		{env: with(env{url: "http://k:t@127.0.0.1"}), err: "scheme and host"},
		{env: with(env{url: "http://127.0.0.1", "FLEETIO_VEHICLE_ID": "seven"}), err: "FLEETIO_VEHICLE_ID"},
		{env: with(env{url: "http://127.0.0.1", "FLEETIO_VEHICLE_ID": "0"}), err: "FLEETIO_VEHICLE_ID"},
		// An incomplete target is an error: a run against the sandbox would look like one against the server.
		{env: env{url: "http://127.0.0.1"}, err: "FLEETIO_API_KEY is not set"},
		{env: env{url: "http://127.0.0.1", "FLEETIO_API_KEY": "k"}, err: "FLEETIO_ACCOUNT_TOKEN is not set"},
		{env: with(nil), err: "FLEETIO_API_KEY is set and FLEETIO_BASE_URL is not"},
		{env: env{"FLEETIO_ACCOUNT_TOKEN": "t"}, err: "FLEETIO_ACCOUNT_TOKEN is set and FLEETIO_BASE_URL is not"},
	} {
		t.Run(fmt.Sprintf("%v", test.env), func(t *testing.T) {
			t.Parallel()
			_, err := targetFromEnv(func(name string) string { return test.env[name] })
			if test.err == "" {
				require.NoError(t, err, test.env)
				return
			}
			require.ErrorContains(t, err, test.err, test.env)
			assert.NotContains(t, err.Error(), "k-4c2a")
		})
	}
}

type liveTarget struct {
	base         string // no slash at the end; "" is the sandbox
	key, account string
	live         bool // records are real
	vehicle      int64
	code         string
}

func onLoopback(key, account string) liveTarget {
	return liveTarget{key: key, account: account, vehicle: 1, code: "P0420"}
}

func targetFromEnv(env func(string) string) (liveTarget, error) {
	target := onLoopback(env("FLEETIO_API_KEY"), env("FLEETIO_ACCOUNT_TOKEN"))
	if code := env("FLEETIO_CODE"); code != "" {
		target.code = code
	}
	if id := env("FLEETIO_VEHICLE_ID"); id != "" {
		var err error
		if target.vehicle, err = strconv.ParseInt(id, 10, 64); err != nil || target.vehicle < 1 {
			return target, errors.New("FLEETIO_VEHICLE_ID is not an integer of at least 1")
		}
	}
	base := env("FLEETIO_BASE_URL")
	for _, credential := range []string{"FLEETIO_API_KEY", "FLEETIO_ACCOUNT_TOKEN"} {
		switch set := env(credential) != ""; {
		case set && base == "":
			return target, fmt.Errorf("%s is set and FLEETIO_BASE_URL is not: set it too, or unset both credentials to "+
				"check the sandbox", credential)
		case !set && base != "":
			return target, fmt.Errorf("FLEETIO_BASE_URL is set and %s is not set", credential)
		}
	}
	if base == "" {
		return target, nil
	}
	target.base = strings.TrimRight(base, "/")
	u, err := url.Parse(target.base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" ||
		*u != (url.URL{Scheme: u.Scheme, Host: u.Host}) {
		return target, errors.New("FLEETIO_BASE_URL is not just scheme and host, such as http://127.0.0.1:8080")
	}
	ip := net.ParseIP(u.Hostname())
	target.live = u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
	if target.live && env("FLEETIO_LIVE") != "1" {
		return target, fmt.Errorf("%s is not loopback, so that records are real. Set FLEETIO_LIVE=1 to allow it; "+
			"fleetio probe --plan prints the requests", u.Host)
	}
	return target, nil
}
