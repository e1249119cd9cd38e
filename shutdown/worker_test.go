package shutdown

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatWorkersReturnAfterTheStopBegan(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name    string
		f       func(ctx context.Context) error
		isError bool
	}{
		{"nil", func(context.Context) error { return nil }, false},
		{"ctx.Err()", func(ctx context.Context) error { return ctx.Err() }, false},
		{"ctx.Err() wrapped", func(ctx context.Context) error { return fmt.Errorf("recv: %w", ctx.Err()) }, false},
		{"the cause", func(ctx context.Context) error { return context.Cause(ctx) }, false},
		{"the cause and Canceled", func(ctx context.Context) error { return errors.Join(context.Cause(ctx), ctx.Err()) }, false},
		{"ErrStopped", func(context.Context) error { return ErrStopped }, false},
		{"a real error", func(context.Context) error { return boom }, true},
		{"a real error and Canceled", func(ctx context.Context) error { return errors.Join(ctx.Err(), boom) }, true},
		{"DeadlineExceeded", func(context.Context) error { return context.DeadlineExceeded }, true},
		{"a panic with Canceled", func(ctx context.Context) error { panic(ctx.Err()) }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *Group) {
				require.NoError(t, g.Go("feed", func(ctx context.Context) error {
					<-ctx.Done()
					return tt.f(ctx)
				}))
				g.Stop()
				err := g.Run(bg)
				assert.Equal(t, tt.isError, err != nil, "%v", err)
			})
		})
	}
}

func TestCanceledIsAnErrorBeforeTheStop(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		require.NoError(t, g.Go("feed", func(context.Context) error { return context.Canceled }))
		assert.EqualError(t, g.Run(bg), `shutdown: worker "feed": context canceled`)
	})
}

func TestAllErrorsAreJoined(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		require.NoError(t, g.Add("db", Func(func(context.Context) error { return io.ErrClosedPipe })))
		require.NoError(t, g.Go("other", func(ctx context.Context) error { <-ctx.Done(); return io.ErrShortWrite }))
		require.NoError(t, g.Go("feed", func(context.Context) error { return io.ErrUnexpectedEOF }))
		err := g.Run(bg)
		assert.EqualError(t, err, `shutdown: worker "feed": unexpected EOF
shutdown: worker "other": short write
shutdown: step "db": io: read/write on closed pipe`)
		var first *Error
		require.ErrorAs(t, err, &first)
		assert.Equal(t, Error{"worker", "feed", io.ErrUnexpectedEOF}, *first)
		assert.Equal(t, StatusError, ExitStatus(err))
	})
}

func TestWorkersStartWorkers(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		require.NoError(t, g.Go("accepts", func(context.Context) error {
			for range 100 {
				if err := g.Go("connection", func(context.Context) error { time.Sleep(time.Second); return nil }); err != nil {
					return err
				}
			}
			return nil
		}))
		require.NoError(t, g.Run(bg))
		synctest.Wait()
		r := g.Report()
		assert.Equal(t, 101, r.Returned)
		assert.Empty(t, r.Workers)
	})
}
