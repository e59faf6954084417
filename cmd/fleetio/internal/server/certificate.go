package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"time"
)

// certificateLifetime is that of a certificate, which is made at each start.
const certificateLifetime = 365 * 24 * time.Hour

// UseTLS makes the listener speak HTTPS, with a certificate for its names, and returns the certificate of the authority
// that clients have to trust, as PEM. The key of the authority is not kept, so that it signs nothing else.
func (l *Listener) UseTLS() (authority []byte, err error) {
	now := time.Now()
	template := x509.Certificate{
		Subject:               pkix.Name{CommonName: "fleetio sandbox (made for this run)"},
		NotBefore:             now.Add(-time.Hour), // for clocks that are slow
		NotAfter:              now.Add(certificateLifetime),
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	root, rootKey, err := certificate(template, nil, nil)
	if err != nil {
		return nil, err
	}
	template.Subject.CommonName = "fleetio sandbox"
	template.IsCA, template.MaxPathLenZero = false, false
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.DNSNames, template.IPAddresses = l.names()
	leaf, key, err := certificate(template, root, rootKey)
	if err != nil {
		return nil, err
	}
	l.tls = &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw, root.Raw}, PrivateKey: key, Leaf: leaf}},
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}), nil
}

// certificate makes a key and a certificate for it, signed by a parent or, if that is nil, by itself.
func certificate(template x509.Certificate, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, nil, err
	}
	if parent == nil {
		parent, signer = &template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, &template, parent, key.Public(), signer)
	if err != nil {
		return nil, nil, err
	}
	made, err := x509.ParseCertificate(raw)
	return made, key, err
}

// names returns the names and addresses at which clients reach the listener: all of this machine, unless it listens on
// one.
func (l *Listener) names() (names []string, addresses []net.IP) {
	if net.ParseIP(l.host) == nil {
		names = append(names, l.host)
	}
	tcp, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return names, nil
	}
	switch {
	case tcp.IP.IsUnspecified():
		names = append(names, "localhost")
		if name, err := os.Hostname(); err == nil {
			names = append(names, name)
		}
		all, _ := net.InterfaceAddrs() // without them, the names remain
		for _, a := range all {
			if network, ok := a.(*net.IPNet); ok {
				addresses = append(addresses, network.IP)
			}
		}
	case tcp.IP.IsLoopback():
		names = append(names, "localhost")
		fallthrough
	default:
		addresses = append(addresses, tcp.IP)
	}
	return names, addresses
}
