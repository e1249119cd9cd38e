package libzmq

import (
	"testing"
	"time"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDiscard(t *testing.T) {
	const parts = 1000 // more than are read without a look at the clock
	for _, c := range []struct {
		name     string
		within   time.Duration
		messages int
		want     uint64
		atLeast  bool
	}{
		{"nothing", time.Second, 0, 0, false},
		{"nothing in no time", 0, 0, 0, false},
		{"all", time.Minute, 3, 3, false},
		{"half of the queue", time.Minute, 9, 5, true},
		{"not even one in no time", 0, 1, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			pull, push := open(t, zmq4.PULL), open(t, zmq4.PUSH)
			require.NoError(t, pull.SetRcvhwm(10))
			connect(t, pull, push)
			for range c.messages {
				for range parts - 1 {
					_, err := push.SendBytes(make([]byte, 100), zmq4.SNDMORE)
					require.NoError(t, err)
				}
				_, err := push.SendBytes(nil, 0)
				require.NoError(t, err)
			}
			messages, atLeast := Discard(pull.pointer, c.within)
			assert.Equal(t, c.want, messages)
			assert.Equal(t, c.atLeast, atLeast)
		})
	}
	messages, atLeast := Discard(open(t, zmq4.PUSH).pointer, time.Second)
	assert.Zero(t, messages, "a socket that only sends")
	assert.False(t, atLeast)
}
