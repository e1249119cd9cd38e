package shutdown

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"
)

// TCPLinger waits, when it is shut down, until TCP connections that were closed
// have delivered what the kernel had taken for them, and at most for as long as it
// says. It is for programs in containers, and is added first, so that all
// connections are closed before:
//
//	g.Add("tcp", shutdown.TCPLinger(time.Second))
//	g.Add("zmq", zctx)
//
// A program that closes a connection, or lets ZeroMQ send the last of its messages,
// leaves the rest to the kernel, which may hold megabytes. That goes on after the
// program has ended. But the network of a container ends with its process 1, and
// what its kernel still has then is lost, though the peer is there and reads.
//
// It looks at all connections of the network that the program is in, every 5 ms, in
// /proc/net/tcp; so on the network of a host it would wait for others. Delivered is
// what the peer's kernel has acknowledged. When the time is over, it says so on
// slog.Default() at level Warn, and that is no error; when the deadline comes first,
// it returns an error that wraps context.DeadlineExceeded. It does nothing where
// there is no /proc/net/tcp.
type TCPLinger time.Duration

// Shutdown waits, see TCPLinger.
func (l TCPLinger) Shutdown(ctx context.Context) error {
	end := time.NewTimer(time.Duration(l))
	defer end.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		n, err := sendingTCP()
		if n == 0 || err != nil {
			return err
		}
		const undone = "closed TCP connections still had something to send, which is lost if the network of this process ends now"
		select {
		case <-look.C:
		case <-end.C:
			slog.Warn("shutdown: "+undone, "connections", n, "waited", time.Duration(l))
			return nil
		case <-ctx.Done():
			return fmt.Errorf("%d %s: %w", n, undone, ctx.Err())
		}
	}
}

// sendingTCP counts the connections that were closed here, and whose end the peer has not acknowledged. Those that the peer
// had closed before are not among them: nobody reads there.
func sendingTCP() (n int, err error) {
	const finWait1 = "04"
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		table, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) { // no IPv6, or not Linux
			continue
		}
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(string(table)) {
			// proc_net_tcp in the kernel's documentation: number, local and remote address, state.
			if fields := strings.Fields(line); len(fields) > 3 && fields[3] == finWait1 {
				n++
			}
		}
	}
	return n, nil
}
