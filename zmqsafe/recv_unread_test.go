package zmqsafe

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/guard"
)

// putBack does what a proxy does with a message that it can't send.
func putBack(t *testing.T, soc *Socket, parts ...string) {
	t.Helper()
	var message [][]byte
	for _, part := range parts {
		message = append(message, []byte(part))
	}
	require.NoError(t, soc.s.Lock())
	soc.s.putBack(message)
	soc.s.Unlock(guard.In)
}

func requireMore(t *testing.T, soc *Socket, want bool) {
	t.Helper()
	more, err := soc.GetRcvmore()
	require.NoError(t, err)
	require.Equal(t, want, more, "GetRcvmore")
}

func requireReady(t *testing.T, soc *Socket, want State) {
	t.Helper()
	ready, err := soc.GetEvents()
	require.NoError(t, err)
	require.Equal(t, want, ready, "GetEvents")
	require.NoError(t, soc.s.Lock())
	defer soc.s.Unlock(0)
	require.Equal(t, guard.Ready(want), soc.s.Events(), "events")
}

// Messages that were put back come first and whole, whatever method receives
// them.
func TestPutBack(t *testing.T) {
	messages := map[string]func(t *testing.T, soc *Socket) []string{
		"RecvMessage": func(t *testing.T, soc *Socket) []string {
			got, err := soc.RecvMessage(DONTWAIT)
			require.NoError(t, err)
			return got
		},
		"RecvMessageBytes": func(t *testing.T, soc *Socket) []string {
			got, err := soc.RecvMessageBytes(DONTWAIT)
			require.NoError(t, err)
			return texts(got)
		},
		"RecvMessageWithMetadata": func(t *testing.T, soc *Socket) []string {
			got, metadata, err := soc.RecvMessageWithMetadata(DONTWAIT, "Socket-Type")
			require.NoError(t, err)
			require.NotNil(t, metadata)
			return got
		},
		"Messages": func(t *testing.T, soc *Socket) []string {
			for got, err := range soc.Messages(t.Context()) {
				require.NoError(t, err)
				return texts(got)
			}
			return nil
		},
		"Recv": func(t *testing.T, soc *Socket) []string {
			return partByPart(t, soc, func() (string, error) { return soc.Recv(DONTWAIT) })
		},
		"RecvWithMetadata": func(t *testing.T, soc *Socket) []string {
			return partByPart(t, soc, func() (string, error) {
				part, _, err := soc.RecvWithMetadata(DONTWAIT)
				return part, err
			})
		},
		"RecvInto": func(t *testing.T, soc *Socket) []string {
			return partByPart(t, soc, func() (string, error) {
				buf := make([]byte, 10)
				n, err := soc.RecvInto(buf, DONTWAIT)
				return string(buf[:n]), err
			})
		},
		"Recv, then RecvMessage": func(t *testing.T, soc *Socket) []string {
			first, err := soc.Recv(DONTWAIT)
			require.NoError(t, err)
			if more, err := soc.GetRcvmore(); err != nil || !more {
				require.NoError(t, err)
				return []string{first}
			}
			rest, err := soc.RecvMessage(DONTWAIT)
			require.NoError(t, err)
			return append([]string{first}, rest...)
		},
	}
	for name, receive := range messages {
		t.Run(name, func(t *testing.T) {
			ctx := newContext(t)
			pull, push := newPair(t, ctx, PULL, PUSH, "inproc://put-back")
			for _, message := range [][]string{{"late"}, {"late", "too"}} {
				_, err := push.SendMessage(message)
				require.NoError(t, err)
			}
			putBack(t, pull, "third", "")
			putBack(t, pull, "second")
			putBack(t, pull, "first", "of", "three")
			for _, want := range [][]string{{"first", "of", "three"}, {"second"}, {"third", ""}, {"late"}, {"late", "too"}} {
				requireReady(t, pull, POLLIN)
				require.Equal(t, want, receive(t, pull))
				requireMore(t, pull, false)
			}
			requireReady(t, pull, 0)
			_, err := pull.Recv(DONTWAIT)
			require.Equal(t, errAgain, err)
		})
	}
}

