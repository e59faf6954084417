package server

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/page"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// Check returns a function with which the page checks exchanges. The name is that of the contract's file, for its
// lines.
func Check(contract *conformance.Contract, name string) page.Check {
	return func(e *sandbox.Exchange) ([]page.Finding, error) {
		found, err := contract.Check(exchangeOf(e))
		if errors.Is(err, conformance.ErrNoOperation) {
			return nil, errors.New("the contract has no such operation")
		}
		if err != nil {
			return nil, err
		}
		list := make([]page.Finding, len(found))
		for i, f := range found {
			list[i] = page.Finding{Rule: f.Rule, Part: string(f.Part), Pointer: f.Pointer, Message: f.Message,
				Fails: f.Fails(), Note: f.Source == conformance.Note}
			if f.Spec.Line > 0 {
				list[i].Spec = fmt.Sprintf("%s:%d", f.Spec.In(name), f.Spec.Line)
			}
		}
		return list, nil
	}
}

// exchangeOf converts an exchange of the sandbox into one that the checker takes.
func exchangeOf(e *sandbox.Exchange) *traffic.Exchange {
	u, err := url.ParseRequestURI(e.URL)
	if err != nil {
		u = &url.URL{} // matches no operation
	}
	return &traffic.Exchange{
		Method: e.Method, URL: u, Status: e.Status,
		Request:  traffic.Message{Header: e.Header, Body: e.Body, BodyOmitted: e.BodyOmitted},
		Response: traffic.Message{Header: e.ResponseHeader, Body: e.ResponseBody},
	}
}
