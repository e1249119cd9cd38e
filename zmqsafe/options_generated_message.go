// Code generated from zmqsafe/internal/api/options.go; DO NOT EDIT.

package zmqsafe

import "github.com/pebbe/zmq4"

// SetMaxmsgsize sets the largest message part that the socket accepts, in
// bytes. A peer that sends a larger one is disconnected. -1 is no limit. The
// default is -1. See https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_MAXMSGSIZE.
func (soc *Socket) SetMaxmsgsize(value int64) error {
	return set(soc, "SetMaxmsgsize", (*zmq4.Socket).SetMaxmsgsize, value, "a size")
}

// GetMaxmsgsize returns what [Socket.SetMaxmsgsize] sets.
func (soc *Socket) GetMaxmsgsize() (int64, error) { return get(soc, (*zmq4.Socket).GetMaxmsgsize) }

// SetImmediate sets whether messages are queued only for established
// connections, not for those that are still being tried. With true, a send
// blocks while there is no connection, instead of queueing messages for a peer
// that may never exist. The default is false. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_IMMEDIATE.
func (soc *Socket) SetImmediate(value bool) error {
	return set(soc, "SetImmediate", (*zmq4.Socket).SetImmediate, value, "true or false")
}

// GetImmediate returns what [Socket.SetImmediate] sets.
func (soc *Socket) GetImmediate() (bool, error) { return get(soc, (*zmq4.Socket).GetImmediate) }

// SetInvertMatching sets whether filters are inverted (1): messages that match
// are held back, and all others pass. It has an effect on PUB, XPUB and SUB.
// Each SUB of an inverted PUB must set it, too. The default is 0. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_INVERT_MATCHING.
func (soc *Socket) SetInvertMatching(value int) error {
	return setInt(soc, "SetInvertMatching", (*zmq4.Socket).SetInvertMatching, value, "0 or 1")
}

// GetInvertMatching returns what [Socket.SetInvertMatching] sets.
func (soc *Socket) GetInvertMatching() (int, error) {
	return get(soc, (*zmq4.Socket).GetInvertMatching)
}

// SetIdentity sets the identity by which a ROUTER peer knows the socket, which
// libzmq now calls its routing id. It has 1 to 255 bytes; those that begin with
// a zero byte are reserved for libzmq. Without one, each ROUTER makes one up. A
// ROUTER turns away a second peer with the same identity, unless it has
// [Socket.SetRouterHandover]. The default is "". See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_ROUTING_ID.
func (soc *Socket) SetIdentity(value string) error {
	return set(soc, "SetIdentity", (*zmq4.Socket).SetIdentity, value, "1 to 255 bytes")
}

// GetIdentity returns what [Socket.SetIdentity] sets.
func (soc *Socket) GetIdentity() (string, error) { return get(soc, (*zmq4.Socket).GetIdentity) }

// SetRouterMandatory sets what happens to a message for a peer that isn't
// connected or has no room: 0 drops it, 1 refuses it. It is an option of
// ROUTER. With 1, a send to an unknown peer fails with EHOSTUNREACH, and a send
// to a peer whose queue is full blocks. The default is 0. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_ROUTER_MANDATORY.
func (soc *Socket) SetRouterMandatory(value int) error {
	return setInt(soc, "SetRouterMandatory", (*zmq4.Socket).SetRouterMandatory, value, "0 or 1, and a socket of type ROUTER")
}

// SetRouterHandover sets whether a new connection that claims the identity of
// another one takes its place; if not, it is turned away. It is an option of
// ROUTER. The default is false. See https://api.zeromq.org/4-3:zmq-setsockopt,
// ZMQ_ROUTER_HANDOVER.
func (soc *Socket) SetRouterHandover(value bool) error {
	return set(soc, "SetRouterHandover", (*zmq4.Socket).SetRouterHandover, value, "true or false, and a socket of type ROUTER")
}

// SetProbeRouter sets whether each new connection begins with an empty message
// (1), from which a ROUTER peer learns of it. It is an option of REQ, DEALER
// and ROUTER. Use it only if all peers are ROUTERs. The default is 0. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_PROBE_ROUTER.
func (soc *Socket) SetProbeRouter(value int) error {
	return setInt(soc, "SetProbeRouter", (*zmq4.Socket).SetProbeRouter, value, "0 or 1, and a socket of type REQ, DEALER or ROUTER")
}