func partByPart(t *testing.T, soc *Socket, receive func() (string, error)) (parts []string) {
	t.Helper()
	for {
		part, err := receive()
		require.NoError(t, err)
		parts = append(parts, part)
		more, err := soc.GetRcvmore()
		require.NoError(t, err)
		if !more {
			return parts
		}
		requireReady(t, soc, POLLIN) // within a message
	}
}

func texts(parts [][]byte) (texts []string) {
	for _, part := range parts {
		texts = append(texts, string(part))
	}
	return texts
}

// The program has received the first part of a message from libzmq when the
// rest is put back, as by a proxy that starts in the middle.
func TestPutBackTheRest(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	_, err := push.SendMessage("a", "b", "c")
	require.NoError(t, err)
	_, err = push.Send("next", 0)
	require.NoError(t, err)
	_, err = pull.Recv(0)
	require.NoError(t, err)
	requireMore(t, pull, true)
	rest, err := pull.RecvMessageBytes(0)
	require.NoError(t, err)
	requireMore(t, pull, false)
	require.NoError(t, pull.s.Lock())
	pull.s.putBack(rest)
	pull.s.Unlock(guard.In)
	got, err := pull.RecvMessage(0)
	require.NoError(t, err)
	assert.Equal(t, []string{"b", "c"}, got)
	got, err = pull.RecvMessage(0)
	require.NoError(t, err)
	assert.Equal(t, []string{"next"}, got)
}

// A waiting receive gets what is put back.
func TestPutBackWakes(t *testing.T) {
	ctx := newContext(t)
	pull := newSocket(t, ctx, PULL)
	for i := range 100 {
		got := make(chan []string, 1)
		go func() {
			message, err := pull.RecvMessage(0)
			assert.NoError(t, err)
			got <- message
		}()
		if i%2 == 0 {
			waitUntilBlocked(t, pull, POLLIN)
		}
		putBack(t, pull, "a", "b")
		require.Equal(t, []string{"a", "b"}, waitFor(t, "RecvMessage", got))
	}
}

// What is put back is lost with its socket.
func TestPutBackThenClose(t *testing.T) {
	ctx := newContext(t)
	pull := newSocket(t, ctx, PULL)
	putBack(t, pull, "never read")
	require.NoError(t, pull.Close())
	_, err := pull.Recv(0)
	require.Equal(t, ErrorSocketClosed, err)
}

// Requests and replies alternate even around a part that was too large.
func TestUnreadOfReqRep(t *testing.T) {
	ctx := newContext(t)
	rep, req := newPair(t, ctx, REP, REQ, inproc(t))
	small, text := make([]byte, 3), "too large"
	for i := range 10 {
		_, err := req.Send(text, 0)
		require.NoError(t, err)
		_, err = rep.RecvInto(small, 0)
		require.ErrorIs(t, err, EMSGSIZE)
		requireReady(t, rep, POLLIN)
		_, err = rep.Send("too early", 0)
		require.Equal(t, EFSM, err)
		_, err = rep.SendMessage("too", "early")
		require.Equal(t, EFSM, err)
		got, err := rep.Recv(0)
		require.NoError(t, err)
		require.Equal(t, text, got)
		requireReady(t, rep, POLLOUT)
		_, err = rep.Send(fmt.Sprint("answer ", i), 0)
		require.NoError(t, err)
		_, err = req.RecvInto(small, 0)
		require.ErrorIs(t, err, EMSGSIZE)
		requireReady(t, req, POLLIN)
		_, err = req.Send("too early", 0)
		require.Equal(t, EFSM, err)
		got, err = req.Recv(0)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint("answer ", i), got)
	}
}
