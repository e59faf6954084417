package main

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

const (
	faultsPath = "/api/v1/faults"
	// serial stands in the body where each request has a number of its own, of as many digits.
	serial = "0000000000"
	// body has every field. It is about 350 bytes, as a report with a sentence or two is.
	body = `{"vehicle_id":4711,"code":"P0420","count":3,` +
		`"description":"Efficiency of the catalyst on bank 1 is below its threshold. Seen again on the way back, after the exhaust was warm.",` +
		`"external_id":"telematics-` + serial + `","last_occurred_at":"2023-03-14T13:46:27-06:00",` +
		`"name":"Catalyst efficiency","status":"open","source":"telematics"}`
)

// caller returns an account of the fixtures, and its key, that may create the fault in body.
func caller() (account sandbox.Account, key string) {
	account = sandbox.DefaultFixtures().Accounts[0]
	return account, account.APIKeys[0].Key
}

// header returns what a caller sends, but for the length.
func header() http.Header {
	account, key := caller()
	return http.Header{
		"Accept":        {"application/json"},
		"Account-Token": {account.Token},
		"Authorization": {"Token " + key},
		"Content-Type":  {"application/json"},
		"User-Agent":    {"fleetio-go"},
	}
}

// request is one create as it goes over a connection, again and again with another number.
type request struct {
	wire   []byte
	digits []byte // the part of wire that is the number
}

func newRequest(host string) request {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", faultsPath, host, len(body))
	_ = header().Write(&b) // a buffer takes all
	b.WriteString("\r\n" + body)
	wire := b.Bytes()
	at := bytes.Index(wire, []byte(serial))
	return request{wire: wire, digits: wire[at : at+len(serial)]}
}

// number sets the number, of which it keeps the last ten digits.
func (r *request) number(n int64) {
	for i := range r.digits {
		r.digits[len(r.digits)-1-i] = "0123456789"[n%10]
		n /= 10
	}
}
