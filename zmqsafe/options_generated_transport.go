// Code generated from zmqsafe/internal/api/options.go; DO NOT EDIT.

package zmqsafe

import (
	"time"

	"github.com/pebbe/zmq4"
)

// SetAffinity sets which I/O threads of the context handle new connections, as
// a bit mask: 1 is the first thread, 2 the second, 3 both. 0 is any thread. If
// the context has none of these threads, [Socket.Bind] and [Socket.Connect]
// fail with EMTHREAD. The default is 0. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_AFFINITY.
func (soc *Socket) SetAffinity(value uint64) error {
	return set(soc, "SetAffinity", (*zmq4.Socket).SetAffinity, value, "a bit mask")
}

// GetAffinity returns what [Socket.SetAffinity] sets.
func (soc *Socket) GetAffinity() (uint64, error) { return get(soc, (*zmq4.Socket).GetAffinity) }

// SetBacklog sets how many connections the operating system queues before they
// are accepted, for each [Socket.Bind]. The default is 100. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_BACKLOG.
func (soc *Socket) SetBacklog(value int) error {
	return setInt(soc, "SetBacklog", (*zmq4.Socket).SetBacklog, value, "0 or more")
}

// GetBacklog returns what [Socket.SetBacklog] sets.
func (soc *Socket) GetBacklog() (int, error) { return get(soc, (*zmq4.Socket).GetBacklog) }

// SetConnectTimeout sets how long one attempt to connect over TCP may take. 0
// leaves it to the operating system. The next attempt follows after
// [Socket.SetReconnectIvl]. The default is 0. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_CONNECT_TIMEOUT.
func (soc *Socket) SetConnectTimeout(value time.Duration) error {
	return setDuration(soc, "SetConnectTimeout", (*zmq4.Socket).SetConnectTimeout, value, durations{})
}

// GetConnectTimeout returns what [Socket.SetConnectTimeout] sets.
func (soc *Socket) GetConnectTimeout() (time.Duration, error) {
	return get(soc, (*zmq4.Socket).GetConnectTimeout)
}

// SetReconnectIvl sets the time before a lost or refused connection is tried
// again. libzmq adds a random time of up to as much. -1 and 0 both mean never.
// The default is 100 ms. See https://api.zeromq.org/4-3:zmq-setsockopt,
// ZMQ_RECONNECT_IVL.
func (soc *Socket) SetReconnectIvl(value time.Duration) error {
	return setDuration(soc, "SetReconnectIvl", (*zmq4.Socket).SetReconnectIvl, value, durations{minusOne: "never"})
}

// GetReconnectIvl returns what [Socket.SetReconnectIvl] sets.
func (soc *Socket) GetReconnectIvl() (time.Duration, error) {
	return get(soc, (*zmq4.Socket).GetReconnectIvl)
}

// SetReconnectIvlMax sets the limit up to which the time between attempts to
// reconnect doubles each time. If it is less than [Socket.SetReconnectIvl], the
// time stays the same. The default is 0. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_RECONNECT_IVL_MAX.
func (soc *Socket) SetReconnectIvlMax(value time.Duration) error {
	return setDuration(soc, "SetReconnectIvlMax", (*zmq4.Socket).SetReconnectIvlMax, value, durations{})
}

// GetReconnectIvlMax returns what [Socket.SetReconnectIvlMax] sets.
func (soc *Socket) GetReconnectIvlMax() (time.Duration, error) {
	return get(soc, (*zmq4.Socket).GetReconnectIvlMax)
}

// SetHandshakeIvl sets how long the handshake of a new connection may take
// before libzmq gives it up. 0 is no limit. A STREAM has no handshake. The
// default is 30 s. See https://api.zeromq.org/4-3:zmq-setsockopt,
// ZMQ_HANDSHAKE_IVL.
func (soc *Socket) SetHandshakeIvl(value time.Duration) error {
	return setDuration(soc, "SetHandshakeIvl", (*zmq4.Socket).SetHandshakeIvl, value, durations{})
}

// GetHandshakeIvl returns what [Socket.SetHandshakeIvl] sets.
func (soc *Socket) GetHandshakeIvl() (time.Duration, error) {
	return get(soc, (*zmq4.Socket).GetHandshakeIvl)
}

// SetHeartbeatTimeout sets how long the peer may be silent after a heartbeat
// before the connection is taken for dead. It needs [Socket.SetHeartbeatIvl].
// The default is the time between heartbeats. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_HEARTBEAT_TIMEOUT.
func (soc *Socket) SetHeartbeatTimeout(value time.Duration) error {
	return setDuration(soc, "SetHeartbeatTimeout", (*zmq4.Socket).SetHeartbeatTimeout, value, durations{})
}

