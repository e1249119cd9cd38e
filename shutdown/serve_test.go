package shutdown

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// server is a small server for Serve.
type server struct {
	down    chan struct{}
	fails   error         // the error that serve returns at once
	ends    bool          // serve returns nil at once
	slow    time.Duration // how long Shutdown takes, if its context lets it
	shut    int
	bounded time.Duration // how much time Shutdown had
}

var errServerClosed = errors.New("server closed")

func newServer() *server { return &server{down: make(chan struct{})} }

func (s *server) serve() error {
	if s.fails != nil || s.ends {
		return s.fails
	}
	<-s.down
	return errServerClosed
}

func (s *server) Shutdown(ctx context.Context) error {
	s.shut++
	deadline, _ := ctx.Deadline()
	s.bounded = time.Until(deadline)
	close(s.down)
	select {
	case <-time.After(s.slow):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestServe(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name    string
		server  *server
		want    string
		status  int
		bounded time.Duration
		took    time.Duration
	}{
		{"stopped", &server{slow: time.Second}, "", 0, 3900 * time.Millisecond, time.Minute + time.Second},
		{"fails", &server{fails: boom}, `shutdown: worker "http": boom`, 1, 3900 * time.Millisecond, 0},
		{"ends by itself", &server{ends: true, slow: time.Second}, "", 0, 4 * time.Second, time.Second},
		{
			"takes too long", &server{slow: time.Hour},
			"shutdown: worker \"http\": Shutdown: context deadline exceeded\nserver closed", 124,
			3900 * time.Millisecond, time.Minute + 3900*time.Millisecond,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *Group) {
				tt.server.down = make(chan struct{})
				var j journal
				require.NoError(t, g.Add("zmq", j.step("zmq")))
				require.NoError(t, g.Serve("http", tt.server.serve, tt.server))
				stop := time.AfterFunc(time.Minute, g.Stop)
				defer stop.Stop()
				began := time.Now()
				err := g.Run(bg)
				assert.Equal(t, tt.took, time.Since(began))
				if tt.want == "" {
					assert.NoError(t, err)
				} else {
					assert.EqualError(t, err, tt.want)
				}
				assert.Equal(t, tt.status, ExitStatus(err))
				assert.Equal(t, 1, tt.server.shut)
				assert.Equal(t, tt.bounded, tt.server.bounded)
				assert.Equal(t, []string{"zmq"}, j.all())
			})
		})
	}
}

// The first error matters to the reader, not only that something hangs.
func TestServeThatHangsKeepsItsErrors(t *testing.T) {
	boom := errors.New("boom")
	tests := map[string]struct {
		serve    func(stuck) error
		shutdown func(stuck) error
		want     string
		status   int
	}{
		"Shutdown fails":  {func(s stuck) error { return s.work(bg) }, func(stuck) error { return boom }, ": Shutdown: boom", 124},
		"Shutdown panics": {func(s stuck) error { return s.work(bg) }, func(stuck) error { panic(boom) }, ": Shutdown: panic: boom [", 2},
		"serve fails":     {func(stuck) error { return boom }, func(s stuck) error { return s.Shutdown(bg) }, ": boom", 124},
		"serve panics":    {func(stuck) error { panic(boom) }, func(s stuck) error { return s.Shutdown(bg) }, ": panic: boom [", 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *Group) {
				var log logs
				g.Logger = slog.New(&log)
				hangs := newStuck(t)
				require.NoError(t, g.Serve("s", func() error { return tt.serve(hangs) }, Func(func(context.Context) error { return tt.shutdown(hangs) })))
				time.AfterFunc(time.Second, g.Stop)
				err := g.Run(bg)
				assert.ErrorIs(t, err, boom)
				assert.ErrorContains(t, err, "with a grace of 4s"+tt.want)
				assert.Equal(t, tt.status, ExitStatus(err))
				if tt.status == StatusPanic {
					assert.Len(t, log.panics(t), 1)
				}
			})
		})
	}
}

func TestServeAndItsShutdownPanic(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var log logs
		g.Logger = slog.New(&log)
		require.NoError(t, g.Serve("s", func() error { panic("first") }, Func(func(context.Context) error { panic("second") })))
		err := g.Run(bg)
		var values []any // in any order: nobody waits for a line
		for _, line := range log.panics(t) {
			values = append(values, line.attrs["panic"])
			assert.Contains(t, line.attrs["stack"], "serve_test.go")
		}
		assert.ElementsMatch(t, []any{"first", "second"}, values)
		assert.ErrorContains(t, err, "panic: first [")
		assert.ErrorContains(t, err, "panic: second [")
	})
}

func TestServeThatFailsIsTheCause(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		boom := errors.New("boom")
		s := newServer()
		s.fails = boom
		require.NoError(t, g.Serve("http", s.serve, s))
		synctest.Wait()
		assert.ErrorIs(t, context.Cause(g.Context()), boom)
		assert.Zero(t, s.shut) // Run was not called yet
		require.ErrorIs(t, g.Run(bg), boom)
		assert.Equal(t, 1, s.shut)
	})
}

// Like a worker of Go that returns it.
func TestServeThatIsCanceledBeforeTheStop(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		require.NoError(t, g.Serve("s", func() error { return context.Canceled }, Func(func(context.Context) error { return nil })))
		assert.EqualError(t, g.Run(bg), `shutdown: worker "s": context canceled`)
	})
}

// Whichever the group sees first: that serve has returned, or that the stop
// began.
func TestServeThatReturnsBecauseOfTheStop(t *testing.T) {
	for range 1000 {
		g := Group{Signals: noSignals}
		nothing := Func(func(context.Context) error { return nil })
		require.NoError(t, g.Serve("http", func() error { g.Stop(); return errServerClosed }, nothing))
		require.NoError(t, g.Run(bg))
	}
}

func TestServeAfterTheStopBegan(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		g.Stop()
		s := newServer()
		require.ErrorIs(t, g.Serve("http", func() error { t.Error("called"); return nil }, s), ErrStopped)
		require.NoError(t, g.Run(bg))
		assert.Equal(t, 1, s.shut)
	})
}

func TestServeHTTP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	entered, release := make(chan struct{}), make(chan struct{})
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		w.WriteHeader(http.StatusTeapot)
	})}
	g := Group{Signals: noSignals, Timeout: limit}
	require.NoError(t, g.Serve("http", func() error { return s.Serve(listener) }, s))
	status := make(chan int, 1)
	go func() {
		r, err := http.Get("http://" + listener.Addr().String())
		if assert.NoError(t, err) {
			status <- r.StatusCode
			_ = r.Body.Close()
		}
		http.DefaultClient.CloseIdleConnections()
	}()
	<-entered
	g.Stop()
	time.AfterFunc(10*time.Millisecond, func() { close(release) }) // finishes the request that has begun
	bounded(t, "Run", func() { assert.NoError(t, g.Run(bg)) })
	assert.Equal(t, http.StatusTeapot, <-status)
}
