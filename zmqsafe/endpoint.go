package zmqsafe

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
)

// endpoint is one that a socket has bound or connected.
type endpoint struct {
	given  string // as the program wrote it
	actual string // as libzmq resolved it: the port in place of *
	bound  bool
	rid    string // identity of the peer, if SetConnectRid gave one
	fd     int    // descriptor that SetUseFd gave, or -1
}

// Bind accepts connections on endpoint: transport://address, for example
// tcp://127.0.0.1:5555, tcp://*:* (any free port, see GetLastEndpoint),
// ipc:///run/x.sock or inproc://name. See https://api.zeromq.org/4-3:zmq-bind.
//
// It doesn't block. Errors: EADDRINUSE, EADDRNOTAVAIL, ENODEV and others of the
// operating system; EINVAL and EPROTONOSUPPORT for a malformed endpoint;
// EMTHREAD without I/O threads (SetIoThreads).
func (soc *Socket) Bind(endpoint string) error {
	return soc.attach("Bind", endpoint, true)
}

// Connect connects to endpoint, which has the form described at Bind, with a
// host name or address instead of an interface. See
// https://api.zeromq.org/4-3:zmq-connect.
//
// It doesn't block and doesn't wait for the peer: libzmq connects in the
// background, again and again, and looks up host names there. Errors are as for
// Bind.
func (soc *Socket) Connect(endpoint string) error {
	return soc.attach("Connect", endpoint, false)
}

// Unbind stops accepting connections on an endpoint given to Bind, or as
// GetLastEndpoint tells it. libzmq also ends the connections that were accepted
// there, except with inproc; what they still have to send is sent within the
// linger. See https://api.zeromq.org/4-3:zmq-unbind.
//
// Errors: ENOENT for an endpoint that isn't bound.
func (soc *Socket) Unbind(endpoint string) error {
	return soc.detach("Unbind", endpoint)
}

// Disconnect drops the connection to an endpoint given to Connect. Messages that
// aren't sent yet are kept for the linger. See
// https://api.zeromq.org/4-3:zmq-disconnect.
//
// Errors: ENOENT for an endpoint that isn't connected; ENOTCONN for a ROUTER or
// REP and an inproc name that nobody has bound yet.
func (soc *Socket) Disconnect(endpoint string) error {
	return soc.detach("Disconnect", endpoint)
}

func (soc *Socket) attach(name, given string, bind bool) error {
	return soc.call(func(s *socketState) error {
		if err := checkEndpoint(name, given); err != nil {
			return err
		}
		e, err := s.newEndpoint(name, given, bind)
		if err != nil {
			return err
		}
		switch {
		case bind && given == zapEndpoint && s.typ != REP && s.typ != ROUTER:
			// libzmq would abort when a peer connects (session_base.cpp, zap_connect).
			return &usageError{fmt.Sprintf("%s(%q): peers are authenticated there, which takes a REP or ROUTER", name, given), ENOCOMPATPROTO}
		case bind && isInproc(given):
			err = s.c.inproc.bind(s, given)
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
		return nil
	})
}

func (soc *Socket) detach(name, given string) error {
	return soc.call(func(s *socketState) error {
		if err := checkEndpoint(name, given); err != nil {
			return err
		}
		is := func(e endpoint) bool { return e.given == given || e.actual == given }
		// A socket may have bound and connected one inproc name: libzmq unbinds first.
		i := slices.IndexFunc(s.endpoints, func(e endpoint) bool { return is(e) && e.bound })
		if i < 0 {
			i = slices.IndexFunc(s.endpoints, is)
		}
		e := endpoint{actual: given}
		if i >= 0 {
			e = s.endpoints[i]
		} else if namesHost(given) {
			// Not ours, and zmq_disconnect would look the name up, here and now
			// (socket_base.cpp, socket_base_t::resolve_tcp_addr).
			return explainEndpoint(name, given, Errno(syscall.ENOENT))
		}
		if err := s.detachEndpoint(e); err != nil {
			return explainEndpoint(name, given, err)
		}
		s.endpoints = slices.DeleteFunc(s.endpoints, func(other endpoint) bool {
			return other.actual == e.actual && (other.bound == e.bound || !isInproc(e.actual))
		})
		return nil
	})
}

// detachEndpoint ends an endpoint in libzmq. The caller holds mu.
func (s *socketState) detachEndpoint(e endpoint) error {
	if isInproc(e.actual) {
		return s.c.inproc.detach(s, e.actual, e.bound)
	}
	return s.raw.Disconnect(e.actual) // the same call in libzmq as zmq_unbind
}

const endpointForm = "want transport://address, such as tcp://127.0.0.1:5555, ipc:///run/x.sock or inproc://name"

// checkEndpoint refuses what has not the form of an endpoint.
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

// explainEndpoint adds what was meant to the errors of libzmq that come from the
// call rather than from the world; the others stay plain Errno values.
func explainEndpoint(name, endpoint string, err error) error {
	explain := func(meaning string) error {
		return &usageError{fmt.Sprintf("%s(%q): %s", name, endpoint, meaning), err}
	}
	switch AsErrno(err) {
	case Errno(syscall.EINVAL):
		return explain("malformed address; " + endpointForm)
	case EPROTONOSUPPORT:
		return explain("this libzmq has no such transport; it has tcp, ipc, inproc and, as built, pgm, epgm, tipc, norm, udp, ws")
	case ENOCOMPATPROTO:
		return explain("this transport doesn't go with this type of socket")
	case EMTHREAD:
		return explain("the context has no I/O threads, which only inproc can do without; call SetIoThreads(1) before the first socket")
	case Errno(syscall.ENOENT):
		return explain("the socket has no such endpoint")
	}
	return err
}

// namesHost reports whether looking the endpoint up may need the network.
func namesHost(endpoint string) bool {
	address, isTCP := strings.CutPrefix(endpoint, "tcp://")
	if !isTCP {
		return false
	}
	host, _, err := net.SplitHostPort(address)
	return err != nil || net.ParseIP(host) == nil
}

func isInproc(endpoint string) bool { return strings.HasPrefix(endpoint, "inproc://") }
