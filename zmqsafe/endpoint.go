package zmqsafe

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/conns"
)

// endpoint is an endpoint that a socket has bound or connected.
type endpoint struct {
	given  string // as the program wrote it
	actual string // as libzmq resolved it, with the port in place of *
	bound  bool
	rid    string // identity of the peer, if SetConnectRid gave one
	fd     int    // descriptor that SetUseFd gave, or -1
}

// listens reports whether others connect to the endpoint from outside the
// context.
func (e endpoint) listens() bool { return e.bound && !isInproc(e.actual) }

// look looks at what libzmq has there.
func (e endpoint) look(threads *conns.Threads) conns.Look {
	if e.bound {
		return threads.Accepted(e.actual)
	}
	return threads.Connected(e.actual)
}

// Bind accepts connections on endpoint, which has the form transport://address:
// for example tcp://127.0.0.1:5555, tcp://*:* (any free port, see
// [Socket.GetLastEndpoint]), ipc:///run/x.sock or inproc://name. See
// https://api.zeromq.org/4-3:zmq-bind.
//
// It doesn't block. Errors: EADDRINUSE, EADDRNOTAVAIL, ENODEV and others of the
// operating system; EINVAL for a malformed endpoint and EPROTONOSUPPORT for an
// unknown transport; EMTHREAD without I/O threads ([Context.SetIoThreads]).
func (soc *Socket) Bind(endpoint string) error {
	due, err := soc.attach("Bind", endpoint, true, caller(1))
	closeDue(due)
	return err
}

// Connect connects to endpoint, which has the form described at [Socket.Bind],
// with a host name or address instead of an interface. See
// https://api.zeromq.org/4-3:zmq-connect.
//
// It doesn't block and doesn't wait for the peer: libzmq looks up host names
// and connects in the background, and retries until it succeeds. Errors are as
// for Bind.
func (soc *Socket) Connect(endpoint string) error {
	_, err := soc.attach("Connect", endpoint, false, caller(1))
	return err
}

// With CONNECT_RID, ROUTER_RAW and USE_FD libzmq aborts the process if a later
// Bind or Connect doesn't fit them. So the socket remembers these options and
// refuses such a call.

// SetConnectRid sets the identity under which this socket, a ROUTER or STREAM,
// knows the peer of the next [Socket.Connect], so that it can send to that peer
// at once: 1 to 255 bytes, the first not zero. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_CONNECT_ROUTING_ID.
//
// Each identity may be used only once at a time. Connect fails with EADDRINUSE
// if another Connect of this socket uses it, where pebbe/zmq4 aborts the
// process. Two cases can't be detected, and libzmq aborts: an identity that a
// peer has chosen for itself, and one that is used again right after
// [Socket.Disconnect], which libzmq finishes in the background.
func (soc *Socket) SetConnectRid(value string) error {
	return soc.call(func(s *socketState) error {
		err := s.raw.SetConnectRid(value)
		if err == nil {
			s.nextRid = value
		}
		return explainOption("SetConnectRid", value, s.typ, "1 to 255 bytes, and a socket of type ROUTER or STREAM", err)
	})
}

// SetRouterRaw sets whether a ROUTER talks to peers that don't speak ZMTP (1)
// or to peers that do (0, the default). libzmq recommends a STREAM instead. It
// is for tcp: combining it with an inproc endpoint fails with EINVAL or
// ENOCOMPATPROTO, where pebbe/zmq4 accepts it. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_ROUTER_RAW.
func (soc *Socket) SetRouterRaw(value int) error {
	return soc.call(func(s *socketState) error {
		if value != int(int32(value)) {
			return invalid("SetRouterRaw(%d): want 0 or 1", value)
		}
		if value > 0 && slices.ContainsFunc(s.endpoints, func(e endpoint) bool { return isInproc(e.actual) }) {
			return invalid("SetRouterRaw(%d): the socket has inproc endpoints; want tcp endpoints only", value)
		}
		err := s.raw.SetRouterRaw(value)
		if err == nil && value > 0 {
			s.rawMode = true // for good: libzmq doesn't undo all of it
		}
		return explainOption("SetRouterRaw", value, s.typ, "0 or 1, and a socket of type ROUTER", err)
	})
}

