package faults

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// network is a way in which connections break.
type network struct {
	toxics []string // in the JSON of toxiproxy
	// tls is for what only a checksum detects: a changed digit of an id is a valid response.
	tls     bool
	timeout time.Duration // of an attempt; 0 for 2 s
	silent  bool          // it ends by that timeout only, which the command has no flag for
	benign  bool          // nothing breaks, it is slow only
}

// networks are the ways. Each toxic has a direction: upstream is the request, downstream the response.
var networks = map[string]network{
	"cut requests":  {toxics: []string{`"type":"limit_some","stream":"upstream","attributes":{"max":4000}`}},
	"cut responses": {toxics: []string{`"type":"limit_some","stream":"downstream","attributes":{"max":9000}`}},
	"cut TLS": {tls: true, toxics: []string{`"type":"limit_some","stream":"upstream","attributes":{"max":9000}`,
		`"type":"limit_some","stream":"downstream","attributes":{"max":20000}`}},
	"reset requests":  {toxics: []string{`"type":"reset_peer","stream":"upstream","toxicity":0.15,"attributes":{"timeout":5}`, limited}},
	"reset responses": {toxics: []string{`"type":"reset_peer","stream":"downstream","toxicity":0.15,"attributes":{"timeout":5}`, limited}},
	"lost requests":   {toxics: []string{`"type":"timeout","stream":"upstream","toxicity":0.15,"attributes":{"timeout":60}`, limited}},
	"lost responses":  {toxics: []string{`"type":"timeout","stream":"downstream","toxicity":0.15,"attributes":{"timeout":60}`, limited}},
	"silence": {silent: true, timeout: 200 * time.Millisecond,
		toxics: []string{`"type":"timeout","stream":"downstream","toxicity":0.15,"attributes":{"timeout":0}`, limited}},
	// A request arrives when the client has given up, and before its second look-up.
	"late requests": {silent: true, timeout: 100 * time.Millisecond,
		toxics: []string{`"type":"latency","stream":"upstream","toxicity":0.15,"attributes":{"latency":150}`, limited}},
	"corrupt requests":  {tls: true, toxics: []string{`"type":"corrupt","stream":"upstream","attributes":{"every":40000}`}},
	"corrupt responses": {tls: true, toxics: []string{`"type":"corrupt","stream":"downstream","attributes":{"every":40000}`}},
	"slow": {benign: true, toxics: []string{`"type":"latency","stream":"upstream","attributes":{"latency":3,"jitter":3}`,
		`"type":"bandwidth","stream":"downstream","attributes":{"rate":200}`,
		`"type":"slicer","stream":"downstream","attributes":{"average_size":64,"size_variation":32,"delay":50}`}},
}

// limited ends each connection after a while, so that the toxicity of others is drawn again.
const limited = `"type":"limit_some","stream":"downstream","name":"limited","attributes":{"max":30000}`

func init() { //nolint:gochecknoinits // toxiproxy finds toxics in a registry
	toxics.Register("limit_some", new(limitSome))
	toxics.Register("corrupt", new(corrupt))
}

// limitSome closes a connection after a random number of bytes.
type limitSome struct {
	Max int64 `json:"max"`
}

func (l *limitSome) NewState() any { return new(toxics.LimitDataToxicState) }

func (l *limitSome) Pipe(stub *toxics.ToxicStub) {
	(&toxics.LimitDataToxic{Bytes: 1 + rand.Int64N(l.Max)}).Pipe(stub)
}

// corrupt changes a random bit of one of some bytes.
type corrupt struct {
	Every int `json:"every"`
}

func (c *corrupt) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case chunk := <-stub.Input:
			if chunk == nil {
				stub.Close()
				return
			}
			changed := append([]byte(nil), chunk.Data...)
			for i := range changed {
				if rand.IntN(c.Every) == 0 {
					changed[i] ^= 1 << rand.IntN(8)
				}
			}
			stub.Output <- &stream.StreamChunk{Data: changed, Timestamp: chunk.Timestamp}
		}
	}
}

// start serves a handler behind such a network. The URL is that of the proxy.
func (n network) start(t *testing.T, handler http.Handler) (server *httptest.Server, proxied string) {
	t.Helper()
	server = httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = quiet
	if n.tls {
		server.EnableHTTP2 = true
		server.StartTLS()
	} else {
		server.Start()
	}
	to, err := url.Parse(server.URL)
	require.NoError(t, err)
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), t.Name(), "127.0.0.1:0", to.Host)
	for _, toxic := range n.toxics {
		_, err := proxy.Toxics.AddToxicJson(strings.NewReader("{" + toxic + "}"))
		require.NoError(t, err, toxic)
	}
	require.NoError(t, proxy.Start())
	t.Cleanup(func() {
		proxy.Stop()
		server.Close()
	})
	return server, fmt.Sprintf("%s://%s", to.Scheme, proxy.Listen)
}
