package zmqsafe

import (
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/require"
)

// What a socket's bookkeeping costs: the registry, the creation stack and the
// profile. libzmq's reaper lags behind zmq_close, so a context of its own is
// terminated after every few hundred sockets, and its work counts, too.
func BenchmarkSocket(b *testing.B) {
	b.Run("raw", func(b *testing.B) {
		benchmarkSocket(b, zmq4.NewContext, (*zmq4.Context).NewSocket)
	})
	b.Run("guarded", func(b *testing.B) {
		newContext := func() (*Context, error) { return NewContext() }
		benchmarkSocket(b, newContext, (*Context).NewSocket)
	})
}

func benchmarkSocket[C interface{ Term() error }, S interface{ Close() error }](
	b *testing.B, newContext func() (C, error), newSocket func(C, zmq4.Type) (S, error),
) {
	const each = 500
	b.ReportAllocs()
	for done := 0; done < b.N; done += each {
		ctx, err := newContext()
		require.NoError(b, err)
		for range min(each, b.N-done) {
			soc, err := newSocket(ctx, zmq4.PUSH)
			if err == nil {
				err = soc.Close()
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		require.NoError(b, ctx.Term())
	}
}