// SetSndbuf sets the size of the operating system's send buffer for a TCP
// connection, in bytes. -1 leaves it to the operating system. Less than 32768
// has the effect of 32768, see below. The default is -1. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_SNDBUF.
//
// libzmq hands messages to the kernel in batches of 8192 bytes. If the kernel
// doesn't take the whole of the last one because a slow peer has filled a small
// buffer, libzmq drops the rest when the socket is closed, whatever its LINGER.
func (soc *Socket) SetSndbuf(value int) error {
	set := func(raw *zmq4.Socket, value int) error {
		enough := value
		if value >= 0 {
			enough = max(value, sndbufFloor)
		}
		err := raw.SetSndbuf(enough)
		if err == nil {
			soc.s.sndbuf = value
		}
		return err
	}
	return setInt(soc, "SetSndbuf", set, value, "-1 (the system's), or 0 or more")
}

// sndbufFloor is the smallest send buffer that libzmq gets, in bytes; the
// kernel doubles it. When the kernel says that a connection is writable, a
// third is free. A batch must fit in there, with the kernel's own costs for
// each packet: libzmq counts a socket as done once its last batch is made, and
// closes the connection with what is left of it (stream_engine_base.cpp,
// out_event; session_base.cpp, pipe_terminated).
//
// Counted on Linux 6.18, with packets of 600 to 65536 bytes and a peer with a
// receive buffer of 4096: with 32768 and 24576 the kernel took each batch in
// one piece, with 16384 it cut 21 of 260.
const sndbufFloor = 32 << 10

// GetSndbuf returns what [Socket.SetSndbuf] sets.
func (soc *Socket) GetSndbuf() (value int, err error) {
	err = soc.call(func(s *socketState) error {
		value = s.sndbuf
		return nil
	})
	return value, err
}

// attach is Bind or Connect. The caller closes what is due, as inprocNames.bind
// says.
func (soc *Socket) attach(name, given string, bind bool, at callSite) (due []*socketState, err error) {
	abort := false
	err = soc.call(func(s *socketState) error {
		if err := checkEndpoint(name, given); err != nil {
			return err
		}
		e, err := s.newEndpoint(name, given, bind)
		if err != nil {
			return err
		}
		if err := checkInterfaceLookup(name, given, bind); err != nil {
			return err
		}
		switch {
		case bind && given == zapEndpoint && s.typ != REP && s.typ != ROUTER:
			// libzmq would abort when a peer connects (session_base.cpp,
			// zap_connect).
			return &usageError{fmt.Sprintf("%s(%q): this endpoint is for the authenticator; want a socket of type REP or ROUTER", name, given), ENOCOMPATPROTO}
		case bind && isInproc(given):
			due, err = s.c.inproc.bind(s, given)
		case isInproc(given):
			err = s.c.inproc.connect(s, given)
		case bind:
			err = s.raw.Bind(given)
		default:
			err = s.raw.Connect(given)
		}
		if err != nil {
			return explainEndpoint(name, given, err)
		}
		if bind {
			if last, err := s.raw.GetLastEndpoint(); err == nil {
				e.actual = last
			}
		} else {
			s.nextRid = ""
		}
		s.endpoints = append(s.endpoints, e)
		s.attached = true
		abort = s.mayAbort(given)
		return nil
	})
	if abort {
		soc.s.warnHeartbeat(given, at)
	}
	return due, err
}

// newEndpoint describes the endpoint that a Bind or Connect is about to make,
// and refuses one that doesn't fit the options. The caller holds the lock.
func (s *socketState) newEndpoint(name, given string, bind bool) (endpoint, error) {
	e := endpoint{given: given, actual: given, bound: bind, fd: -1}
	if isInproc(given) && s.rawMode {
		return e, &usageError{fmt.Sprintf("%s(%q): the socket has SetRouterRaw(1), which excludes inproc; want a tcp endpoint", name, given), ENOCOMPATPROTO}
	}
	if bind {
		var err error
		e.fd, err = s.checkUseFd(name, given)
		return e, err
	}
	e.rid = s.nextRid
	if i := slices.IndexFunc(s.endpoints, func(other endpoint) bool { return e.rid != "" && other.rid == e.rid }); i >= 0 {
		return e, &usageError{fmt.Sprintf("%s(%q): the connection to %s already uses this identity; want another (SetConnectRid)", name, given, s.endpoints[i].actual), EADDRINUSE}
	}
	return e, nil
}

