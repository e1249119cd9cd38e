package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/zmqsafe/zmq-exit/internal/alone"
)

// aloneVariable names, in the environment of this test binary, the program that
// it is to become.
const aloneVariable = "ZMQSAFE_CONFORMANCE_ALONE"

// beAlone gives cmd a network and a /tmp of its own, with nothing in them. The
// new process is this test binary first, which sets them up from within.
func beAlone(cmd *exec.Cmd) {
	cmd.Env = append(os.Environ(), aloneVariable+"="+cmd.Path)
	cmd.Path = "/proc/self/exe"
	alone.Isolate(cmd)
}

// becomeAlone is the second half of beAlone. It returns only if it fails.
func becomeAlone(program string) error {
	binary, err := os.Open(program) // it may be in /tmp
	if err != nil {
		return err
	}
	if err := alone.Enter(); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", "/tmp", "tmpfs", 0, ""); err != nil {
		return os.NewSyscallError("mount", err)
	}
	os.Unsetenv(aloneVariable)
	return syscall.Exec(fmt.Sprintf("/proc/self/fd/%d", binary.Fd()), os.Args, os.Environ())
}
