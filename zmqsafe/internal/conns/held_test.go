package conns

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHeld(t *testing.T) {
	overEach(t, func(t *testing.T, link link) {
		thread := play(t)
		thread.watch(link.client, syscall.EPOLLIN)
		threads := new(Threads)
		held, alsoHeld := threads.Hold(link.at), threads.Hold(link.at)
		ended := func(held *Held) []int {
			here, there := held.Ended()
			return []int{here, there}
		}
		assert.Equal(t, 1, held.Len())
		assert.Equal(t, []int{0, 0}, ended(&held))
		_, err := syscall.Write(link.server, []byte("unread"))
		require.NoError(t, err)
		closeAll(t, link.client)
		assert.Equal(t, []int{1, 0}, ended(&held))
		held.Release()
		assert.Zero(t, held.Len())
		assert.Equal(t, []int{1, 0}, ended(&alsoHeld), "the peer notices nothing")
		closeAll(t, link.server)
		assert.Equal(t, []int{0, 1}, ended(&alsoHeld))
		alsoHeld.Release()
		assert.Zero(t, nowHeld.Load())
		closeAll(t, link.listener)
	})
}

// What can't be held as a whole isn't held, and takes no descriptor.
func TestHoldsAllOrNothing(t *testing.T) {
	overEach(t, func(t *testing.T, link link) {
		open, err := numbersIn("/proc/self/fd")
		require.NoError(t, err)
		client, ok := fileAt(link.client)
		require.True(t, ok)
		var held Held
		assert.True(t, held.hold([]file{client, {link.server, client.inode}}), "the number of one is another's")
		assert.Zero(t, held.Len())
		assert.True(t, held.hold([]file{client, {-1, client.inode}}), "one is closed")
		assert.Zero(t, held.Len())
		nowHeld.Add(maxHeld)
		assert.False(t, held.hold([]file{client}), "there are too many")
		assert.Zero(t, held.Len())
		nowHeld.Add(-maxHeld)
		assert.Zero(t, nowHeld.Load())
		now, err := numbersIn("/proc/self/fd")
		require.NoError(t, err)
		assert.Len(t, now, len(open))
		closeAll(t, link.listener, link.server, link.client)
	})
}