// SetHeartbeatTtl sets how long the connection may be silent before the peer
// takes it for dead. 0 leaves it to the peer. libzmq counts it in tenths of a
// second, up to 6553.5 s. Other times are rounded up, where pebbe/zmq4 makes 0
// of less than a tenth. It needs [Socket.SetHeartbeatIvl]. Beware: a peer that
// connects, with a finite RCVHWM and a full queue for longer than this, aborts
// ([Socket.SetHeartbeatIvl]). The default is 0. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_HEARTBEAT_TTL.
func (soc *Socket) SetHeartbeatTtl(value time.Duration) error {
	return setDuration(soc, "SetHeartbeatTtl", (*zmq4.Socket).SetHeartbeatTtl, value, durations{step: 100 * time.Millisecond})
}

// SetIpv6 sets whether the socket uses IPv6 besides IPv4. The default is false,
// or the context's ([Context.SetIpv6]). See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_IPV6.
func (soc *Socket) SetIpv6(value bool) error {
	return set(soc, "SetIpv6", (*zmq4.Socket).SetIpv6, value, "true or false")
}

// GetIpv6 returns what [Socket.SetIpv6] sets.
func (soc *Socket) GetIpv6() (bool, error) { return get(soc, (*zmq4.Socket).GetIpv6) }

// SetSocksProxy sets the SOCKS5 proxy, as host:port, through which TCP
// connections are made. "" is none. The proxy resolves host names. Beware:
// after a connection through the proxy has failed, libzmq 4.3.4 aborts the
// process when the socket closes or disconnects (socks_connecter.cpp), and this
// package can't prevent it. The default is "". See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_SOCKS_PROXY.
func (soc *Socket) SetSocksProxy(value string) error {
	return setText(soc, "SetSocksProxy", (*zmq4.Socket).SetSocksProxy, value, "host:port")
}

// GetSocksProxy returns what [Socket.SetSocksProxy] sets.
func (soc *Socket) GetSocksProxy() (string, error) { return get(soc, (*zmq4.Socket).GetSocksProxy) }

// SetTcpAcceptFilter adds an address, or a range as in 192.168.0.0/16, from
// which bound endpoints accept TCP connections. Without any they accept all
// connections; "" removes all addresses. libzmq recommends authentication
// instead ([AuthAllow], [AuthDeny]). The default is none. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_TCP_ACCEPT_FILTER.
func (soc *Socket) SetTcpAcceptFilter(value string) error {
	return setText(soc, "SetTcpAcceptFilter", (*zmq4.Socket).SetTcpAcceptFilter, value, "an IP address, with a number of bits or without, as in 192.168.0.0/16")
}

// SetUseFd sets the descriptor that the next [Socket.Bind] to tcp or ipc uses:
// a listening socket of the operating system, as from systemd. -1 is none. From
// that Bind on, libzmq owns the descriptor and closes it: the program must
// neither close it nor use it for another Bind. Bind refuses a descriptor that
// isn't open, doesn't listen, or is used by another endpoint of this socket.
// The default is -1. See https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_USE_FD.
func (soc *Socket) SetUseFd(value int) error {
	return setInt(soc, "SetUseFd", (*zmq4.Socket).SetUseFd, value, "-1 (none), or a descriptor")
}

// Getusefd returns what [Socket.SetUseFd] sets.
func (soc *Socket) Getusefd() (int, error) { return get(soc, (*zmq4.Socket).Getusefd) }

// SetRcvbuf sets the size of the operating system's receive buffer for a
// connection, in bytes. -1 leaves it to the operating system. The default is
// -1. See https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_RCVBUF.
func (soc *Socket) SetRcvbuf(value int) error {
	return setInt(soc, "SetRcvbuf", (*zmq4.Socket).SetRcvbuf, value, "-1 (the system's), or 0 or more")
}

// GetRcvbuf returns what [Socket.SetRcvbuf] sets.
func (soc *Socket) GetRcvbuf() (int, error) { return get(soc, (*zmq4.Socket).GetRcvbuf) }

// SetTos sets the type-of-service byte of IP packets, with DSCP and ECN. 0
// leaves it to the operating system. The default is 0. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_TOS.
func (soc *Socket) SetTos(value int) error {
	return setInt(soc, "SetTos", (*zmq4.Socket).SetTos, value, "0 or more")
}

// GetTos returns what [Socket.SetTos] sets.
func (soc *Socket) GetTos() (int, error) { return get(soc, (*zmq4.Socket).GetTos) }

// SetTcpKeepalive sets whether TCP sends probes on idle connections to keep
// them alive: 0 is no, 1 is yes. -1 leaves it to the operating system. The
// default is -1. See https://api.zeromq.org/4-3:zmq-setsockopt,
// ZMQ_TCP_KEEPALIVE.
func (soc *Socket) SetTcpKeepalive(value int) error {
	return setInt(soc, "SetTcpKeepalive", (*zmq4.Socket).SetTcpKeepalive, value, "-1 (the system's), 0 (off) or 1 (on)")
}

