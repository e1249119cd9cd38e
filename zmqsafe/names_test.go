package zmqsafe

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAsErrno(t *testing.T) {
	for _, err := range []error{
		Errno(syscall.EBADF), syscall.EBADF, os.NewSyscallError("epoll_ctl", syscall.EBADF),
		fmt.Errorf("wrapped: %w", Errno(syscall.EBADF)), fmt.Errorf("wrapped: %w", syscall.EBADF),
	} {
		require.Equal(t, Errno(syscall.EBADF), AsErrno(err), "%#v", err)
	}
	for _, err := range []error{nil, ErrorSocketClosed, context.Canceled} {
		require.Zero(t, AsErrno(err))
	}
}
