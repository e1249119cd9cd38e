package zmqsafe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const heartbeatWarning = "zmqsafe: heartbeats and a finite RCVHWM: libzmq aborts the process if the queue is full and the peer ends; set RCVHWM 0 or no heartbeats"

// Only who can be hit is warned, once for each line.
func TestHeartbeatWarning(t *testing.T) {
	tests := []struct {
		name    string
		typ     Type
		prepare func(*Socket) error // besides heartbeats
		bind    string
		warns   bool
	}{
		{"PULL", PULL, nil, "tcp://127.0.0.1:*", true},
		{"SUB", SUB, nil, "ipc://*", true},
		{"XSUB", XSUB, nil, "tcp://127.0.0.1:*", true},
		{"DEALER", DEALER, nil, "tcp://127.0.0.1:*", true},
		{"ROUTER", ROUTER, nil, "ipc://*", true},
		{"REP", REP, nil, "tcp://127.0.0.1:*", true},
		{"PAIR", PAIR, nil, "tcp://127.0.0.1:*", true},
		{"REQ", REQ, nil, "tcp://127.0.0.1:*", false},
		{"PUSH", PUSH, nil, "tcp://127.0.0.1:*", false},
		{"PUB", PUB, nil, "tcp://127.0.0.1:*", false},
		{"XPUB", XPUB, nil, "tcp://127.0.0.1:*", false},
		{"inproc", PULL, nil, "inproc://heartbeat", false},
		{"no limit", PULL, func(s *Socket) error { return s.SetRcvhwm(0) }, "tcp://127.0.0.1:*", false},
		{"switched off", PULL, func(s *Socket) error { return s.SetHeartbeatIvl(0) }, "tcp://127.0.0.1:*", false},
		{"conflating", PULL, func(s *Socket) error { return s.SetConflate(true) }, "tcp://127.0.0.1:*", false},
		{"CONFLATE without effect", ROUTER, func(s *Socket) error { return s.SetConflate(true) }, "tcp://127.0.0.1:*", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			forgetWarnings()
			var log syncBuffer
			ctx := newContext(t, WithLogger(log.logger()))
			for range 2 {
				soc := newSocket(t, ctx, tt.typ)
				require.NoError(t, soc.SetHeartbeatIvl(time.Second))
				if tt.prepare != nil {
					require.NoError(t, tt.prepare(soc))
				}
				require.NoError(t, soc.Bind(tt.bind)) // twice on this line
				require.NoError(t, soc.Unbind(tt.bind))
			}
			if !tt.warns {
				require.Empty(t, log.lines(t))
				return
			}
			line := log.line(t, heartbeatWarning)
			assert.Contains(t, line["at"], "heartbeat_test.go:")
			assert.Equal(t, tt.typ.String(), line["type"])
			assert.Equal(t, tt.bind, line["endpoint"])
			log.reset()
		})
	}
}

func TestHeartbeatWarningOfConnect(t *testing.T) {
	forgetWarnings()
	var log syncBuffer
	ctx := newContext(t, WithLogger(log.logger()))
	soc := newSocket(t, ctx, SUB)
	require.NoError(t, soc.Connect(deadPort(t)), "before it is on: no effect")
	require.NoError(t, soc.SetHeartbeatIvl(time.Nanosecond), "rounded up")
	require.Empty(t, log.lines(t))
	require.NoError(t, soc.Connect(deadPort(t)))
	log.line(t, heartbeatWarning)
	log.reset()
	for _, bad := range []time.Duration{-1, maxDuration + 1} {
		assert.ErrorContains(t, soc.SetHeartbeatIvl(bad), "SetHeartbeatIvl")
	}
}
