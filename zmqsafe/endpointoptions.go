package zmqsafe

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
)

// Options with which libzmq aborts the process if a later Bind or Connect doesn't
// fit them: CONNECT_RID, ROUTER_RAW and USE_FD. The guard remembers them, and
// refuses such a call.

// SetConnectRid sets the identity under which this socket knows the peer of the
// next Connect, so that it can send to that peer at once: 1 to 255 bytes, the
// first not zero. It is an option of ROUTER and STREAM. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_CONNECT_ROUTING_ID.
//
// Each identity must be used once at a time. Connect fails with EADDRINUSE for
// one that another Connect of this socket has, where raw aborts the process. Two
// cases it can't know of, and libzmq aborts: an identity that a peer has chosen
// for itself, and one that is used again right after Disconnect, which libzmq
// finishes in the background.
func (soc *Socket) SetConnectRid(value string) error {
	return soc.call(func(s *socketState) error {
		err := s.raw.SetConnectRid(value)
		if err == nil {
			s.nextRid = value
		}
		return explainOption("SetConnectRid", value, s.typ, "1 to 255 bytes, and a socket of type ROUTER or STREAM", err)
	})
}

// SetRouterRaw sets whether a ROUTER talks to peers that aren't libzmq's (1), as
// a STREAM does, which libzmq advises instead. The default is 0. It is for tcp:
// where it would come together with an inproc endpoint the call fails, with EINVAL
// or ENOCOMPATPROTO; raw accepts that. See
// https://api.zeromq.org/4-3:zmq-setsockopt, ZMQ_ROUTER_RAW.
func (soc *Socket) SetRouterRaw(value int) error {
	return soc.call(func(s *socketState) error {
		if value != int(int32(value)) {
			return invalid("SetRouterRaw(%d): want 0 or 1", value)
		}
		if value > 0 && slices.ContainsFunc(s.endpoints, func(e endpoint) bool { return isInproc(e.actual) }) {
			return invalid("SetRouterRaw(%d): the socket has inproc endpoints, which don't go with it", value)
		}
		err := s.raw.SetRouterRaw(value)
		if err == nil && value > 0 {
			s.rawMode = true // for good: libzmq doesn't take all of it back
		}
		return explainOption("SetRouterRaw", value, s.typ, "0 or 1, and a socket of type ROUTER", err)
	})
}

// newEndpoint describes the endpoint that a Bind or Connect is about to make, and
// refuses one that doesn't fit the options. The caller holds mu.
func (s *socketState) newEndpoint(name, given string, bind bool) (endpoint, error) {
	e := endpoint{given: given, actual: given, bound: bind, fd: -1}
	if isInproc(given) && s.rawMode {
		return e, &usageError{fmt.Sprintf("%s(%q): inproc doesn't go with SetRouterRaw", name, given), ENOCOMPATPROTO}
	}
	if bind {
		var err error
		e.fd, err = s.checkUseFd(name, given)
		return e, err
	}
	e.rid = s.nextRid
	if i := slices.IndexFunc(s.endpoints, func(other endpoint) bool { return e.rid != "" && other.rid == e.rid }); i >= 0 {
		return e, &usageError{
			fmt.Sprintf("%s(%q): the connection to %s has the same identity (SetConnectRid)", name, given, s.endpoints[i].actual),
			EADDRINUSE,
		}
	}
	return e, nil
}

// checkUseFd returns the descriptor of SetUseFd that Bind would use, or -1.
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
		return refuse("is used by another endpoint of the socket; SetUseFd(-1) ends its use", EADDRINUSE)
	}
	listens, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	switch {
	case err != nil:
		return refuse("is no open socket", AsErrno(err))
	case listens == 0:
		return refuse("is a socket that doesn't listen", Errno(syscall.EINVAL))
	}
	return fd, nil
}
