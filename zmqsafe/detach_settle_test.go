package zmqsafe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPeerEndsAfterDetach: the connection of an endpoint that was unbound or
// disconnected is gone soon, although nothing calls the socket. If it weren't,
// libzmq would abort the process when the peer ends.
func TestPeerEndsAfterDetach(t *testing.T) {
	inChild(t, func() {
		ctx := newContext(t)
		var peers []*stalledPeer
		var detach []func() error
		gone := 0 // descriptors of libzmq
		for _, network := range []string{"tcp", "unix"} {
			for _, typ := range []Type{PUSH, DEALER, PAIR} {
				for _, bind := range []bool{true, false} {
					soc, peer, endpoint := sendingTo(t, ctx, typ, network, bind)
					peers = append(peers, peer)
					if gone++; bind {
						detach = append(detach, func() error { return soc.Unbind(endpoint) })
						gone++ // it listens
					} else {
						detach = append(detach, func() error { return soc.Disconnect(endpoint) })
					}
				}
			}
		}
		before := openDescriptors(t)
		for _, f := range detach {
			require.NoError(t, f())
		}
		require.Eventually(t, func() bool { return openDescriptors(t) <= before-gone }, limit, time.Millisecond)
		for _, peer := range peers {
			peer.end()
		}
		// What takes a message over tcp has noticed the peers, too.
		pull, push := newPair(t, ctx, PULL, PUSH, "tcp://127.0.0.1:*")
		_, err := push.Send("done", 0)
		require.NoError(t, err)
		_, err = pull.Recv(0)
		require.NoError(t, err)
	})
}

// TestSettlesForATime: edges are looked at for a second after the linger, and
// not at all if it never ends.
func TestSettlesForATime(t *testing.T) {
	ctx := newContext(t)
	for _, c := range []struct {
		linger   time.Duration
		bind     bool
		endpoint string
		want     time.Duration // 0: not at all
	}{
		{0, true, "tcp://127.0.0.1:*", time.Second},
		{-1, true, "tcp://127.0.0.1:*", time.Second},
		{time.Minute, true, "tcp://127.0.0.1:*", time.Second},
		{0, false, "tcp://127.0.0.1:1", time.Second + 100*time.Millisecond},
		{time.Minute, false, "tcp://127.0.0.1:1", time.Second + time.Minute},
		{-1, false, "tcp://127.0.0.1:1", 0},
		{0, true, "inproc://settles", 0},
	} {
		soc := newSocket(t, ctx, PUB)
		require.NoError(t, soc.SetLinger(c.linger))
		_, err := soc.SendMessage("a", "b")
		require.NoError(t, err)
		began := time.Now()
		if c.bind {
			require.NoError(t, soc.Bind(c.endpoint))
			last, _ := soc.GetLastEndpoint()
			require.NoError(t, soc.Unbind(last))
		} else {
			require.NoError(t, soc.Connect(c.endpoint))
			require.NoError(t, soc.Disconnect(c.endpoint))
		}
		until := soc.s.settling.until.Load()
		if c.want == 0 {
			assert.Zero(t, until, "%+v", c)
			continue
		}
		assert.WithinRange(t, time.Unix(0, until), began.Add(c.want), time.Now().Add(c.want), "%+v", c)
	}
}

// TestDetachWithoutAWaiter: the socket of a look is unlocked again, and closed
// in the middle of many.
func TestDetachWithoutAWaiter(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, "tcp://127.0.0.1:*")
	last, err := pull.GetLastEndpoint()
	require.NoError(t, err)
	require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))
	require.NoError(t, pull.Unbind(last))
	require.NoError(t, push.Disconnect(last))
	next, err := pull.GetLastEndpoint()
	require.NoError(t, err)
	require.NoError(t, push.Connect(next))
	for range 1000 {
		_, err := push.Send("x", 0)
		require.NoError(t, err)
	}
	for range 1000 {
		_, err := pull.Recv(0)
		require.NoError(t, err)
	}
	require.NoError(t, pull.Close())
	pull.s.Wake()
	_, err = pull.Recv(DONTWAIT)
	assert.Equal(t, ErrorSocketClosed, err)
}
