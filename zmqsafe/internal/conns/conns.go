// Package conns looks from outside at the connections that libzmq has made or
// accepted. libzmq doesn't say what it still has to send; the kernel knows
// enough of what its threads are about.
package conns

import (
	"net"
	"strconv"
	"strings"
	"syscall"
)

// endpoint is where connections of libzmq begin or end.
type endpoint struct {
	accepts bool // connections, rather than makes them
	is      func(syscall.Sockaddr) bool
}

// matcher returns what decides whether a socket has the address of an endpoint.
func matcher(endpoint string) (is func(syscall.Sockaddr) bool, ok bool) {
	transport, address, _ := strings.Cut(endpoint, "://")
	switch transport {
	case "ipc":
		return func(a syscall.Sockaddr) bool {
			unix, ok := a.(*syscall.SockaddrUnix)
			return ok && unix.Name == address
		}, true
	case "tcp":
		host, text, err := net.SplitHostPort(address)
		port, portErr := strconv.Atoi(text)
		if err != nil || portErr != nil || port == 0 {
			return nil, false
		}
		host, _, _ = strings.Cut(host, "%")
		ip := net.ParseIP(host)
		anywhere := ip == nil || ip.IsUnspecified()
		return func(a syscall.Sockaddr) bool {
			var at net.IP
			var atPort int
			switch a := a.(type) {
			case *syscall.SockaddrInet4:
				at, atPort = a.Addr[:], a.Port
			case *syscall.SockaddrInet6:
				at, atPort = a.Addr[:], a.Port
			}
			return atPort == port && (anywhere || ip.Equal(at))
		}, true
	}
	return nil, false
}

// file is what is open under a number. The number may become another file's,
// the inode not.
type file struct {
	fd    int
	inode uint64
}

func fileAt(fd int) (f file, ok bool) {
	var info syscall.Stat_t
	err := syscall.Fstat(fd, &info)
	return file{fd, info.Ino}, err == nil
}

// closed reports whether the number is another file's or nobody's.
func (f file) closed() bool {
	now, ok := fileAt(f.fd)
	return !ok || now != f
}

// role is what a file is to an endpoint.
type role uint8

const (
	none role = iota
	connection
	listener
)

// find returns what the endpoint has under a number.
func (e endpoint) find(fd int) (f file, is role) {
	nameOf := syscall.Getpeername
	if e.accepts {
		nameOf = syscall.Getsockname
	}
	name, err := nameOf(fd)
	if err != nil || !e.is(name) {
		return f, none
	}
	if _, err := syscall.Getpeername(fd); err == nil {
		is = connection
	} else if accepts, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN); err == nil && accepts != 0 {
		is = listener
	}
	f, ok := fileAt(fd)
	if !ok {
		is = none
	}
	return f, is
}
