package zmqsafe

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// Looks are rare in the middle of a linger, and often at its end.
func TestNextLook(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct{ every, left, want time.Duration }{
		{2 * ms, -1, 2 * ms},
		{100 * ms, -1, 100 * ms},
		{100 * ms, time.Hour, 100 * ms},
		{100 * ms, 200 * ms, 100 * ms},
		{100 * ms, 60 * ms, 30 * ms},
		{2 * ms, 60 * ms, 2 * ms},
		{100 * ms, ms, ms},
		{100 * ms, 0, ms},
	} {
		assert.Equal(t, c.want, nextLook(c.every, c.left), "%+v", c)
	}
}

func TestSlowAfter(t *testing.T) {
	began := time.Now()
	for has, want := range map[time.Duration]time.Duration{
		-time.Hour: 0, 0: 0, 99 * time.Millisecond: 0,
		100 * time.Millisecond: 50 * time.Millisecond, time.Second: time.Second / 2, 5 * time.Second: slowClose, time.Hour: slowClose,
	} {
		after, ever := slowAfter(began, began.Add(has))
		assert.Equal(t, want > 0, ever, "%v", has)
		if ever {
			assert.Equal(t, want, after, "%v", has)
		}
	}
	after, ever := slowAfter(began, time.Time{})
	assert.True(t, ever)
	assert.Equal(t, slowClose, after)
}

// Without a deadline, too, a close that takes long is reported while it does, once,
// and names the socket that holds it, not the one that is gone.
func TestSlowCloseWithoutDeadline(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	ctx, err := NewContext(WithLogger(slog.New(slog.NewTextHandler(&log, nil))), WithLinger(linger.MustFor(slowClose+300*time.Millisecond)))
	require.NoError(t, err)
	require.NoError(t, newSocket(t, ctx, DEALER).Connect("tcp://127.0.0.1:1"))
	push := sendToNobody(t, ctx)
	bounded(t, "Shutdown", func() { require.NoError(t, ctx.Shutdown(context.Background())) })
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 2, "%s", log.String())
	assert.Contains(t, lines[0], "still isn't closed, after 2")
	assert.Contains(t, lines[0], "lingering unless all is sent: PUSH socket made at "+push.s.made.String())
	assert.Contains(t, lines[1], "LINGER ran out")
	assert.NotContains(t, log.String(), "DEALER")
}
