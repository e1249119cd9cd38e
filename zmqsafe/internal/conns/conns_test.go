package conns

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMatcher(t *testing.T) {
	local := &syscall.SockaddrInet4{Port: 5555, Addr: [4]byte{127, 0, 0, 1}}
	mapped := &syscall.SockaddrInet6{Port: 5555, Addr: [16]byte{10: 0xff, 11: 0xff, 12: 127, 15: 1}}
	unix := &syscall.SockaddrUnix{Name: "/run/s"}
	for _, tt := range []struct {
		endpoint string
		address  syscall.Sockaddr
		is       bool
	}{
		{"tcp://127.0.0.1:5555", local, true},
		{"tcp://127.0.0.1:5555", mapped, true},
		{"tcp://0.0.0.0:5555", local, true},
		{"tcp://[::]:5555", mapped, true},
		{"tcp://host.invalid:5555", local, true},
		{"tcp://127.0.0.2:5555", local, false},
		{"tcp://127.0.0.1:5556", local, false},
		{"tcp://127.0.0.1:5555", unix, false},
		{"ipc:///run/s", unix, true},
		{"ipc:///run/t", unix, false},
		{"ipc:///run/s", local, false},
	} {
		is, ok := matcher(tt.endpoint)
		require.True(t, ok, tt.endpoint)
		assert.Equal(t, tt.is, is(tt.address), "%s %v", tt.endpoint, tt.address)
	}
}
