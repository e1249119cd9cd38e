package conns

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Only a thread that has something at the endpoint matters. When all threads of
// the context are known, others aren't looked at any more.
func TestThreadsOfOthers(t *testing.T) {
	for _, number := range []int{1, 2} {
		overEach(t, func(t *testing.T, link link) {
			thread, other := play(t), play(t)
			thread.watch(link.listener, syscall.EPOLLIN)
			other.command() // it is busy
			threads := &Threads{Number: number}
			eventually(t, Done, func() State { return threads.Accepted(link.at).State })
			assert.Equal(t, number == 1, len(threads.found) == 1)

			other.watch(link.server, syscall.EPOLLIN)
			look := threads.Accepted(link.at)
			if number == 1 {
				assert.Zero(t, look.Len())
			} else {
				assert.Equal(t, 1, look.Len())
				assert.Equal(t, Busy, look.State)
			}
			other.goOn <- struct{}{}
			eventually(t, Done, func() State { return threads.Accepted(link.at).State })
			closeAll(t, link.listener, link.server, link.client)
		})
	}
}

// Go's netpoller watches an eventfd, too.
func TestThreadsAreLibzmqs(t *testing.T) {
	thread := play(t)
	var found []int
	for _, other := range findThreads() {
		found = append(found, other.epoll)
	}
	require.Contains(t, found, thread.epoll)
	thread.command()
	for _, other := range findThreads() {
		if other.epoll == thread.epoll {
			assert.Equal(t, thread.mailbox, other.mailbox)
			assert.Equal(t, Busy, other.state())
		}
	}
	thread.goOn <- struct{}{}
}
