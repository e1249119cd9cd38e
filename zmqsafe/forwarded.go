package zmqsafe

import (
	"time"

	"github.com/pebbe/zmq4"
)

// The options that the guard only forwards. Units, defaults and meaning are
// libzmq's.

// SetSndhwm sets the high-water mark for outbound messages: how many are queued
// for one peer before a send blocks or drops; 0 is no limit, 1000 the default.
func (soc *Socket) SetSndhwm(value int) error {
	return setInt(soc, "SetSndhwm", (*zmq4.Socket).SetSndhwm, value)
}

// SetRcvhwm sets the high-water mark for inbound messages: how many are queued
// from one peer; 0 is no limit, 1000 the default.
func (soc *Socket) SetRcvhwm(value int) error {
	return setInt(soc, "SetRcvhwm", (*zmq4.Socket).SetRcvhwm, value)
}

// SetSndbuf sets the size of the kernel's transmit buffer in bytes; -1, the
// default, leaves it to the system.
func (soc *Socket) SetSndbuf(value int) error {
	return setInt(soc, "SetSndbuf", (*zmq4.Socket).SetSndbuf, value)
}

// SetRcvbuf sets the size of the kernel's receive buffer in bytes; -1, the
// default, leaves it to the system.
func (soc *Socket) SetRcvbuf(value int) error {
	return setInt(soc, "SetRcvbuf", (*zmq4.Socket).SetRcvbuf, value)
}

// SetBacklog sets the length of the queue of connections not yet accepted; the
// default is 100.
func (soc *Socket) SetBacklog(value int) error {
	return setInt(soc, "SetBacklog", (*zmq4.Socket).SetBacklog, value)
}

// SetTcpKeepalive sets TCP keep-alive: -1, the default, leaves it to the
// system, 0 is off, 1 on.
func (soc *Socket) SetTcpKeepalive(value int) error {
	return setInt(soc, "SetTcpKeepalive", (*zmq4.Socket).SetTcpKeepalive, value)
}

// SetTcpKeepaliveIdle sets the idle time before the first TCP keep-alive probe
// in seconds; -1, the default, leaves it to the system.
func (soc *Socket) SetTcpKeepaliveIdle(value int) error {
	return setInt(soc, "SetTcpKeepaliveIdle", (*zmq4.Socket).SetTcpKeepaliveIdle, value)
}

// SetTcpKeepaliveCnt sets the number of TCP keep-alive probes before a peer
// counts as dead; -1, the default, leaves it to the system.
func (soc *Socket) SetTcpKeepaliveCnt(value int) error {
	return setInt(soc, "SetTcpKeepaliveCnt", (*zmq4.Socket).SetTcpKeepaliveCnt, value)
}

// SetTcpKeepaliveIntvl sets the time between TCP keep-alive probes in seconds;
// -1, the default, leaves it to the system.
func (soc *Socket) SetTcpKeepaliveIntvl(value int) error {
	return setInt(soc, "SetTcpKeepaliveIntvl", (*zmq4.Socket).SetTcpKeepaliveIntvl, value)
}

// SetRouterMandatory sets whether a ROUTER refuses messages it can't route,
// with EHOSTUNREACH or EAGAIN (1), or drops them (0, the default).
func (soc *Socket) SetRouterMandatory(value int) error {
	return setInt(soc, "SetRouterMandatory", (*zmq4.Socket).SetRouterMandatory, value)
}

// SetProbeRouter sets whether an empty message is sent to each new ROUTER peer
// (1); the default is 0.
func (soc *Socket) SetProbeRouter(value int) error {
	return setInt(soc, "SetProbeRouter", (*zmq4.Socket).SetProbeRouter, value)
}

// SetXpubVerbose sets whether an XPUB passes on repeated subscriptions too (1);
// the default is 0.
func (soc *Socket) SetXpubVerbose(value int) error {
	return setInt(soc, "SetXpubVerbose", (*zmq4.Socket).SetXpubVerbose, value)
}

// SetReqCorrelate sets whether a REQ marks requests and accepts only the reply
// to the last one (1); the default is 0.
func (soc *Socket) SetReqCorrelate(value int) error {
	return setInt(soc, "SetReqCorrelate", (*zmq4.Socket).SetReqCorrelate, value)
}

// SetReqRelaxed sets whether a REQ may send a new request before the reply to
// the last one (1); the default is 0.
func (soc *Socket) SetReqRelaxed(value int) error {
	return setInt(soc, "SetReqRelaxed", (*zmq4.Socket).SetReqRelaxed, value)
}

// SetCurveServer sets whether the socket is a CURVE server (1) or client (0,
// the default).
func (soc *Socket) SetCurveServer(value int) error {
	return setInt(soc, "SetCurveServer", (*zmq4.Socket).SetCurveServer, value)
}

// SetPlainServer sets whether the socket is a PLAIN server (1) or client (0,
// the default).
func (soc *Socket) SetPlainServer(value int) error {
	return setInt(soc, "SetPlainServer", (*zmq4.Socket).SetPlainServer, value)
}

