package zmqsafe

import (
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/zap"
)

// AuthAllow adds addresses to the allow list of a domain. Its servers then
// refuse peers from elsewhere. With PLAIN and CURVE, peers on it must also be
// known.
//
// An address is an IP address, or a network in CIDR notation. Anything else is
// logged, and no peer matches it. Domain "*" stands for all domains. If domain
// is itself an address, it and the others are for all domains.
//
// To a socket with [Socket.SetIpv6] an IPv4 peer has an IPv6 address, such as
// ::ffff:192.0.2.1. It is allowed by that and by its IPv4 address and networks,
// but not by ::/0.
func AuthAllow(domain string, addresses ...string) {
	warnMalformed("AuthAllow", auth.policy.Allow(domain, addresses...))
}

// AuthDeny adds addresses to the deny list of a domain. Its servers then refuse
// all peers from there. If the domain has an allow list, only that applies. The
// arguments are those of [AuthAllow]. IPv4 peers of a socket with
// [Socket.SetIpv6] are also denied by ::/0 and every other network that
// contains ::ffff:0:0/96.
func AuthDeny(domain string, addresses ...string) {
	warnMalformed("AuthDeny", auth.policy.Deny(domain, addresses...))
}

func warnMalformed(function string, addresses []string) {
	for _, address := range addresses {
		defaultLogger().Warn("zmqsafe: authentication: neither an IP address nor a network in CIDR notation; no peer matches it",
			"function", function, "address", address)
	}
}

// AuthPlainAdd adds a user for PLAIN to a domain, or with "*" to all domains.
// The password replaces an earlier one.
func AuthPlainAdd(domain, username, password string) {
	auth.policy.Add(zap.Plain, domain, username, password)
}

// AuthPlainRemove removes users for PLAIN from a domain. Connections stay.
func AuthPlainRemove(domain string, usernames ...string) {
	auth.policy.Remove(zap.Plain, domain, usernames...)
}

// AuthPlainRemoveAll removes all users for PLAIN from a domain.
func AuthPlainRemoveAll(domain string) { auth.policy.RemoveAll(zap.Plain, domain) }

// AuthCurveAdd adds public keys of clients for CURVE to a domain, or with "*"
// to all domains. A key is 40 characters of Z85, as [NewCurveKeypair] makes it,
// or [CURVE_ALLOW_ANY] for every client that knows the server's public key.
func AuthCurveAdd(domain string, pubkeys ...string) {
	for _, key := range pubkeys {
		auth.policy.Add(zap.Curve, domain, key, "")
	}
}

// AuthCurveRemove removes public keys for CURVE from a domain. Connections
// stay.
func AuthCurveRemove(domain string, pubkeys ...string) {
	auth.policy.Remove(zap.Curve, domain, pubkeys...)
}

// AuthCurveRemoveAll removes all public keys for CURVE from a domain.
func AuthCurveRemoveAll(domain string) { auth.policy.RemoveAll(zap.Curve, domain) }

// AuthSetVerbose sets whether starting, stopping and each decision is logged,
// at level Info of [slog.Default]. Passwords are never logged.
func AuthSetVerbose(verbose bool) { auth.verbose.Store(verbose) }

// AuthSetMetadataHandler sets a function that is called for each peer that is
// admitted. It returns what [Socket.RecvMessageWithMetadata] reports for the
// peer's messages: User-Id, Identity, and your own properties, with names of at
// most 255 bytes. Nil, the default, adds none. Its arguments are the frames of
// the request, see https://rfc.zeromq.org/spec/27; the credentials are user
// name and password with PLAIN, and a public key of 32 bytes with CURVE.
//
// It is called for one peer after the other, on an internal goroutine, and may
// call all Auth functions. Peers wait for it.
func AuthSetMetadataHandler(handler func(version, requestID, domain, address, identity, mechanism string, credentials ...string) (metadata map[string]string)) {
	auth.handler.Store(metadataHandler(handler))
}

// AuthMetaBlob encodes one property as metadata of a ZAP reply, for programs
// that answer libzmq themselves rather than with [AuthStart]. It fails for a
// key of more than 255 bytes.
func AuthMetaBlob(key, value string) (blob []byte, err error) { return zap.MetaBlob(key, value) }

// ServerAuthNull makes the socket a server without security except for the
// addresses of [AuthAllow] and [AuthDeny].
//
// It applies to endpoints that are bound or connected afterwards. A domain has
// 1 to 255 bytes. EINVAL says that an argument is malformed, or that libzmq was
// built without CURVE; the socket may then be partly set up. All this is the
// same with [Socket.ServerAuthPlain], [Socket.ServerAuthCurve],
// [Socket.ClientAuthPlain] and [Socket.ClientAuthCurve]; the last call decides.
// See https://api.zeromq.org/4-3:zmq-null.
func (soc *Socket) ServerAuthNull(domain string) error {
	if err := soc.SetPlainServer(0); err != nil {
		return err
	}
	return soc.SetZapDomain(domain)
}

// ServerAuthPlain makes the socket a server whose clients have a user name and
// a password, see [AuthPlainAdd]. Nothing is encrypted, not even these. See
// https://api.zeromq.org/4-3:zmq-plain.
func (soc *Socket) ServerAuthPlain(domain string) error {
	if err := soc.SetPlainServer(1); err != nil {
		return err
	}
	return soc.SetZapDomain(domain)
}

// ServerAuthCurve makes the socket a server whose clients have a key, see
// [AuthCurveAdd], and know the public key that belongs to secretKey. Messages
// are encrypted. Keys are 40 characters of Z85, as [NewCurveKeypair] makes
// them. See https://api.zeromq.org/4-3:zmq-curve.
func (soc *Socket) ServerAuthCurve(domain, secretKey string) error {
	if err := soc.SetCurveServer(1); err != nil {
		return err
	}
	if err := soc.SetCurveSecretkey(secretKey); err != nil {
		return err
	}
	return soc.SetZapDomain(domain)
}

// ClientAuthPlain makes the socket a client of a server with
// [Socket.ServerAuthPlain]. User name and password have at most 255 bytes each.
// With an empty password libzmq uses no security, which such a server refuses.
// See https://api.zeromq.org/4-3:zmq-plain.
func (soc *Socket) ClientAuthPlain(username, password string) error {
	if err := soc.SetPlainUsername(username); err != nil {
		return err
	}
	return soc.SetPlainPassword(password)
}

// ClientAuthCurve makes the socket a client of a server with
// [Socket.ServerAuthCurve], whose public key it must know. The other two keys
// are the client's. See https://api.zeromq.org/4-3:zmq-curve.
func (soc *Socket) ClientAuthCurve(serverPublicKey, clientPublicKey, clientSecretKey string) error {
	if err := soc.SetCurveServerkey(serverPublicKey); err != nil {
		return err
	}
	if err := soc.SetCurvePublickey(clientPublicKey); err != nil {
		return err
	}
	return soc.SetCurveSecretkey(clientSecretKey)
}