// SetReqCorrelate sets whether requests are numbered (1), so that a late reply
// to an earlier one is dropped. It is an option of REQ. The peer sees the
// number as one more part before the empty one. The default is 0. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_REQ_CORRELATE.
func (soc *Socket) SetReqCorrelate(value int) error {
	return setInt(soc, "SetReqCorrelate", (*zmq4.Socket).SetReqCorrelate, value, "0 or 1, and a socket of type REQ")
}

// SetReqRelaxed sets whether the socket may send a request before the last one
// has a reply (1); the last one is then given up. It is an option of REQ. Set
// [Socket.SetReqCorrelate], too, so that a late reply isn't taken for the reply
// to the new request. The default is 0. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_REQ_RELAXED.
func (soc *Socket) SetReqRelaxed(value int) error {
	return setInt(soc, "SetReqRelaxed", (*zmq4.Socket).SetReqRelaxed, value, "0 or 1, and a socket of type REQ")
}

// SetStreamNotify sets whether the socket receives an empty message for each
// connection that comes or goes (1). It is an option of STREAM. The default is
// 1. See https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_STREAM_NOTIFY.
func (soc *Socket) SetStreamNotify(value int) error {
	return setInt(soc, "SetStreamNotify", (*zmq4.Socket).SetStreamNotify, value, "0 or 1, and a socket of type STREAM")
}

// SetXpubVerbose sets whether the socket receives every subscription (1), or
// only the first with the same filter. It is an option of XPUB. The default is
// 0. See https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_XPUB_VERBOSE.
func (soc *Socket) SetXpubVerbose(value int) error {
	return setInt(soc, "SetXpubVerbose", (*zmq4.Socket).SetXpubVerbose, value, "0 or 1, and a socket of type XPUB")
}

// SetXpubVerboser sets whether the socket receives every subscription and its
// end (1), or only the first and the last with the same filter. It is an option
// of XPUB. The default is 0. See https://api.zeromq.org/4-3:zmq-setsockopt,
// ZMQ_XPUB_VERBOSER.
func (soc *Socket) SetXpubVerboser(value int) error {
	return setInt(soc, "SetXpubVerboser", (*zmq4.Socket).SetXpubVerboser, value, "0 or 1, and a socket of type XPUB")
}

// SetXpubManual sets whether subscriptions take effect only when the program
// says so (1). It is an option of XPUB. After receiving one, the program calls
// [Socket.SetSubscribe] or [Socket.SetUnsubscribe] with a filter of its choice,
// which then applies to that subscriber. The default is 0. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_XPUB_MANUAL.
func (soc *Socket) SetXpubManual(value int) error {
	return setInt(soc, "SetXpubManual", (*zmq4.Socket).SetXpubManual, value, "0 or 1, and a socket of type XPUB")
}

// SetXpubNodrop sets whether a send blocks while some subscriber's queue is
// full; if not, that subscriber misses the message. It is an option of XPUB and
// PUB. The default is false. See https://api.zeromq.org/4-3:zmq-setsockopt,
// ZMQ_XPUB_NODROP.
func (soc *Socket) SetXpubNodrop(value bool) error {
	return set(soc, "SetXpubNodrop", (*zmq4.Socket).SetXpubNodrop, value, "true or false, and a socket of type XPUB or PUB")
}

// SetXpubWelcomeMsg sets a message that each new subscriber receives first, if
// it has subscribed to it. It is an option of XPUB. "" is none. The default is
// "". See https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_XPUB_WELCOME_MSG.
func (soc *Socket) SetXpubWelcomeMsg(value string) error {
	return set(soc, "SetXpubWelcomeMsg", (*zmq4.Socket).SetXpubWelcomeMsg, value, "any message, and a socket of type XPUB")
}

// GetThreadSafe reports whether several threads may use libzmq's socket. libzmq
// says false for every type of socket here; several goroutines may use a
// [Socket] of this package anyway. See
// https://api.zeromq.org/4-3:zmq-getsockopt, ZMQ_THREAD_SAFE.
func (soc *Socket) GetThreadSafe() (bool, error) { return get(soc, (*zmq4.Socket).GetThreadSafe) }

// GetMechanism returns the security mechanism that follows from the options set
// so far. See https://api.zeromq.org/4-3:zmq-getsockopt, ZMQ_MECHANISM.
func (soc *Socket) GetMechanism() (Mechanism, error) { return get(soc, (*zmq4.Socket).GetMechanism) }

// SetZapDomain sets the domain for authentication (ZAP), which selects rules
// such as those of [AuthAllow]. The default is "". See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_ZAP_DOMAIN.
func (soc *Socket) SetZapDomain(value string) error {
	return set(soc, "SetZapDomain", (*zmq4.Socket).SetZapDomain, value, "1 to 255 bytes")
}

