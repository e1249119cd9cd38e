package zmqsafe

import (
	"context"
	"fmt"
	"go/types"
	"maps"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/api"
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

func load(t *testing.T, path string) *types.Package {
	t.Helper()
	pkg, err := api.Load(path)
	require.NoError(t, err)
	return pkg
}

// The variables have the values of pebbe/zmq4's: programs compare with them.
func TestVariables(t *testing.T) {
	ours := map[string][2]error{
		"ErrorContextClosed":         {zmq4.ErrorContextClosed, ErrorContextClosed},
		"ErrorSocketClosed":          {zmq4.ErrorSocketClosed, ErrorSocketClosed},
		"ErrorMoreExpected":          {zmq4.ErrorMoreExpected, ErrorMoreExpected},
		"ErrorNoSocket":              {zmq4.ErrorNoSocket, ErrorNoSocket},
		"ErrorNotImplemented405":     {zmq4.ErrorNotImplemented405, ErrorNotImplemented405},
		"ErrorNotImplemented41":      {zmq4.ErrorNotImplemented41, ErrorNotImplemented41},
		"ErrorNotImplemented42":      {zmq4.ErrorNotImplemented42, ErrorNotImplemented42},
		"ErrorNotImplementedWindows": {zmq4.ErrorNotImplementedWindows, ErrorNotImplementedWindows},
	}
	var theirs []string
	scope := load(t, api.RawPath).Scope()
	for _, name := range scope.Names() {
		if v, ok := scope.Lookup(name).(*types.Var); ok && v.Exported() {
			theirs = append(theirs, name)
		}
	}
	assert.ElementsMatch(t, theirs, slices.Collect(maps.Keys(ours)))
	for name, v := range ours {
		assert.True(t, v[0] == v[1], name)
	}
}