// SetImmediate sets whether messages are queued only for established
// connections; false, the default, queues for connections to be.
func (soc *Socket) SetImmediate(value bool) error {
	return set(soc, "SetImmediate", (*zmq4.Socket).SetImmediate, value)
}

// SetIpv6 sets whether the socket uses IPv6; the default is false.
func (soc *Socket) SetIpv6(value bool) error {
	return set(soc, "SetIpv6", (*zmq4.Socket).SetIpv6, value)
}

// SetConflate sets whether the socket keeps only the last message; to be set
// before Bind and Connect.
func (soc *Socket) SetConflate(value bool) error {
	return set(soc, "SetConflate", (*zmq4.Socket).SetConflate, value)
}

// SetRouterHandover sets whether a ROUTER gives a peer's identity to a new
// connection that claims it; the default is false.
func (soc *Socket) SetRouterHandover(value bool) error {
	return set(soc, "SetRouterHandover", (*zmq4.Socket).SetRouterHandover, value)
}

// SetXpubNodrop sets whether a send fails with EAGAIN at the high-water mark
// instead of dropping; the default is false.
func (soc *Socket) SetXpubNodrop(value bool) error {
	return set(soc, "SetXpubNodrop", (*zmq4.Socket).SetXpubNodrop, value)
}

// SetReconnectIvl sets the time before a lost connection is tried again; -1 is
// never, 100 ms the default.
func (soc *Socket) SetReconnectIvl(d time.Duration) error {
	return setDuration(soc, "SetReconnectIvl", (*zmq4.Socket).SetReconnectIvl, d)
}

// SetReconnectIvlMax sets the limit up to which the time between reconnects
// doubles; 0, the default, keeps it the same.
func (soc *Socket) SetReconnectIvlMax(d time.Duration) error {
	return setDuration(soc, "SetReconnectIvlMax", (*zmq4.Socket).SetReconnectIvlMax, d)
}

// SetConnectTimeout sets how long a connection attempt may take; 0, the
// default, leaves it to the system.
func (soc *Socket) SetConnectTimeout(d time.Duration) error {
	return setDuration(soc, "SetConnectTimeout", (*zmq4.Socket).SetConnectTimeout, d)
}

// SetHandshakeIvl sets how long a ZMTP handshake may take; 0 is no limit, 30 s
// the default.
func (soc *Socket) SetHandshakeIvl(d time.Duration) error {
	return setDuration(soc, "SetHandshakeIvl", (*zmq4.Socket).SetHandshakeIvl, d)
}

// SetHeartbeatIvl sets the time between heartbeats; 0, the default, is none.
func (soc *Socket) SetHeartbeatIvl(d time.Duration) error {
	return setDuration(soc, "SetHeartbeatIvl", (*zmq4.Socket).SetHeartbeatIvl, d)
}

// SetHeartbeatTimeout sets how long to wait for an answer to a heartbeat; the
// default is the interval.
func (soc *Socket) SetHeartbeatTimeout(d time.Duration) error {
	return setDuration(soc, "SetHeartbeatTimeout", (*zmq4.Socket).SetHeartbeatTimeout, d)
}

// SetHeartbeatTtl sets how long the peer may wait for a heartbeat; 0, the
// default, leaves it to the peer.
func (soc *Socket) SetHeartbeatTtl(d time.Duration) error {
	return setDuration(soc, "SetHeartbeatTtl", (*zmq4.Socket).SetHeartbeatTtl, d)
}

// SetSubscribe sets a filter: a SUB receives the messages that begin with it,
// and with an empty one all messages.
func (soc *Socket) SetSubscribe(filter string) error {
	return set(soc, "SetSubscribe", (*zmq4.Socket).SetSubscribe, filter)
}

// SetUnsubscribe sets a filter: takes one SetSubscribe with it back.
func (soc *Socket) SetUnsubscribe(filter string) error {
	return set(soc, "SetUnsubscribe", (*zmq4.Socket).SetUnsubscribe, filter)
}

// SetPlainUsername sets the user name for PLAIN.
func (soc *Socket) SetPlainUsername(value string) error {
	return set(soc, "SetPlainUsername", (*zmq4.Socket).SetPlainUsername, value)
}

// SetPlainPassword sets the password for PLAIN.
func (soc *Socket) SetPlainPassword(value string) error {
	return set(soc, "SetPlainPassword", (*zmq4.Socket).SetPlainPassword, value)
}

// SetCurvePublickey sets the socket's public key for CURVE, 32 bytes or 40
// characters of Z85.
func (soc *Socket) SetCurvePublickey(value string) error {
	return set(soc, "SetCurvePublickey", (*zmq4.Socket).SetCurvePublickey, value)
}

// SetCurveSecretkey sets the socket's secret key for CURVE, 32 bytes or 40
// characters of Z85.
func (soc *Socket) SetCurveSecretkey(value string) error {
	return set(soc, "SetCurveSecretkey", (*zmq4.Socket).SetCurveSecretkey, value)
}