// GetZapDomain returns what [Socket.SetZapDomain] sets.
func (soc *Socket) GetZapDomain() (string, error) { return get(soc, (*zmq4.Socket).GetZapDomain) }

// SetPlainServer sets whether the socket is a PLAIN server (1). 0 also sets the
// mechanism to NULL. The default is 0. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_PLAIN_SERVER.
func (soc *Socket) SetPlainServer(value int) error {
	return setInt(soc, "SetPlainServer", (*zmq4.Socket).SetPlainServer, value, "0 or 1")
}

// GetPlainServer returns what [Socket.SetPlainServer] sets.
func (soc *Socket) GetPlainServer() (int, error) { return get(soc, (*zmq4.Socket).GetPlainServer) }

// SetPlainUsername sets the user name with which the socket connects as a PLAIN
// client. "" sets the mechanism to NULL. The default is "". See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_PLAIN_USERNAME.
func (soc *Socket) SetPlainUsername(value string) error {
	return set(soc, "SetPlainUsername", (*zmq4.Socket).SetPlainUsername, value, "1 to 255 bytes, or \"\" (not PLAIN)")
}

// GetPlainUsername returns what [Socket.SetPlainUsername] sets.
func (soc *Socket) GetPlainUsername() (string, error) {
	return get(soc, (*zmq4.Socket).GetPlainUsername)
}

// SetPlainPassword sets the password with which the socket connects as a PLAIN
// client. "" sets the mechanism to NULL. The default is "". See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_PLAIN_PASSWORD.
func (soc *Socket) SetPlainPassword(value string) error {
	return set(soc, "SetPlainPassword", (*zmq4.Socket).SetPlainPassword, value, "1 to 255 bytes, or \"\" (not PLAIN)")
}

// GetPlainPassword returns what [Socket.SetPlainPassword] sets.
func (soc *Socket) GetPlainPassword() (string, error) {
	return get(soc, (*zmq4.Socket).GetPlainPassword)
}

// SetCurveServer sets whether the socket is a CURVE server (1), which needs
// [Socket.SetCurveSecretkey]. 0 also sets the mechanism to NULL. The default is
// 0. See https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_CURVE_SERVER.
func (soc *Socket) SetCurveServer(value int) error {
	return setInt(soc, "SetCurveServer", (*zmq4.Socket).SetCurveServer, value, "0 or 1, and a libzmq with CURVE (HasCurve)")
}

// SetCurvePublickey sets the public key with which the socket connects as a
// CURVE client: 32 bytes, or 40 characters of Z85. See [NewCurveKeypair] and
// [AuthCurvePublic]. See https://api.zeromq.org/4-3:zmq-setsockopt,
// ZMQ_CURVE_PUBLICKEY.
func (soc *Socket) SetCurvePublickey(value string) error {
	return setKey(soc, "SetCurvePublickey", (*zmq4.Socket).SetCurvePublickey, value, "32 bytes, or 40 characters of Z85, and a libzmq with CURVE (HasCurve)")
}

// GetCurvePublickeyRaw returns the socket's public CURVE key as 32 bytes, which
// are zero if it wasn't set. See https://api.zeromq.org/4-3:zmq-getsockopt,
// ZMQ_CURVE_PUBLICKEY.
func (soc *Socket) GetCurvePublickeyRaw() (string, error) {
	return get(soc, (*zmq4.Socket).GetCurvePublickeyRaw)
}

// GetCurvePublickeykeyZ85 returns the socket's public CURVE key as 40
// characters of Z85, which are zeros if it wasn't set. See
// https://api.zeromq.org/4-3:zmq-getsockopt, ZMQ_CURVE_PUBLICKEY.
func (soc *Socket) GetCurvePublickeykeyZ85() (string, error) {
	return get(soc, (*zmq4.Socket).GetCurvePublickeykeyZ85)
}

// SetCurveSecretkey sets the socket's secret CURVE key, as client or server: 32
// bytes, or 40 characters of Z85. See [NewCurveKeypair]. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_CURVE_SECRETKEY.
func (soc *Socket) SetCurveSecretkey(value string) error {
	return setKey(soc, "SetCurveSecretkey", (*zmq4.Socket).SetCurveSecretkey, value, "32 bytes, or 40 characters of Z85, and a libzmq with CURVE (HasCurve)")
}

// GetCurveSecretkeyRaw returns the socket's secret CURVE key as 32 bytes, which
// are zero if it wasn't set. See https://api.zeromq.org/4-3:zmq-getsockopt,
// ZMQ_CURVE_SECRETKEY.
func (soc *Socket) GetCurveSecretkeyRaw() (string, error) {
	return get(soc, (*zmq4.Socket).GetCurveSecretkeyRaw)
}

