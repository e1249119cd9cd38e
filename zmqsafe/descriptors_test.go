package zmqsafe

import (
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Without a descriptor to look through the network interfaces, libzmq aborts
// the process, with a source address on its I/O thread.
func TestEndpointsWithoutDescriptors(t *testing.T) {
	inChild(t, func() {
		ctx := newContext(t)
		pull, push := newPair(t, ctx, PULL, PUSH, "tcp://127.0.0.1:*")
		at, err := pull.GetLastEndpoint()
		require.NoError(t, err)
		address := strings.TrimPrefix(at, "tcp://")
		six := newSocket(t, ctx, PUSH)
		require.NoError(t, six.SetIpv6(true))
		tests := []struct {
			name string
			call func() error
			says string // also: with EMFILE
		}{
			{"Bind", func() error { return push.Bind("tcp://127.0.0.1:*") }, "too few descriptors to Bind"},
			{"Bind to all", func() error { return push.Bind("tcp://*:*") }, "too few descriptors to Bind"},
			{"Bind to an interface", func() error { return push.Bind("tcp://lo:*") }, "too few descriptors to Bind"},
			{"Bind with IPv6", func() error { return six.Bind("tcp://[::1]:*") }, "too few descriptors to Bind"},
			{"Connect from an address", func() error { return push.Connect("tcp://127.0.0.1:0;" + address) }, "too few descriptors to Connect"},
			{"Connect from an interface", func() error { return push.Connect("tcp://lo:0;" + address) }, "too few descriptors to Connect"},
			{"Unbind what isn't bound", func() error { return push.Unbind("tcp://127.0.0.1:2") }, "too few descriptors to Unbind"},
			{"Disconnect what isn't connected", func() error { return push.Disconnect("tcp://127.0.0.1:2") }, "too few descriptors to Disconnect"},
			{"Bind ipc", func() error { return push.Bind("ipc://@" + address) }, ""},
			{"Connect", func() error { return push.Connect("tcp://127.0.0.1:1") }, "no error"},
			{"Connect ipc", func() error { return push.Connect("ipc://@nobody") }, "no error"},
			{"Bind inproc", func() error { return push.Bind("inproc://name") }, "no error"},
			{"Disconnect", func() error { return push.Disconnect(at) }, "no error"},
			{"Unbind", func() error { return pull.Unbind(at) }, "no error"},
		}
		refill := exhaustDescriptors(t)
		errs := make([]error, len(tests))
		for i, tt := range tests {
			errs[i] = tt.call()
		}
		refill()
		for i, tt := range tests {
			if tt.says == "no error" {
				assert.NoError(t, errs[i], tt.name)
				continue
			}
			assert.Equal(t, Errno(syscall.EMFILE), AsErrno(errs[i]), tt.name)
			assert.ErrorContains(t, errs[i], tt.says, tt.name)
		}
		require.NoError(t, push.Bind("tcp://127.0.0.1:*"), "now there are some")
	})
}