// checkUseFd returns the descriptor from SetUseFd that Bind would use, or -1.
func (s *socketState) checkUseFd(name, given string) (int, error) {
	if !strings.HasPrefix(given, "tcp://") && !strings.HasPrefix(given, "ipc://") {
		return -1, nil
	}
	fd, err := s.raw.Getusefd()
	if err != nil || fd < 0 {
		return -1, err
	}
	refuse := func(what string, errno Errno) (int, error) {
		return -1, &usageError{fmt.Sprintf("%s(%q): descriptor %d (SetUseFd) %s", name, given, fd, what), errno}
	}
	if slices.ContainsFunc(s.endpoints, func(e endpoint) bool { return e.fd == fd }) {
		return refuse("is already used by another endpoint of the socket; SetUseFd(-1) stops using it", EADDRINUSE)
	}
	listens, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	switch {
	case err != nil:
		return refuse("is not an open socket; want one that listens", AsErrno(err))
	case listens == 0:
		return refuse("doesn't listen; want a socket that does", Errno(syscall.EINVAL))
	}
	return fd, nil
}

const endpointForm = "want transport://address, for example tcp://127.0.0.1:5555, ipc:///run/x.sock or inproc://name"

// checkEndpoint refuses a string that doesn't have the form of an endpoint.
func checkEndpoint(name, endpoint string) error {
	transport, address, found := strings.Cut(endpoint, "://")
	switch {
	case endpoint == "":
		return invalid("%s: empty endpoint; %s", name, endpointForm)
	case !found || transport == "" || address == "":
		return invalid("%s(%q): malformed endpoint; %s", name, endpoint, endpointForm)
	case strings.ContainsRune(endpoint, 0):
		return invalid("%s(%q): endpoint with a zero byte; %s", name, endpoint, endpointForm)
	}
	return nil
}

// explainEndpoint explains those of libzmq's errors that the call itself
// causes. Errors with another cause stay plain Errno values.
func explainEndpoint(name, endpoint string, err error) error {
	explain := func(meaning string) error {
		return &usageError{fmt.Sprintf("%s(%q): %s", name, endpoint, meaning), err}
	}
	switch AsErrno(err) {
	case Errno(syscall.EINVAL):
		return explain("malformed address; " + endpointForm)
	case EPROTONOSUPPORT:
		return explain("the loaded libzmq doesn't have this transport; it has tcp, ipc, inproc and, depending on its build, pgm, epgm, tipc, norm, udp and ws")
	case ENOCOMPATPROTO:
		return explain("this type of socket can't use this transport")
	case EMTHREAD:
		return explain("the context has no I/O threads, and without them only inproc works; call SetIoThreads(1) before the first NewSocket")
	case Errno(syscall.ENOENT):
		return explain("the socket has no such endpoint")
	}
	return err
}

// namesHost reports whether resolving the endpoint may need the network.
func namesHost(endpoint string) bool {
	address, isTCP := strings.CutPrefix(endpoint, "tcp://")
	if !isTCP {
		return false
	}
	host, _, err := net.SplitHostPort(address)
	return err != nil || net.ParseIP(host) == nil
}

// hostIn returns the host name in an endpoint, or "" if it has none. libzmq
// looks the name up on its I/O thread (tcp_connecter.cpp,
// tcp_connecter_t::open). Until the answer comes, that thread does nothing
// else, and none of its sockets can end.
func hostIn(endpoint string) string {
	address, isTCP := strings.CutPrefix(endpoint, "tcp://")
	_, to, hasSource := strings.Cut(address, ";")
	if hasSource {
		address = to
	}
	host, _, err := net.SplitHostPort(address)
	host, _, _ = strings.Cut(host, "%")
	if !isTCP || err != nil || host == "*" || net.ParseIP(host) != nil {
		return ""
	}
	return host
}

func isInproc(endpoint string) bool { return strings.HasPrefix(endpoint, "inproc://") }