// GetCurveSecretkeyZ85 returns the socket's secret CURVE key as 40 characters
// of Z85, which are zeros if it wasn't set. See
// https://api.zeromq.org/4-3:zmq-getsockopt, ZMQ_CURVE_SECRETKEY.
func (soc *Socket) GetCurveSecretkeyZ85() (string, error) {
	return get(soc, (*zmq4.Socket).GetCurveSecretkeyZ85)
}

// SetCurveServerkey sets the public key of the server to which the socket
// connects as a CURVE client: 32 bytes, or 40 characters of Z85. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_CURVE_SERVERKEY.
func (soc *Socket) SetCurveServerkey(value string) error {
	return setKey(soc, "SetCurveServerkey", (*zmq4.Socket).SetCurveServerkey, value, "32 bytes, or 40 characters of Z85, and a libzmq with CURVE (HasCurve)")
}

// GetCurveServerkeyRaw returns the server's public CURVE key as 32 bytes, which
// are zero if it wasn't set. See https://api.zeromq.org/4-3:zmq-getsockopt,
// ZMQ_CURVE_SERVERKEY.
func (soc *Socket) GetCurveServerkeyRaw() (string, error) {
	return get(soc, (*zmq4.Socket).GetCurveServerkeyRaw)
}

// GetCurveServerkeyZ85 returns the server's public CURVE key as 40 characters
// of Z85, which are zeros if it wasn't set. See
// https://api.zeromq.org/4-3:zmq-getsockopt, ZMQ_CURVE_SERVERKEY.
func (soc *Socket) GetCurveServerkeyZ85() (string, error) {
	return get(soc, (*zmq4.Socket).GetCurveServerkeyZ85)
}

// SetGssapiServer sets whether the socket is a GSSAPI server. Either value sets
// the mechanism to GSSAPI. The default is false. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_GSSAPI_SERVER.
func (soc *Socket) SetGssapiServer(value bool) error {
	return set(soc, "SetGssapiServer", (*zmq4.Socket).SetGssapiServer, value, "true or false, and a libzmq with GSSAPI (HasGssapi)")
}

// GetGssapiServer returns what [Socket.SetGssapiServer] sets.
func (soc *Socket) GetGssapiServer() (bool, error) { return get(soc, (*zmq4.Socket).GetGssapiServer) }

// SetGssapiPlaintext sets whether GSSAPI only authenticates, without
// encryption. The default is false. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_GSSAPI_PLAINTEXT.
func (soc *Socket) SetGssapiPlaintext(value bool) error {
	return set(soc, "SetGssapiPlaintext", (*zmq4.Socket).SetGssapiPlaintext, value, "true or false, and a libzmq with GSSAPI (HasGssapi)")
}

// GetGssapiPlaintext returns what [Socket.SetGssapiPlaintext] sets.
func (soc *Socket) GetGssapiPlaintext() (bool, error) {
	return get(soc, (*zmq4.Socket).GetGssapiPlaintext)
}

// SetGssapiPrincipal sets the name of the principal whose credentials the
// socket uses with GSSAPI. The default is "". See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_GSSAPI_PRINCIPAL.
func (soc *Socket) SetGssapiPrincipal(value string) error {
	return setText(soc, "SetGssapiPrincipal", (*zmq4.Socket).SetGssapiPrincipal, value, "1 to 255 bytes, and a libzmq with GSSAPI (HasGssapi)")
}

// GetGssapiPrincipal returns what [Socket.SetGssapiPrincipal] sets.
func (soc *Socket) GetGssapiPrincipal() (string, error) {
	return get(soc, (*zmq4.Socket).GetGssapiPrincipal)
}

// SetGssapiServicePrincipal sets the name of the server's principal to which
// the socket connects as a GSSAPI client. The default is "". See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_GSSAPI_SERVICE_PRINCIPAL.
func (soc *Socket) SetGssapiServicePrincipal(value string) error {
	return setText(soc, "SetGssapiServicePrincipal", (*zmq4.Socket).SetGssapiServicePrincipal, value, "1 to 255 bytes, and a libzmq with GSSAPI (HasGssapi)")
}

// GetGssapiServicePrincipal returns what [Socket.SetGssapiServicePrincipal]
// sets.
func (soc *Socket) GetGssapiServicePrincipal() (string, error) {
	return get(soc, (*zmq4.Socket).GetGssapiServicePrincipal)
}
