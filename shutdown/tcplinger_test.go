package shutdown

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/internal/alone"
)

// It looks at all connections of a network, so this one has a network of its own.
func TestTCPLinger(t *testing.T) {
	ctx, cancel := context.WithTimeout(bg, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=lingers", "GORACE=atexit_sleep_ms=0")
	alone.Isolate(cmd)
	output, err := cmd.CombinedOutput()
	if alone.NotAllowed(err) || cmd.ProcessState.ExitCode() == statusNotAllowed {
		t.Skipf("SKIPPED: this system lets this user have no namespaces: %v %s", err, output)
	}
	require.NoError(t, err, "%s", output)
}

const statusNotAllowed = 98

func lingersAlone() {
	if err := alone.Enter(); alone.NotAllowed(err) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(statusNotAllowed)
	} else if err != nil {
		panic(err)
	}
	for name, ok := range map[string]func(peer net.Conn, sent int) bool{
		"nothing is closed":           func(net.Conn, int) bool { return lingered(bg, time.Hour, "") == nil },
		"it runs out":                 func(net.Conn, int) bool { return lingered(bg, time.Millisecond, "connections=1 waited=1ms") == nil },
		"the deadline":                func(net.Conn, int) bool { return endedByDeadline() },
		"the peer reads":              func(peer net.Conn, sent int) bool { return delivers(peer, sent) },
		"the peer is gone":            func(peer net.Conn, _ int) bool { return peer.Close() == nil && lingered(bg, time.Hour, "") == nil },
		"none, said in so many words": func(peer net.Conn, _ int) bool { return lingered(bg, 0, "waited=0s") == nil },
	} {
		peer, sent, err := closedWhileSending(name == "nothing is closed")
		if err != nil || !ok(peer, sent) {
			fmt.Fprintln(os.Stderr, name, err)
			os.Exit(1)
		}
		peer.Close()
	}
}

// closedWhileSending returns the peer of a connection that was closed when neither kernel took any more, and how many bytes
// they have; or one that stays open.
func closedWhileSending(open bool) (peer net.Conn, sent int, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, 0, err
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return nil, 0, err
	}
	if peer, err = listener.Accept(); err != nil || open {
		return peer, 0, err
	}
	if err := conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		return nil, 0, err
	}
	for err == nil {
		var n int
		n, err = conn.Write(make([]byte, 64<<10))
		sent += n
	}
	return peer, sent, conn.Close()
}

// lingered is an error unless the log has the text, or nothing if that is empty.
func lingered(ctx context.Context, d time.Duration, text string) error {
	var log bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	err := TCPLinger(d).Shutdown(ctx)
	if said := log.String(); err == nil && (text == "" && said != "" || !strings.Contains(said, text)) {
		return fmt.Errorf("logged %q", said)
	}
	return err
}

func endedByDeadline() bool {
	ctx, cancel := context.WithTimeout(bg, time.Millisecond)
	defer cancel()
	return errors.Is(lingered(ctx, time.Hour, ""), context.DeadlineExceeded)
}

func delivers(peer net.Conn, sent int) bool {
	got := make(chan int64, 1)
	go func() {
		n, _ := io.Copy(io.Discard, peer)
		got <- n
	}()
	return lingered(bg, time.Hour, "") == nil && <-got == int64(sent)
}
