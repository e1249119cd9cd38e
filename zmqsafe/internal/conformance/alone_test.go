package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"unsafe"
)

// aloneVariable names, in the environment of this test binary, the program that
// it is to become.
const aloneVariable = "ZMQSAFE_CONFORMANCE_ALONE"

// beAlone gives cmd a network and a /tmp of its own, with nothing in them. The
// new process is this test binary first, which sets them up from within.
func beAlone(cmd *exec.Cmd) {
	cmd.Env = append(os.Environ(), aloneVariable+"="+cmd.Path)
	cmd.Path = "/proc/self/exe"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}

// becomeAlone is the second half of beAlone. It returns only if it fails.
func becomeAlone(program string) error {
	binary, err := os.Open(program) // it may be in /tmp
	if err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", "/tmp", "tmpfs", 0, ""); err != nil {
		return os.NewSyscallError("mount", err)
	}
	if err := loopbackUp(); err != nil {
		return os.NewSyscallError("lo up", err)
	}
	os.Unsetenv(aloneVariable)
	return syscall.Exec(fmt.Sprintf("/proc/self/fd/%d", binary.Fd()), os.Args, os.Environ())
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
