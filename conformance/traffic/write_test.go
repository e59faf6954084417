package traffic_test

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// passing are exchanges as a recorder writes them.
func passing() []*traffic.Exchange {
	u := &url.URL{Scheme: "https", Host: "h", Path: "/a b", RawPath: "/a%20b", RawQuery: "x=1&x=%C3%A9&y"}
	header := http.Header{"Content-Type": {"application/json"}, "X-Two": {"1", "2\u202e"}}
	return []*traffic.Exchange{
		{Method: "POST", URL: u, Status: 201, Request: traffic.Message{Header: header, Body: []byte(`{"a":"</é\n"}`)},
			Response: traffic.Message{Header: header, Body: []byte(`{"log":{}}`)}},
		{Method: "PUT", URL: u, Status: 200, Request: traffic.Message{Header: header, Body: []byte{0, 0xff}},
			Response: traffic.Message{Header: header, Body: []byte("\xff\x00")}},
		{Method: "POST", URL: u, Status: 500, Request: traffic.Message{Header: header, BodyOmitted: true},
			Response: traffic.Message{Header: header, BodyOmitted: true}},
		{Method: "GET", URL: u, Status: 204, Request: traffic.Message{Header: header}, Response: traffic.Message{Header: header}},
		{Method: "POST", URL: u, Status: 200, Request: traffic.Message{Header: header, HeaderOmitted: false},
			Response: traffic.Message{Header: http.Header{"Location": {"/x"}}}},
		{Method: "POST", URL: u, Request: traffic.Message{Header: header, Body: []byte("lost")}},
	}
}

func readAll(t *testing.T, path string) []*traffic.Exchange {
	t.Helper()
	var all []*traffic.Exchange
	for ex, err := range traffic.Read(t.Context(), nil, path) {
		require.NoError(t, err)
		ex.Size = 0
		all = append(all, ex)
	}
	return all
}

// TestWriter reads the recording after each exchange.
func TestWriter(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"r.ndjson", "r.har", "R.HAR"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), name)
			require.NoError(t, os.WriteFile(path, []byte("an older and longer recording"), 0o600))
			w, err := traffic.Create(path)
			require.NoError(t, err)
			var expected []*traffic.Exchange
			for _, ex := range passing() {
				source, err := w.Write(ex)
				require.NoError(t, err)
				ex.Source = source
				expected = append(expected, ex)
				if got := readAll(t, path); assert.Len(t, got, len(expected)) {
					for i := range got {
						assert.Equal(t, expected[i].URL.String(), got[i].URL.String())
						got[i].URL = expected[i].URL
						assert.Equal(t, expected[i], got[i])
					}
				}
			}
			_, err = w.Write(&traffic.Exchange{URL: &url.URL{}})
			require.EqualError(t, err, "method: empty")
			require.NoError(t, w.Close())
			assert.Len(t, readAll(t, path), len(expected))
		})
	}
}

// fullDisk is a file that takes so many bytes more.
type fullDisk struct {
	*os.File

	left int
}

var errFull = errors.New("no space left on device")

func (f *fullDisk) WriteAt(p []byte, at int64) (int, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	free := int(info.Size()-at) + f.left
	if len(p) <= free {
		f.left -= max(0, len(p)-int(info.Size()-at))
		return f.File.WriteAt(p, at)
	}
	f.left = 0
	n, err := f.File.WriteAt(p[:free], at)
	return n, errors.Join(errFull, err)
}

// TestWriterOnAFullDisk has a disk that fills up within an exchange: the recording stays complete, and continues when
// there is space again.
func TestWriterOnAFullDisk(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"r.ndjson", "r.har"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), name)
			f, err := os.Create(path)
			require.NoError(t, err)
			disk := &fullDisk{f, 4000}
			w, err := traffic.NewWriter(disk, path)
			require.NoError(t, err)
			ex := passing()[0]
			written := 0
			for written < 100 {
				if _, err = w.Write(ex); err != nil {
					break
				}
				written++
			}
			require.ErrorIs(t, err, errFull)
			require.Positive(t, written)
			assert.Len(t, readAll(t, path), written)
			_, err = w.Write(ex)
			require.ErrorIs(t, err, errFull)
			disk.left = 4000
			_, err = w.Write(ex)
			require.NoError(t, err)
			assert.Len(t, readAll(t, path), written+1)
			require.NoError(t, w.Close())
		})
	}
	_, err := traffic.NewWriter(&fullDisk{os.NewFile(^uintptr(0), ""), 0}, "r.har")
	require.Error(t, err)
}
