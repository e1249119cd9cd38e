package zmqsafetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime/pprof"
	"sync"
	"testing"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// closeTimeout is how long a close may take before it counts as hung.
const closeTimeout = 20 * time.Second

// unsent is how long the sockets that are open at the end of a test get to send the
// rest.
const unsent = 100 * time.Millisecond

// NewContext makes a context that is closed at the end of the test, in a t.Cleanup,
// with all sockets that are open then. The test may close it earlier. It fails the
// test at once, with t.Fatal, if the context can't be made.
//
// If the context isn't closed in 20 s, or in what zmqsafe.WithCloseTimeout says, the
// test fails with the closing report, which names the sockets that hold it, and with
// the stacks of all goroutines; the tests after it go on.
//
// While the test runs sockets linger as they do in the program. In the end those
// that are open get 100 ms to send the rest, so a test with a dead peer is quick.
// One that the test itself has closed goes on for its LINGER, 1 s by default:
// zmqsafe.WithLinger(linger.Drop) makes such tests quick, too, but may lose what is
// sent right before a Close.
//
// What the context logs is logged with the test. It doesn't fail the test, since
// when a lost socket is noticed is up to the garbage collector. Options come after
// those of NewContext, and override them.
func NewContext(t testing.TB, options ...zmqsafe.Option) *zmqsafe.Context {
	t.Helper()
	out := &output{to: t.Output()}
	ctx, err := zmqsafe.NewContext(append([]zmqsafe.Option{
		zmqsafe.WithCallerSkip(1),
		zmqsafe.WithCloseTimeout(closeTimeout),
		zmqsafe.WithLogger(slog.New(slog.NewTextHandler(out, nil))),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		t.Helper()
		defer out.end()
		closeInTime(t, ctx)
	})
	return ctx
}

func closeInTime(t testing.TB, ctx *zmqsafe.Context) {
	t.Helper()
	soon, cancel := context.WithTimeout(context.Background(), unsent)
	defer cancel()
	_ = ctx.Shutdown(soon) // Close says what came of it
	err := ctx.Close()
	switch report := ctx.Report(); {
	case !report.Done:
		var stacks bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 2)
		t.Errorf("zmqsafetest: the context isn't closed, and the test leaves it behind:\n%v\n\n%v\n\n%s", err, report, &stacks)
	case errors.Is(err, context.DeadlineExceeded): // some sockets weren't done after unsent, as the log says
	case err != nil:
		t.Error(err)
	}
}

// output passes on what a context logs until the test is over: later, writing would
// panic.
type output struct {
	mu sync.Mutex
	to io.Writer // guarded by mu
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.to.Write(p)
}

func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.to = io.Discard
}
