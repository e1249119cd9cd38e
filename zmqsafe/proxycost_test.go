package zmqsafe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A proxy that can do nothing costs nothing. The process is the test's own, so
// that its CPU time is the proxy's.
func TestProxyIdleCost(t *testing.T) {
	inChild(t, func() {
		full := func(t *testing.T, p *proxied) {
			require.NoError(t, p.receiver.Close())
			requireReadyIn(t, p.back, 0)
			sendText(t, p.sender, "text")
			p.run(t)
			waitUntilFull(t, p.back)
		}
		for name, set := range map[string]func(t *testing.T, p *proxied){
			"idle": func(t *testing.T, p *proxied) { p.run(t) },
			"full": full,
			"paused": func(t *testing.T, p *proxied) {
				p.withControl(t, PAIR, PAIR)
				for _, command := range []string{"PAUSE", "STATISTICS"} {
					sendText(t, p.commander, command)
				}
				p.run(t)
				_, err := p.commander.RecvMessage(0)
				require.NoError(t, err)
				sendText(t, p.sender, "text")
			},
			"paused and full": func(t *testing.T, p *proxied) {
				p.withControl(t, PAIR, PAIR)
				full(t, p)
				sendText(t, p.commander, "PAUSE")
			},
			"capture full": func(t *testing.T, p *proxied) {
				require.NoError(t, p.captured.Close())
				requireReadyIn(t, p.capture, 0)
				sendText(t, p.sender, "text")
				p.run(t)
				waitUntilFull(t, p.capture)
			},
			"answer not taken": func(t *testing.T, p *proxied) {
				p.withFullControl(t)
				sendText(t, p.commander, "STATISTICS")
				p.run(t)
				waitUntilFull(t, p.control)
			},
			"backend can't send": func(t *testing.T, p *proxied) {
				p.back = newSocket(t, p.ctx, PULL)
				sendText(t, p.sender, "text")
				p.run(t)
			},
			"backend doesn't tell": func(t *testing.T, p *proxied) {
				p.back = newSocket(t, p.ctx, XPUB)
				require.NoError(t, p.back.SetXpubNodrop(true))
				require.NoError(t, p.back.SetSndhwm(1))
				require.NoError(t, p.back.Bind(inproc(t)))
				receiver := newSocket(t, p.ctx, SUB)
				require.NoError(t, receiver.SetRcvhwm(1))
				require.NoError(t, receiver.SetSubscribe(""))
				require.NoError(t, receiver.Connect(inproc(t)))
				p.run(t)
				for range 10 {
					sendText(t, p.sender, "text")
				}
			},
		} {
			p := newProxied(t, PULL, DEALER, PUSH, DEALER).withCapture(t, PUSH, PULL)
			set(t, p)
			time.Sleep(50 * time.Millisecond) // settles
			t.Log(name)
			assertIdle(t)
			require.NoError(t, p.ctx.Close())
			waitFor(t, "Proxy", p.ended)
		}
	})
}
