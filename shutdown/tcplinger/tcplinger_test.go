package tcplinger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/zmqsafe/zmq-exit/internal/alone"
)

const (
	// childVariable is set in the process of a test that is alone.
	childVariable = "TCPLINGER_TEST_ALONE"

	// limit is how long anything in these tests may take before it has hung.
	limit = time.Minute
)

// bg is the context that has no bound.
var bg = context.Background()

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		testAlone()
		return
	}
	goleak.VerifyTestMain(m)
}

// Wait looks at all connections of a network, so the test has one of its own.
func TestWait(t *testing.T) {
	alone.Test(t, limit, childVariable+"=1")
}

func testAlone() {
	alone.Must(alone.Enter())
	for name, ok := range map[string]func(peer net.Conn, sent int) bool{
		"nothing is closed": func(net.Conn, int) bool { return waited(bg, time.Hour, 0) == nil },
		"time runs out":     func(net.Conn, int) bool { return waited(bg, time.Millisecond, 1) == nil },
		"the deadline":      func(net.Conn, int) bool { return endedByDeadline() },
		"the peer reads":    func(peer net.Conn, sent int) bool { return delivers(peer, sent) },
		"the peer is gone":  func(peer net.Conn, _ int) bool { return peer.Close() == nil && waited(bg, time.Hour, 0) == nil },
		"no time at all":    func(net.Conn, int) bool { return waited(bg, 0, 1) == nil },
	} {
		peer, sent, err := closedWhileSending(name == "nothing is closed", func() {})
		if err != nil || !ok(peer, sent) {
			fmt.Fprintln(os.Stderr, name, err)
			os.Exit(1)
		}
		peer.Close()
	}
	if err := waitsForItsOwn(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// waitsForItsOwn closes a connection that was noted and one that wasn't, while
// no peer reads.
func waitsForItsOwn() error {
	var own Own
	var peers []net.Conn
	for _, note := range []func(){func() {}, func() { _ = own.Note() }, func() {}} {
		peer, _, err := closedWhileSending(false, note)
		if err != nil {
			return err
		}
		defer peer.Close()
		peers = append(peers, peer)
	}
	for range 2 { // it is the same at the second look
		ctx, cancel := context.WithTimeout(bg, 20*time.Millisecond)
		had, have, err := own.Wait(ctx)
		cancel()
		if had != 1 || have != 1 || err != nil {
			return fmt.Errorf("nobody reads: had %d, have %d, %w", had, have, err)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, peers[1]) }()
	if _, have, err := own.Wait(bg); have != 0 || err != nil {
		return fmt.Errorf("the peer reads: have %d, %w", have, err)
	}
	var none Own
	if had, have, err := none.Wait(bg); had != 0 || have != 0 || err != nil {
		return fmt.Errorf("nothing was noted: had %d, have %d, %w", had, have, err)
	}
	return nil
}

// closedWhileSending returns the peer of a connection that was closed when
// neither kernel took any more, and how many bytes they have; or the peer of
// one that stays open. It calls connected in between.
func closedWhileSending(open bool, connected func()) (peer net.Conn, sent int, err error) {
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
	connected()
	for full := 0; full < 3; full++ { // on a busy system, a deadline may end before the kernel was asked
		if err := conn.SetWriteDeadline(time.Now().Add(30 * time.Millisecond)); err != nil {
			return nil, 0, err
		}
		if n, _ := conn.Write(make([]byte, 64<<10)); n > 0 {
			sent += n
			full = 0
		}
	}
	return peer, sent, conn.Close()
}

// waited is an error unless one warning about the connections was logged, or
// nothing if there are none.
func waited(ctx context.Context, d time.Duration, connections int) error {
	var log bytes.Buffer
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
	if err := Wait(d).Shutdown(ctx); err != nil {
		return err
	}
	if connections == 0 && log.Len() == 0 {
		return nil
	}
	var line struct {
		Level, Msg  string
		Connections int
		Waited      time.Duration
	}
	const message = "tcplinger: closed TCP connections have undelivered data, which is lost if their network ends now"
	if err := json.Unmarshal(log.Bytes(), &line); err != nil ||
		line.Level != "WARN" || line.Msg != message || line.Connections != connections || line.Waited != d {
		return fmt.Errorf("logged %q: %v", &log, err)
	}
	return nil
}

func endedByDeadline() bool {
	ctx, cancel := context.WithTimeout(bg, time.Millisecond)
	defer cancel()
	return errors.Is(waited(ctx, time.Hour, 0), context.DeadlineExceeded)
}

func delivers(peer net.Conn, sent int) bool {
	got := make(chan int64, 1)
	go func() {
		n, _ := io.Copy(io.Discard, peer)
		got <- n
	}()
	return waited(bg, time.Hour, 0) == nil && <-got == int64(sent)
}
