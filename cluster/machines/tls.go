package machines

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// TLSFiles are the files for mutual TLS: a certificate with its key, and the authority that has
// signed the certificates of all nodes and of whoever drives them. Without any, everything is plain.
type TLSFiles struct{ Cert, Key, CA string }

// isZero reports whether no file is given.
func (f TLSFiles) isZero() bool { return f == TLSFiles{} }

// load returns the configuration for both ends, nil for no files.
func (f TLSFiles) load() (*tls.Config, error) {
	switch {
	case f.isZero():
		return nil, nil
	case f.Cert == "" || f.Key == "" || f.CA == "":
		return nil, errors.New("mutual TLS needs all three of --tls-cert, --tls-key and --tls-ca")
	}
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert %s with --tls-key %s: %w", f.Cert, f.Key, err)
	}
	authority, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, fmt.Errorf("--tls-ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("--tls-ca %s: no certificate in it; it must be PEM", f.CA)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, RootCAs: pool, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	}, nil
}

// listen listens on an address. One beyond this host needs TLS.
func listen(flag, address string, conf *tls.Config) (net.Listener, error) {
	if conf == nil && !isLoopback(address) {
		return nil, fmt.Errorf("%s %s: an address beyond this host needs mutual TLS: add --tls-cert, --tls-key and --tls-ca, or use 127.0.0.1",
			flag, address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: choose another address, or end who uses this one", flag, err)
	}
	if conf != nil {
		l = tls.NewListener(l, conf)
	}
	return l, nil
}

// dial connects to an address, which must name the host in its certificate.
func dial(address string, conf *tls.Config, timeout time.Duration) (net.Conn, error) {
	d := &net.Dialer{Timeout: timeout}
	if conf == nil {
		if !isLoopback(address) {
			return nil, fmt.Errorf("%s is beyond this host, which needs mutual TLS: add --tls-cert, --tls-key and --tls-ca", address)
		}
		return d.Dial("tcp", address)
	}
	return tls.DialWithDialer(d, "tcp", address, conf)
}

// isLoopback reports whether an address is on this host only.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
