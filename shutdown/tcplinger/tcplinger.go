// Package tcplinger keeps a process running until the kernel has delivered what
// its TCP connections still had to send. It is for programs in containers.
//
// A program that closes a connection, or a ZeroMQ socket that has sent its last
// message, leaves the rest to the kernel, which may hold megabytes. On a host
// the kernel goes on sending after the program has ended. But the network of a
// container ends with its process 1, and then the rest is lost, even if the
// peer is reading.
//
// shutdown.Main waits for that by itself where it is process 1, or a child of
// process 1 in a container, and for its own connections, with [Own]. A program
// that ends a container in another way, without Main, or after it has closed
// its connections, adds [Wait] to its shutdown.Group. Add it first, so that it
// runs last, when all connections are closed:
//
//	g.Add("tcp", tcplinger.Wait(time.Second))
//	g.Add("zmq", zctx)
package tcplinger

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/zmqsafe/zmq-exit/internal/patience"
)

// Wait is how long to wait for deliveries. It is a shutdown.Shutdowner, and
// safe for concurrent use.
type Wait time.Duration

// Shutdown blocks until the kernels of all peers have acknowledged what closed
// connections had to send, and for w at most. If w has passed, it logs a
// warning to slog.Default() and returns nil. If ctx is done first, it returns
// an error that wraps ctx.Err().
//
// It looks at /proc/net/tcp and /proc/net/tcp6 every 5 ms, or less often where
// they are long, so at all connections of the network that the process is in.
// On the network of a host that includes connections of other programs. On a
// system without these files it returns nil at once.
func (w Wait) Shutdown(ctx context.Context) error {
	bound, cancel := context.WithTimeout(ctx, time.Duration(w))
	defer cancel()
	_, n, err := wait(bound, connection.isClosed)
	switch {
	case err != nil || n == 0:
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("tcplinger: %d closed TCP connections have undelivered data: %w", n, ctx.Err())
	}
	patience.Logger(slog.Default()).WarnContext(ctx, "tcplinger: closed TCP connections have undelivered data, which is lost if their network ends now",
		"connections", n, "waited", time.Duration(w))
	return nil
}
