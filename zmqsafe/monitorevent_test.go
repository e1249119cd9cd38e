package zmqsafe

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMonitorEvent(t *testing.T) {
	tests := []struct {
		event MonitorEvent
		err   error
		text  string
	}{
		{MonitorEvent{EVENT_LISTENING, "tcp://127.0.0.1:5555", 7}, nil, "EVENT_LISTENING tcp://127.0.0.1:5555"},
		{MonitorEvent{EVENT_CONNECT_RETRIED, "tcp://127.0.0.1:5555", 100}, nil, "EVENT_CONNECT_RETRIED tcp://127.0.0.1:5555, again in 100ms"},
		{MonitorEvent{EVENT_CONNECT_DELAYED, "tcp://x:1", int(syscall.EINPROGRESS)}, nil, "EVENT_CONNECT_DELAYED tcp://x:1"},
		{MonitorEvent{EVENT_ACCEPT_FAILED, "tcp://x:1", int(syscall.EMFILE)}, Errno(syscall.EMFILE), "EVENT_ACCEPT_FAILED tcp://x:1: too many open files"},
		{MonitorEvent{EVENT_HANDSHAKE_FAILED_AUTH, "tcp://x:1", 400}, Errno(syscall.EACCES), "EVENT_HANDSHAKE_FAILED_AUTH tcp://x:1: zmqsafe: authentication failed with ZAP status 400: permission denied"},
		{MonitorEvent{EVENT_HANDSHAKE_FAILED_PROTOCOL, "tcp://x:1", 0x11000002}, Errno(syscall.EPROTO), "EVENT_HANDSHAKE_FAILED_PROTOCOL tcp://x:1: zmqsafe: no handshake with this peer, ZMQ_PROTOCOL_ERROR 0x11000002: protocol error"},
		{MonitorEvent{EVENT_MONITOR_STOPPED, "", 0}, nil, "EVENT_MONITOR_STOPPED"},
		{MonitorEvent{}, nil, "<NONE>"},
	}
	for _, tt := range tests {
		assert.ErrorIs(t, tt.event.Err(), tt.err)
		assert.Equal(t, tt.text, tt.event.String())
	}
	assert.Error(t, MonitorEvent{EVENT_HANDSHAKE_FAILED_NO_DETAIL, "tcp://x:1", 0}.Err())
	assert.Equal(t, 100*time.Millisecond, MonitorEvent{EVENT_CONNECT_RETRIED, "", 100}.RetryInterval())
	assert.Zero(t, MonitorEvent{EVENT_CONNECTED, "", 100}.RetryInterval())
}

// As libzmq tells them.
func TestMonitorEventsOfFailures(t *testing.T) {
	ctx := newContext(t)
	server := newSocket(t, ctx, PULL)
	require.NoError(t, server.SetPlainServer(1)) // and the client isn't PLAIN
	require.NoError(t, server.Bind("tcp://127.0.0.1:*"))
	endpoint, err := server.GetLastEndpoint()
	require.NoError(t, err)
	first := func(endpoint string, kind Event) (event MonitorEvent) {
		client := newSocket(t, ctx, PUSH)
		bound, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		events := client.Events(bound, kind)
		require.NoError(t, client.Connect(endpoint))
		for event, err = range events {
			require.NoError(t, err)
			break
		}
		require.Equal(t, kind, event.Event)
		return event
	}
	refused := first(endpoint, EVENT_HANDSHAKE_FAILED_PROTOCOL)
	assert.Equal(t, Errno(syscall.EPROTO), AsErrno(refused.Err()))
	assert.Equal(t, 0x11000002, refused.Value, "ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH")
	assert.Positive(t, first("tcp://127.0.0.1:1", EVENT_CONNECT_RETRIED).RetryInterval())
}
