package zmqsafe

import (
	"encoding/binary"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProxyCommands(t *testing.T) {
	for _, types := range [][2]Type{{PAIR, PAIR}, {REP, REQ}, {PULL, PUSH}, {SUB, PUB}} {
		t.Run(types[0].String(), func(t *testing.T) {
			p := newProxied(t, PULL, PUSH, PUSH, PULL).withControl(t, types[0], types[1])
			if types[0] == SUB {
				require.NoError(t, p.control.SetSubscribe(""))
			}
			p.run(t)
			command := func(text string) {
				sendText(t, p.commander, text)
				if types[0] == REP {
					reply, err := p.commander.RecvMessage(0)
					require.NoError(t, err)
					require.Equal(t, []string{""}, reply)
				}
			}
			transfer := func() {
				sendText(t, p.sender, "12345")
				_, err := p.receiver.Recv(0)
				require.NoError(t, err)
			}
			transfer()
			transfer()
			if types[0] == REP || types[0] == PAIR {
				sendText(t, p.commander, "STATISTICS")
				parts, err := p.commander.RecvMessageBytes(0)
				require.NoError(t, err)
				var numbers []uint64
				for _, part := range parts {
					numbers = append(numbers, binary.NativeEndian.Uint64(part))
				}
				require.Equal(t, []uint64{2, 10, 0, 0, 0, 0, 2, 10}, numbers)
			}
			command("PAUSE")
			if types[0] == REP { // its answer says that it is so
				sendText(t, p.sender, "held")
				require.NoError(t, p.receiver.SetRcvtimeo(20*time.Millisecond))
				_, err := p.receiver.Recv(0)
				require.Equal(t, errAgain, err)
				require.NoError(t, p.receiver.SetRcvtimeo(-1))
			}
			command("RESUME")
			if types[0] == REP {
				text, err := p.receiver.Recv(0)
				require.NoError(t, err)
				require.Equal(t, "held", text)
			}
			transfer()
			command("TERMINATE")
			require.NoError(t, waitFor(t, "ProxySteerable", p.ended))
		})
	}
}

func TestProxyBadCommands(t *testing.T) {
	for _, parts := range [][]string{{"STOP"}, {""}, {"PAUSE", "RESUME"}} {
		p := newProxied(t, PULL, PUSH, PUSH, PULL).withControl(t, PAIR, PAIR).run(t)
		_, err := p.commander.SendMessage(parts)
		require.NoError(t, err)
		err = waitFor(t, "ProxySteerable", p.ended)
		require.Equal(t, Errno(syscall.EINVAL), AsErrno(err))
		require.ErrorContains(t, err, "want")
		require.NoError(t, p.ctx.Close())
	}
}

// withFullControl makes a control socket that has no room for an answer until
// commander has received the messages in its way.
func (p *proxied) withFullControl(t *testing.T) (inTheWay int) {
	p.control, p.commander = newSocket(t, p.ctx, PAIR), newSocket(t, p.ctx, PAIR)
	require.NoError(t, p.control.SetSndhwm(1))
	require.NoError(t, p.commander.SetRcvhwm(1))
	require.NoError(t, p.control.Bind(inproc(t)+"-control"))
	require.NoError(t, p.commander.Connect(inproc(t)+"-control"))
	for {
		if _, err := p.control.Send("", DONTWAIT); err != nil {
			require.Equal(t, errAgain, err)
			return inTheWay
		}
		inTheWay++
	}
}

// An answer that can't be sent holds up neither messages nor the end of the proxy,
// but further commands, and is sent when it can.
func TestProxyAnswersLater(t *testing.T) {
	p := newProxied(t, PULL, PUSH, PUSH, PULL)
	inTheWay := p.withFullControl(t)
	const commands = 10
	for range commands {
		sendText(t, p.commander, "STATISTICS")
	}
	p.run(t)
	waitUntilFull(t, p.control)
	for range 3 {
		sendText(t, p.sender, "text")
		_, err := p.receiver.Recv(0)
		require.NoError(t, err)
	}
	for range inTheWay {
		_, err := p.commander.Recv(0)
		require.NoError(t, err)
	}
	for range commands {
		parts, err := p.commander.RecvMessage(0)
		require.NoError(t, err)
		require.Len(t, parts, 8)
	}
	for range 5 {
		sendText(t, p.commander, "STATISTICS")
	}
	waitUntilFull(t, p.control)
	require.NoError(t, p.front.Close())
	require.Equal(t, ErrorSocketClosed, waitFor(t, "ProxySteerable", p.ended))
}

// One socket may bring messages and commands; then all are commands.
func TestProxyControlledByItsFrontend(t *testing.T) {
	p := newProxied(t, DEALER, PUSH, DEALER, PULL)
	p.control = p.front
	p.run(t)
	for range 2 {
		for _, command := range []string{"PAUSE", "STATISTICS"} {
			sendText(t, p.sender, command)
		}
		parts, err := p.sender.RecvMessage(0)
		require.NoError(t, err)
		require.Len(t, parts, 8)
	}
	sendText(t, p.sender, "TERMINATE")
	require.NoError(t, waitFor(t, "ProxySteerable", p.ended))
}