// GetTcpKeepalive returns what [Socket.SetTcpKeepalive] sets.
func (soc *Socket) GetTcpKeepalive() (int, error) { return get(soc, (*zmq4.Socket).GetTcpKeepalive) }

// SetTcpKeepaliveIdle sets the idle time before TCP's first keep-alive probe,
// in seconds. -1 leaves it to the operating system. Linux takes 1 to 32767;
// with other values no connection succeeds. It needs [Socket.SetTcpKeepalive]
// with 1. The default is -1. See https://api.zeromq.org/4-3:zmq-setsockopt,
// ZMQ_TCP_KEEPALIVE_IDLE.
func (soc *Socket) SetTcpKeepaliveIdle(value int) error {
	return setInt(soc, "SetTcpKeepaliveIdle", (*zmq4.Socket).SetTcpKeepaliveIdle, value, "-1 (the system's), or 0 or more")
}

// GetTcpKeepaliveIdle returns what [Socket.SetTcpKeepaliveIdle] sets.
func (soc *Socket) GetTcpKeepaliveIdle() (int, error) {
	return get(soc, (*zmq4.Socket).GetTcpKeepaliveIdle)
}

// SetTcpKeepaliveCnt sets how many of TCP's keep-alive probes may go unanswered
// before a connection is taken for dead. -1 leaves it to the operating system.
// Linux takes 1 to 127; with other values no connection succeeds. It needs
// [Socket.SetTcpKeepalive] with 1. The default is -1. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_TCP_KEEPALIVE_CNT.
func (soc *Socket) SetTcpKeepaliveCnt(value int) error {
	return setInt(soc, "SetTcpKeepaliveCnt", (*zmq4.Socket).SetTcpKeepaliveCnt, value, "-1 (the system's), or 0 or more")
}

// GetTcpKeepaliveCnt returns what [Socket.SetTcpKeepaliveCnt] sets.
func (soc *Socket) GetTcpKeepaliveCnt() (int, error) {
	return get(soc, (*zmq4.Socket).GetTcpKeepaliveCnt)
}

// SetTcpKeepaliveIntvl sets the time between TCP's keep-alive probes, in
// seconds. -1 leaves it to the operating system. Linux takes 1 to 32767; with
// other values no connection succeeds. It needs [Socket.SetTcpKeepalive] with
// 1. The default is -1. See https://api.zeromq.org/4-3:zmq-setsockopt,
// ZMQ_TCP_KEEPALIVE_INTVL.
func (soc *Socket) SetTcpKeepaliveIntvl(value int) error {
	return setInt(soc, "SetTcpKeepaliveIntvl", (*zmq4.Socket).SetTcpKeepaliveIntvl, value, "-1 (the system's), or 0 or more")
}

// GetTcpKeepaliveIntvl returns what [Socket.SetTcpKeepaliveIntvl] sets.
func (soc *Socket) GetTcpKeepaliveIntvl() (int, error) {
	return get(soc, (*zmq4.Socket).GetTcpKeepaliveIntvl)
}

// SetTcpMaxrt sets how long data sent over TCP may go unacknowledged before the
// connection is taken for dead. 0 leaves it to the operating system. The
// default is 0. See https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_TCP_MAXRT.
func (soc *Socket) SetTcpMaxrt(value time.Duration) error {
	return setDuration(soc, "SetTcpMaxrt", (*zmq4.Socket).SetTcpMaxrt, value, durations{})
}

// GetTcpMaxrt returns what [Socket.SetTcpMaxrt] sets.
func (soc *Socket) GetTcpMaxrt() (time.Duration, error) { return get(soc, (*zmq4.Socket).GetTcpMaxrt) }

// SetRate sets the largest rate of sending or receiving, in kilobits per
// second. It applies to multicast (pgm, epgm, norm). The default is 100. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_RATE.
func (soc *Socket) SetRate(value int) error {
	return setInt(soc, "SetRate", (*zmq4.Socket).SetRate, value, "1 or more")
}

// GetRate returns what [Socket.SetRate] sets.
func (soc *Socket) GetRate() (int, error) { return get(soc, (*zmq4.Socket).GetRate) }

// SetRecoveryIvl sets how long a receiver may be absent before it misses
// messages for good. libzmq keeps sent messages in memory for as long. It
// applies to multicast (pgm, epgm, norm). The default is 10 s. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_RECOVERY_IVL.
func (soc *Socket) SetRecoveryIvl(value time.Duration) error {
	return setDuration(soc, "SetRecoveryIvl", (*zmq4.Socket).SetRecoveryIvl, value, durations{})
}

