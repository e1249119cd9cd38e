// Package alone starts processes that have a network and a view of the file
// system of their own: Linux namespaces. No other process sees what they bind
// or mount. It needs no privileges if the system lets users make namespaces.
package alone

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// variable names, in the environment of a process that is alone, the mount
// namespace of the process that started it.
const variable = "ZMQ_EXIT_ALONE"

const mountNamespace = "/proc/self/ns/mnt"

// Isolate makes cmd, before it is started, the root of a user namespace, with a
// network in which nothing is up, and mounts that lead nowhere else. It adds to
// cmd.Env and sets cmd.SysProcAttr. Start fails if the system doesn't allow it.
func Isolate(cmd *exec.Cmd) {
	own, err := os.Readlink(mountNamespace)
	if err != nil {
		cmd.Err = err
		return
	}
	cmd.Env = append(cmd.Environ(), variable+"="+own)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}

// Enter brings the network's loopback up. The process that was started calls it
// before anything else. It fails in a process that isn't alone, so nothing is
// ever mounted over what others use.
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

// T is what [Test] needs of a testing.TB. Package testing isn't for commands.
type T interface {
	Helper()
	Skip(args ...any)
	Fatalf(format string, args ...any)
}

// Test runs the binary of a test once more, alone, with environment added to
// its environment, for limit at most. The process calls [Must]. The test fails
// if the process does, and is skipped where the system doesn't allow it.
func Test(t T, limit time.Duration, environment string) {
	t.Helper()
	bound, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(bound, os.Args[0])
	cmd.Env = append(os.Environ(), environment, "GORACE=atexit_sleep_ms=0") // otherwise it sleeps a second
	Isolate(cmd)
	output, err := cmd.CombinedOutput()
	switch {
	case NotAllowed(err), cmd.ProcessState.ExitCode() == notAllowed:
		t.Skip("SKIPPED: this system lets this user have no namespaces:", err, strings.TrimSpace(string(output)))
	case err != nil:
		t.Fatalf("%v\n%s", err, output)
	}
}

const notAllowed = 98 // the status of a process that Test has started

// Must ends a process that [Test] has started if err isn't nil.
func Must(err error) {
	switch {
	case err == nil:
		return
	case NotAllowed(err):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(notAllowed)
	}
	panic(err)
}

// NotAllowed reports whether an error of Start, of [Enter] or of a mount means
// that the system doesn't let this user have namespaces: because of a limit, a
// security module, or a container's filter of system calls.
func NotAllowed(err error) bool {
	refusals := []syscall.Errno{syscall.EPERM, syscall.EACCES, syscall.ENOSPC, syscall.EINVAL, syscall.ENOSYS}
	return slices.ContainsFunc(refusals, func(errno syscall.Errno) bool { return errors.Is(err, errno) })
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
