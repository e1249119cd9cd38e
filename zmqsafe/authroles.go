package zmqsafe

// What a socket is in authentication. It counts for endpoints that are bound or
// connected afterwards, and the last of these calls counts. See
// https://api.zeromq.org/4-3:zmq-setsockopt. Any goroutine may call them; none
// blocks. A domain has 1 to 255 bytes; a key is 40 characters of Z85, as
// NewCurveKeypair makes it. EINVAL says that an argument is malformed, or that
// libzmq was built without CURVE; the socket may then be set up in part.

// ServerAuthNull makes the socket a server without security but for the addresses
// of AuthAllow and AuthDeny.
func (soc *Socket) ServerAuthNull(domain string) error {
	if err := soc.SetPlainServer(0); err != nil {
		return err
	}
	return soc.SetZapDomain(domain)
}

// ServerAuthPlain makes the socket a server whose clients have a user name and a
// password, see AuthPlainAdd. Nothing is encrypted, not even those.
func (soc *Socket) ServerAuthPlain(domain string) error {
	if err := soc.SetPlainServer(1); err != nil {
		return err
	}
	return soc.SetZapDomain(domain)
}

// ServerAuthCurve makes the socket a server whose clients have a key, see
// AuthCurveAdd, and know the public one that belongs to secretKey. Messages are
// encrypted.
func (soc *Socket) ServerAuthCurve(domain, secretKey string) error {
	if err := soc.SetCurveServer(1); err != nil {
		return err
	}
	if err := soc.SetCurveSecretkey(secretKey); err != nil {
		return err
	}
	return soc.SetZapDomain(domain)
}

// ClientAuthPlain makes the socket a client of a server with ServerAuthPlain. Both
// have 255 bytes at most. With an empty password libzmq uses no security, which
// such a server refuses.
func (soc *Socket) ClientAuthPlain(username, password string) error {
	if err := soc.SetPlainUsername(username); err != nil {
		return err
	}
	return soc.SetPlainPassword(password)
}

// ClientAuthCurve makes the socket a client of a server with ServerAuthCurve, whose
// public key it must know. The other keys are its own.
func (soc *Socket) ClientAuthCurve(serverPublicKey, clientPublicKey, clientSecretKey string) error {
	if err := soc.SetCurveServerkey(serverPublicKey); err != nil {
		return err
	}
	if err := soc.SetCurvePublickey(clientPublicKey); err != nil {
		return err
	}
	return soc.SetCurveSecretkey(clientSecretKey)
}