// GetRecoveryIvl returns what [Socket.SetRecoveryIvl] sets.
func (soc *Socket) GetRecoveryIvl() (time.Duration, error) {
	return get(soc, (*zmq4.Socket).GetRecoveryIvl)
}

// SetMulticastHops sets how many hops packets may take. With 1 they stay in the
// local network. It applies to multicast (pgm, epgm, norm). The default is 1.
// See https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_MULTICAST_HOPS.
func (soc *Socket) SetMulticastHops(value int) error {
	return setInt(soc, "SetMulticastHops", (*zmq4.Socket).SetMulticastHops, value, "1 or more")
}

// GetMulticastHops returns what [Socket.SetMulticastHops] sets.
func (soc *Socket) GetMulticastHops() (int, error) { return get(soc, (*zmq4.Socket).GetMulticastHops) }

// SetMulticastMaxtpdu sets the largest size of sent packets, in bytes, which
// every network on the way must carry. It applies to multicast (pgm, epgm,
// norm). The default is 1500. See https://api.zeromq.org/4-3:zmq-setsockopt,
// ZMQ_MULTICAST_MAXTPDU.
func (soc *Socket) SetMulticastMaxtpdu(value int) error {
	return setInt(soc, "SetMulticastMaxtpdu", (*zmq4.Socket).SetMulticastMaxtpdu, value, "1 or more")
}

// GetMulticastMaxtpdu returns what [Socket.SetMulticastMaxtpdu] sets.
func (soc *Socket) GetMulticastMaxtpdu() (int, error) {
	return get(soc, (*zmq4.Socket).GetMulticastMaxtpdu)
}

// SetVmciBufferSize sets the buffer size of a connection over VMCI, in bytes.
// It needs a libzmq with VMCI, which few have. The default is 0, which leaves
// it to VMCI. See https://api.zeromq.org/4-3:zmq-setsockopt,
// ZMQ_VMCI_BUFFER_SIZE.
func (soc *Socket) SetVmciBufferSize(value uint64) error {
	return set(soc, "SetVmciBufferSize", (*zmq4.Socket).SetVmciBufferSize, value, "a libzmq with VMCI, which few have")
}

// GetVmciBufferSize returns what [Socket.SetVmciBufferSize] sets.
func (soc *Socket) GetVmciBufferSize() (uint64, error) {
	return get(soc, (*zmq4.Socket).GetVmciBufferSize)
}

// SetVmciBufferMinSize sets the least buffer size of a connection over VMCI, in
// bytes. It needs a libzmq with VMCI, which few have. The default is 0, which
// leaves it to VMCI. See https://api.zeromq.org/4-3:zmq-setsockopt,
// ZMQ_VMCI_BUFFER_MIN_SIZE.
func (soc *Socket) SetVmciBufferMinSize(value uint64) error {
	return set(soc, "SetVmciBufferMinSize", (*zmq4.Socket).SetVmciBufferMinSize, value, "a libzmq with VMCI, which few have")
}

// GetVmciBufferMinSize returns what [Socket.SetVmciBufferMinSize] sets.
func (soc *Socket) GetVmciBufferMinSize() (uint64, error) {
	return get(soc, (*zmq4.Socket).GetVmciBufferMinSize)
}

// SetVmciBufferMaxSize sets the largest buffer size of a connection over VMCI,
// in bytes. It needs a libzmq with VMCI, which few have. The default is 0,
// which leaves it to VMCI. See https://api.zeromq.org/4-3:zmq-setsockopt,
// ZMQ_VMCI_BUFFER_MAX_SIZE.
func (soc *Socket) SetVmciBufferMaxSize(value uint64) error {
	return set(soc, "SetVmciBufferMaxSize", (*zmq4.Socket).SetVmciBufferMaxSize, value, "a libzmq with VMCI, which few have")
}

// GetVmciBufferMaxSize returns what [Socket.SetVmciBufferMaxSize] sets.
func (soc *Socket) GetVmciBufferMaxSize() (uint64, error) {
	return get(soc, (*zmq4.Socket).GetVmciBufferMaxSize)
}

// SetVmciConnectTimeout sets how long an attempt to connect over VMCI may take.
// It needs a libzmq with VMCI, which few have. The default is VMCI's own. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_VMCI_CONNECT_TIMEOUT.
func (soc *Socket) SetVmciConnectTimeout(value time.Duration) error {
	return setDuration(soc, "SetVmciConnectTimeout", (*zmq4.Socket).SetVmciConnectTimeout, value, durations{})
}

// GetVmciConnectTimeout returns what [Socket.SetVmciConnectTimeout] sets.
func (soc *Socket) GetVmciConnectTimeout() (time.Duration, error) {
	return get(soc, (*zmq4.Socket).GetVmciConnectTimeout)
}
