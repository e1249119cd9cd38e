// Package alone starts processes that have a network and a file system view to themselves: Linux namespaces. What such a
// process binds or mounts, no other process sees. It takes no privileges where the system lets users make namespaces.
package alone

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"unsafe"
)

// variable holds, in the environment of a process that is alone, the mount namespace of the one that started it.
const variable = "ZMQ_EXIT_ALONE"

const mountNamespace = "/proc/self/ns/mnt"

// Isolate has cmd, which must not have been started, start as root of a user namespace, with a network in which nothing is
// up and mounts that lead nowhere else. It adds to cmd.Env and cmd.SysProcAttr. Whether that is allowed, Start will tell.
func Isolate(cmd *exec.Cmd) {
	own, err := os.Readlink(mountNamespace)
	if err != nil {
		cmd.Err = err
		return
	}
	cmd.Env = append(cmd.Environ(), variable+"="+own)
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
}

// Enter is for the process that was started, and comes before everything else in it. It gives the network its loopback. It
// fails in a process that isn't alone, so that nothing is ever mounted over what others use.
func Enter() error {
	own, err := os.Readlink(mountNamespace)
	if err != nil {
		return err
	}
	if starter := os.Getenv(variable); starter == "" || starter == own {
		return errors.New("this process was not started alone")
	}
	return os.NewSyscallError("lo up", loopbackUp())
}

// NotAllowed tells whether an error of the start, of Enter, or of a mount means that the system doesn't let this user have
// namespaces: by a limit, a security module, or the filter of system calls of a container.
func NotAllowed(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EPERM, syscall.EACCES, syscall.ENOSPC, syscall.EINVAL, syscall.ENOSYS} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

func loopbackUp() error {
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(s)
	request := struct { // ifreq of netdevice(7)
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}{flags: syscall.IFF_UP}
	copy(request.name[:], "lo")
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(s), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return errno
	}
	return nil
}