// SetCurveServerkey sets the server's public key for CURVE, 32 bytes or 40
// characters of Z85.
func (soc *Socket) SetCurveServerkey(value string) error {
	return set(soc, "SetCurveServerkey", (*zmq4.Socket).SetCurveServerkey, value)
}

// SetZapDomain sets the domain for authentication (ZAP).
func (soc *Socket) SetZapDomain(value string) error {
	return set(soc, "SetZapDomain", (*zmq4.Socket).SetZapDomain, value)
}

// SetIdentity sets the identity by which a ROUTER peer knows the socket: 1 to
// 255 bytes, the first not zero; to be set before Connect.
func (soc *Socket) SetIdentity(value string) error {
	return set(soc, "SetIdentity", (*zmq4.Socket).SetIdentity, value)
}

// SetMaxmsgsize sets the largest message that is accepted, in bytes; a peer
// that sends a larger one is disconnected; -1, the default, is no limit.
func (soc *Socket) SetMaxmsgsize(value int64) error {
	return set(soc, "SetMaxmsgsize", (*zmq4.Socket).SetMaxmsgsize, value)
}

// GetSndhwm returns what SetSndhwm sets.
func (soc *Socket) GetSndhwm() (int, error) { return get(soc, (*zmq4.Socket).GetSndhwm) }

// GetRcvhwm returns what SetRcvhwm sets.
func (soc *Socket) GetRcvhwm() (int, error) { return get(soc, (*zmq4.Socket).GetRcvhwm) }

// GetSndbuf returns what SetSndbuf sets.
func (soc *Socket) GetSndbuf() (int, error) { return get(soc, (*zmq4.Socket).GetSndbuf) }

// GetRcvbuf returns what SetRcvbuf sets.
func (soc *Socket) GetRcvbuf() (int, error) { return get(soc, (*zmq4.Socket).GetRcvbuf) }

// GetBacklog returns what SetBacklog sets.
func (soc *Socket) GetBacklog() (int, error) { return get(soc, (*zmq4.Socket).GetBacklog) }

// GetTcpKeepalive returns what SetTcpKeepalive sets.
func (soc *Socket) GetTcpKeepalive() (int, error) { return get(soc, (*zmq4.Socket).GetTcpKeepalive) }

// GetTcpKeepaliveIdle returns what SetTcpKeepaliveIdle sets.
func (soc *Socket) GetTcpKeepaliveIdle() (int, error) {
	return get(soc, (*zmq4.Socket).GetTcpKeepaliveIdle)
}

// GetTcpKeepaliveCnt returns what SetTcpKeepaliveCnt sets.
func (soc *Socket) GetTcpKeepaliveCnt() (int, error) {
	return get(soc, (*zmq4.Socket).GetTcpKeepaliveCnt)
}

// GetTcpKeepaliveIntvl returns what SetTcpKeepaliveIntvl sets.
func (soc *Socket) GetTcpKeepaliveIntvl() (int, error) {
	return get(soc, (*zmq4.Socket).GetTcpKeepaliveIntvl)
}

// GetImmediate returns what SetImmediate sets.
func (soc *Socket) GetImmediate() (bool, error) { return get(soc, (*zmq4.Socket).GetImmediate) }

// GetIpv6 returns what SetIpv6 sets.
func (soc *Socket) GetIpv6() (bool, error) { return get(soc, (*zmq4.Socket).GetIpv6) }

// GetReconnectIvl returns what SetReconnectIvl sets.
func (soc *Socket) GetReconnectIvl() (time.Duration, error) {
	return get(soc, (*zmq4.Socket).GetReconnectIvl)
}

// GetReconnectIvlMax returns what SetReconnectIvlMax sets.
func (soc *Socket) GetReconnectIvlMax() (time.Duration, error) {
	return get(soc, (*zmq4.Socket).GetReconnectIvlMax)
}

// GetConnectTimeout returns what SetConnectTimeout sets.
func (soc *Socket) GetConnectTimeout() (time.Duration, error) {
	return get(soc, (*zmq4.Socket).GetConnectTimeout)
}

// GetHandshakeIvl returns what SetHandshakeIvl sets.
func (soc *Socket) GetHandshakeIvl() (time.Duration, error) {
	return get(soc, (*zmq4.Socket).GetHandshakeIvl)
}

// GetIdentity returns what SetIdentity sets.
func (soc *Socket) GetIdentity() (string, error) { return get(soc, (*zmq4.Socket).GetIdentity) }

// GetMaxmsgsize returns what SetMaxmsgsize sets.
func (soc *Socket) GetMaxmsgsize() (int64, error) { return get(soc, (*zmq4.Socket).GetMaxmsgsize) }

// GetZapDomain returns what SetZapDomain sets.
func (soc *Socket) GetZapDomain() (string, error) { return get(soc, (*zmq4.Socket).GetZapDomain) }

// GetPlainServer returns what SetPlainServer sets.
func (soc *Socket) GetPlainServer() (int, error) { return get(soc, (*zmq4.Socket).GetPlainServer) }

// GetMechanism returns the security mechanism in use.
func (soc *Socket) GetMechanism() (Mechanism, error) { return get(soc, (*zmq4.Socket).GetMechanism) }
