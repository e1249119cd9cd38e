package zmqsafetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func TestFindFindsNothing(t *testing.T) {
	ctx := newContext(t)
	_, err := ctx.NewSocket(zmqsafe.PULL)
	require.NoError(t, err)
	require.NoError(t, ctx.Close())
	assert.NoError(t, findAtOnce(t))
}

func TestFindNamesWhatIsOpen(t *testing.T) {
	ctx, made := newContext(t), here()
	pull, err := ctx.NewSocket(zmqsafe.PULL)
	require.NoError(t, err)
	require.NoError(t, pull.Bind("inproc://"+t.Name()))
	received := make(chan error)
	go func() { _, err := pull.Recv(0); received <- err }()
	require.Eventually(t, func() bool { return ctx.Sockets()[0].Waiting.Receives == 1 }, limit, time.Millisecond)

	err = findAtOnce(t)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "still open: 1 socket in 1 context\n")
	assert.Contains(t, err.Error(), "context made at "+made+"\n")
	assert.Contains(t, err.Error(), "PULL socket made at "+ctx.Sockets()[0].Site+" (inproc://TestFindNamesWhatIsOpen); blocked on it: 1 receive\n")
	assert.Contains(t, err.Error(), "defer ctx.Close()")
	assert.NotContains(t, err.Error(), "stays open")

	assert.Contains(t, ctx.Sockets()[0].Site, "zmqsafetest/leaks_test.go:")

	require.NoError(t, pull.Close())
	assert.ErrorIs(t, <-received, zmqsafe.ErrorSocketClosed)
	assert.ErrorContains(t, findAtOnce(t), "context made at "+made+", without sockets")
}

func TestFindWaitsForWhatIsClosedMeanwhile(t *testing.T) {
	for range 20 {
		ctx := newContext(t)
		_, err := ctx.NewSocket(zmqsafe.PULL)
		require.NoError(t, err)
		closed := make(chan error)
		go func() { closed <- ctx.Close() }()
		assert.NoError(t, Find())
		require.NoError(t, <-closed)
	}
}

func TestTheDefaultContextMayStay(t *testing.T) {
	out, code := inChild(t, func() {
		soc, err := zmqsafe.NewSocket(zmqsafe.PULL)
		require.NoError(t, err)
		err = Find()
		require.ErrorContains(t, err, "default context made at zmqsafetest/leaks_test.go:")
		require.ErrorContains(t, err, "PULL socket made at zmqsafetest/leaks_test.go:")
		require.ErrorContains(t, err, "defer soc.Close()")
		require.NotContains(t, err.Error(), "defer ctx.Close()")
		require.NoError(t, soc.Close())
		require.NoError(t, Find())
		require.NoError(t, zmqsafe.Term())
		require.NoError(t, Find())
	})
	require.Zero(t, code, "%s", out)
}

func TestADefaultContextThatHangsIsFound(t *testing.T) {
	hung := zmqsafe.ContextInfo{Site: "app/main.go:1", Default: true, Report: zmqsafe.Report{Began: time.Unix(1, 0)}}
	assert.Len(t, leaksIn([]zmqsafe.ContextInfo{hung}, nil), 1)
}

func TestFindShowsWhatHoldsAClose(t *testing.T) {
	ctx := newContext(t)
	soc, release := newHolder(t, ctx)
	made := ctx.Sockets()[0].Site
	require.NoError(t, soc.Close())
	require.Error(t, shutdownFor(ctx, 10*time.Millisecond))

	err := findAtOnce(t)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "context that is still closing:\n      context made at zmqsafetest/")
	assert.Regexp(t, `DEALER +holding .* forever .*`+made, err.Error())
	assert.Contains(t, err.Error(), "until their LINGER is over")
	assert.NotContains(t, err.Error(), "defer ctx.Close()", "it was called")
	release()
	assert.NoError(t, Find())
}

func TestTextOfLeaks(t *testing.T) {
	pull := zmqsafe.SocketInfo{
		Type: zmqsafe.PULL, Site: "app/worker.go:17", Endpoints: []string{"tcp://127.0.0.1:5555", "inproc://jobs"},
		Waiting: zmqsafe.Waiting{Receives: 1, Polls: 2},
	}
	pub := zmqsafe.SocketInfo{Type: zmqsafe.PUB, Site: "app/feed.go:9"}
	push := zmqsafe.SocketInfo{
		Type: zmqsafe.PUSH, Site: "app/pool.go:30", Endpoints: []string{"tcp://10.0.0.1:1"}, Waiting: zmqsafe.Waiting{Sends: 1},
	}
	found := leaks{
		{ContextInfo: zmqsafe.ContextInfo{Site: "app/main.go:12", Sockets: []zmqsafe.SocketInfo{push, pull, push, pub, push, push, push}}},
		{ContextInfo: zmqsafe.ContextInfo{Site: "app/old.go:3"}},
		{ContextInfo: zmqsafe.ContextInfo{Site: "app/feed.go:8", Default: true, Sockets: []zmqsafe.SocketInfo{pub}}, mayStay: true},
		{ContextInfo: zmqsafe.ContextInfo{Site: "app/late.go:5", Report: zmqsafe.Report{
			Site: "app/late.go:5", Began: time.Unix(1, 0), Took: 1500 * time.Millisecond, Steps: []zmqsafe.Step{{Name: "wake", Took: time.Millisecond}},
		}}},
	}
	assert.Equal(t, `zmqsafetest: still open: 8 sockets in 4 contexts
  context made at app/main.go:12
      5 PUSH sockets made at app/pool.go:30 (tcp://10.0.0.1:1, tcp://10.0.0.1:1, tcp://10.0.0.1:1 and 2 more); blocked on it: 5 sends
      PULL socket made at app/worker.go:17 (tcp://127.0.0.1:5555, inproc://jobs); blocked on it: 1 receive, 2 polls
      PUB socket made at app/feed.go:9
  context made at app/old.go:3, without sockets
  default context made at app/feed.go:8
      PUB socket made at app/feed.go:9
  context that is still closing:
      context made at app/late.go:5, being closed for 1.5s
      
      step   took
      wake   1ms
Close each context, which closes its sockets: defer ctx.Close(), or make it with zmqsafetest.NewContext(t).
Close each socket of a context that stays open: defer soc.Close().
Wait for Close of the context. Sockets that libzmq still has hold it until their LINGER is over: WithLinger, SetLinger.`, found.Error())
}

func TestTextOfLeaksIsBounded(t *testing.T) {
	var found leaks
	for range maxContexts + 2 {
		l := leak{ContextInfo: zmqsafe.ContextInfo{Site: "app/main.go:12"}}
		for site := range maxSites + 1 {
			for range 100 {
				l.Sockets = append(l.Sockets, zmqsafe.SocketInfo{Type: zmqsafe.SUB, Site: fmt.Sprintf("app/x.go:%d", site), Endpoints: []string{"inproc://x"}})
			}
		}
		found = append(found, l)
	}
	text := found.Error()
	assert.Contains(t, text, fmt.Sprintf("%d sockets in %d contexts\n", len(found)*(maxSites+1)*100, len(found)))
	assert.Equal(t, maxContexts, strings.Count(text, "\n  context made at"))
	assert.Equal(t, maxContexts*maxSites, strings.Count(text, "100 SUB sockets made at"))
	assert.Equal(t, maxContexts, strings.Count(text, "and sockets made at 1 more place"))
	assert.Contains(t, text, "\n  and 2 more contexts\n")
}
