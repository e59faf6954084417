package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/controlserver"
)

// maxWebhookResponse is how much of the response of a receiver is read, in bytes.
const maxWebhookResponse = 64 << 10

// webhookClient sends to loopback only, whatever a name resolves to, in the 30 s that the service waits for a response.
var webhookClient = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       (&net.Dialer{Control: onlyLoopback}).DialContext,
	},
}

// onlyLoopback fails for an address that is not loopback.
func onlyLoopback(_, address string, _ syscall.RawConn) error {
	if to, err := netip.ParseAddrPort(address); err != nil || !to.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("%s is no loopback address", address)
	}
	return nil
}

// SendWebhook implements [controlserver.ServerInterface].
func (c *control) SendWebhook(w http.ResponseWriter, r *http.Request) {
	var body controlserver.SendWebhookJSONBody
	if !decode(w, r, &body) {
		return
	}
	if !isLoopbackURL(body.URL) {
		problem(w, http.StatusUnprocessableEntity,
			"The property url is no http or https URL with a loopback address or localhost as its host, such as http://127.0.0.1:3000/hooks.")
		return
	}
	event, err := c.server.Sandbox().Webhook(r.Context(), body.URL, body.Key, body.Fault)
	if err != nil {
		c.invalid(w, err)
		return
	}
	response, err := webhookClient.Do(event)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok { // whose text has the URL
			err = failed.Err
		}
		problem(w, http.StatusBadGateway, "The URL could not be reached: "+err.Error())
		return
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, maxWebhookResponse) // only the status matters
	respondOK(w, controlserver.SendWebhook200JSONResponseBody{Status: int64(response.StatusCode)})
}

func isLoopbackURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || err == nil && ip.Unmap().IsLoopback()
}
