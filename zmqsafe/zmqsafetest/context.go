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

const (
	// closeTimeout is how long a close may take before the test fails.
	closeTimeout = 20 * time.Second
	// unsent is how long sockets that are open at the end of a test may send.
	unsent = 100 * time.Millisecond
)

// NewContext makes a context that a cleanup of the test closes, with all
// sockets that are open then. The test may close it earlier. If the context
// can't be made, NewContext fails the test at once, with t.Fatal. Call it from
// the goroutine of the test; the context is safe for concurrent use.
//
// The cleanup blocks until the context is closed, for 20 s at most, or for what
// [zmqsafe.WithCloseTimeout] allows. If the context isn't closed in time, the
// test fails with the closing report, which names the sockets that hold the
// context, and with the stacks of all goroutines. The tests after it go on.
//
// While the test runs, sockets linger as they do in the program. Sockets that
// are open at its end get 100 ms to send what is left, so a test with a dead
// peer is quick. A socket that the test itself closes keeps its LINGER, 1 s by
// default. zmqsafe.WithLinger(linger.Drop) makes such tests quick too, but may
// lose messages that were sent right before a Close.
//
// What the context logs goes to the log of the test. It doesn't fail the test,
// since the garbage collector decides when a lost socket is noticed. The
// options given here come after those that NewContext sets, and override them.
func NewContext(t testing.TB, options ...zmqsafe.Option) *zmqsafe.Context {
	t.Helper()
	out := &output{to: t.Output()}
	ctx, err := zmqsafe.NewContextWith(append([]zmqsafe.Option{
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
		soon, cancel := context.WithTimeout(context.Background(), unsent)
		defer cancel()
		_ = ctx.Shutdown(soon) // Close returns the result
		err := ctx.Close()
		switch report := ctx.Report(); {
		case !report.Done:
			var stacks bytes.Buffer
			_ = pprof.Lookup("goroutine").WriteTo(&stacks, 2)
			t.Errorf("zmqsafetest: the context isn't closed, and the test leaves it behind:\n%v\n\n%v\n\n%s", err, report, &stacks)
		case errors.Is(err, context.DeadlineExceeded): // some sockets had more to send, as the log says
		case err != nil:
			t.Error(err)
		}
	})
	return ctx
}

// output writes what a context logs to the test until the test is over. Writing
// later would panic.
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
