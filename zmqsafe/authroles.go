package zmqsafe

// What a socket is in authentication.

// ServerAuthNull makes the socket a server without security but for the addresses
// of AuthAllow and AuthDeny.
//
// It counts for endpoints that are bound or connected afterwards, and so do
// ServerAuthPlain, ServerAuthCurve, ClientAuthPlain and ClientAuthCurve; the last of
// these calls counts. A domain has 1 to 255 bytes. EINVAL says that an argument is
// malformed, or that libzmq was built without CURVE; the socket may then be set up
// in part. See https://api.zeromq.org/4-3:zmq-null.
func (soc *Socket) ServerAuthNull(domain string) error {
	if err := soc.SetPlainServer(0); err != nil {
		return err
	}
	return soc.SetZapDomain(domain)
}

// ServerAuthPlain makes the socket a server whose clients have a user name and a
// password, see AuthPlainAdd. Nothing is encrypted, not even those. See
// ServerAuthNull for errors, and https://api.zeromq.org/4-3:zmq-plain.
func (soc *Socket) ServerAuthPlain(domain string) error {
	if err := soc.SetPlainServer(1); err != nil {
		return err
	}
	return soc.SetZapDomain(domain)
}

// ServerAuthCurve makes the socket a server whose clients have a key, see
// AuthCurveAdd, and know the public one that belongs to secretKey. Messages are
// encrypted. Keys are 40 characters of Z85, as NewCurveKeypair makes them. See
// ServerAuthNull for errors, and https://api.zeromq.org/4-3:zmq-curve.
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
// such a server refuses. See ServerAuthNull for errors, and
// https://api.zeromq.org/4-3:zmq-plain.
func (soc *Socket) ClientAuthPlain(username, password string) error {
	if err := soc.SetPlainUsername(username); err != nil {
		return err
	}
	return soc.SetPlainPassword(password)
}

// ClientAuthCurve makes the socket a client of a server with ServerAuthCurve, whose
// public key it must know. The other keys are its own. See ServerAuthNull for
// errors, and https://api.zeromq.org/4-3:zmq-curve.
func (soc *Socket) ClientAuthCurve(serverPublicKey, clientPublicKey, clientSecretKey string) error {
	if err := soc.SetCurveServerkey(serverPublicKey); err != nil {
		return err
	}
	if err := soc.SetCurvePublickey(clientPublicKey); err != nil {
		return err
	}
	return soc.SetCurveSecretkey(clientSecretKey)
}
