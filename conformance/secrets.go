package conformance

import (
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/redact"
)

// secrets finds the credentials of one request in other texts.
type secrets = redact.Redactor

// carriers are the request headers that hold credentials whatever the spec says.
var carriers = []string{
	"Authorization", "Proxy-Authorization", "Cookie", "Api-Key", "X-Api-Key", "X-Auth-Token", "X-Csrf-Token",
}

func (op *operation) findSecrets(ex *traffic.Exchange) *secrets {
	s := &redact.Secrets{}
	collect(s, op.security, ex)
	return s.Redactor()
}

// collect adds the credentials that a request carries.
func collect(s *redact.Secrets, security []alternative, ex *traffic.Exchange) {
	for _, a := range security {
		for _, k := range a {
			switch k.in {
			case "header":
				s.Add(ex.Request.Header.Values(k.name)...)
			case "query":
				s.Add(ex.URL.Query()[k.name]...)
			}
		}
	}
	for _, name := range carriers {
		s.Add(ex.Request.Header.Values(name)...)
	}
	if user := ex.URL.User; user != nil {
		password, _ := user.Password()
		s.Add(user.Username(), password)
	}
}

// conceal removes the credentials of the request, which a server may repeat anywhere, in any letter case and encoding.
func (k *checker) conceal(text string) string {
	if len(text) < redact.MinLength {
		return text
	}
	if k.secrets == nil {
		k.secrets = k.findSecrets()
	}
	return k.secrets.Text(text)
}

// concealPointer leaves the names alone that the spec knows: those are a credential only by chance.
func (k *checker) concealPointer(pointer string) string {
	tokens := strictjson.SplitPointer(pointer)
	for i, token := range tokens {
		if !k.contract.names[token] {
			tokens[i] = k.conceal(token)
		}
	}
	return strictjson.Pointer(tokens...)
}
