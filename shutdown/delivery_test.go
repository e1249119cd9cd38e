//go:build linux

package shutdown

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/internal/alone"
)

// variant says what the program that is process 1 does.
const variant = "SHUTDOWN_TEST_VARIANT"

func init() {
	programs["host"] = host
	programs["init"] = initProgram
	programs["service"] = service
}

// The network of a host, with connections of others, is that of a child
// process, which starts one process 1 for each case.
func TestMainAsProcess1(t *testing.T) {
	alone.Test(t, limit, childVariable+"=host")
}

// service sends until no kernel takes any more, says so, and stops when it has
// a signal, or no standard input any more. It closes its connection in a step.
func service() {
	has := func(option string) bool { return strings.Contains(os.Getenv(variant), option) }
	address := os.Args[1]
	go printWhenDelivering()
	Main(func(g *Group) error {
		g.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
		g.NoTCPLinger = has("off")
		if !has("wait in vain") { // a busy system needs longer
			deliveryTime, g.Timeout = limit, limit
		}
		if has("soon") {
			g.Timeout = 2 * time.Second
		}
		var conn net.Conn
		connect := func() (err error) {
			if has("server") {
				l, err := net.Listen("tcp", ":0")
				if err != nil {
					return err
				}
				fmt.Println(l.Addr().(*net.TCPAddr).Port)
				if has("late") {
					<-g.Context().Done()
				}
				conn, err = l.Accept()
				return errors.Join(err, l.Close())
			}
			conn, err = net.Dial("tcp", address)
			return err
		}
		send := func() error {
			if err := connect(); err != nil {
				return err
			}
			sent := 0
			if !has("idle") {
				sent = fill(conn)
			}
			fmt.Println(sent)
			return nil
		}
		if !has("open") {
			_ = g.Add("conn", Func(func(context.Context) error { return conn.Close() }))
		}
		if has("late") {
			go func() { _, _ = io.ReadAll(os.Stdin); g.Stop() }()
			return g.Go("send", func(context.Context) error { return send() })
		}
		if err := send(); err != nil {
			return err
		}
		go func() {
			_, _ = io.ReadAll(os.Stdin)
			if has("exit") {
				Exit(0)
			}
			g.Stop()
		}()
		return nil
	})
}

// printWhenDelivering prints a line when Main has seen that the kernel has
// something to deliver, and waits.
func printWhenDelivering() {
	for stacks := make([]byte, 64<<10); ; time.Sleep(5 * time.Millisecond) {
		for stack := range bytes.SplitSeq(stacks[:runtime.Stack(stacks, true)], []byte("\n\n")) {
			if bytes.Contains(stack, []byte("tcplinger.wait(")) && bytes.Contains(stack, []byte("[select")) {
				fmt.Println("waiting")
				return
			}
		}
	}
}

// fill sends until neither kernel takes any more, and returns how much.
func fill(conn net.Conn) (sent int) {
	_ = conn.(*net.TCPConn).SetWriteBuffer(64 << 10)
	raw, _ := conn.(*net.TCPConn).SyscallConn()
	for full := 0; full < 10; time.Sleep(5 * time.Millisecond) { // the peer's kernel may still have room
		full++
		_ = raw.Write(func(fd uintptr) bool {
			for {
				n, err := syscall.Write(int(fd), make([]byte, 16<<10))
				if err != nil {
					return true
				}
				sent += n
				full = 0
			}
		})
	}
	return sent
}

// initProgram starts the service as an init does, and ends with it.
func initProgram() {
	signal.Ignore(syscall.SIGTERM)
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), childVariable+"=service")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	_ = cmd.Run()
	os.Exit(cmd.ProcessState.ExitCode())
}

// deliveryCase is a service and its peer.
type deliveryCase struct {
	name    string
	program string // service, or init, as process 1; none: the service isn't
	variant string
	reads   bool           // the peer reads on when the service waits for the kernel
	signal  syscall.Signal // begins the stop; else the end of standard input does
	second  bool           // there is a second signal
	status  int
	want    string // what the report says
}

const (
	delivered   = "connections: 1, all delivered"
	undelivered = "connections: 1, undelivered: 1"
	noTime      = "not known: no time was left" // also on a busy system, right before the deadline
)

var deliveryCases = []deliveryCase{
	{name: "a reader", program: "service", reads: true, signal: syscall.SIGTERM, want: delivered},
	{name: "by Exit", program: "service", variant: "exit", reads: true, want: delivered},
	{name: "IPv6", program: "service", variant: "IPv6", reads: true, want: delivered},
	{name: "nothing closes it", program: "service", variant: "open", reads: true, want: delivered},
	{name: "an init", program: "init", reads: true, want: delivered},
	{name: "a server", program: "service", variant: "server", reads: true, want: delivered},
	{name: "a server with a late peer", program: "service", variant: "server late", reads: true, want: delivered},
	{name: "only others send", program: "service", variant: "idle", want: "nothing to deliver"},
	{name: "nobody reads", program: "service", variant: "wait in vain", want: undelivered},
	{name: "nobody reads, and the deadline is near", program: "service", variant: "soon", want: undelivered},
	{name: "a second signal", program: "service", signal: syscall.SIGTERM, second: true, status: 128 + int(syscall.SIGINT), want: ""},
	{name: "turned off", program: "service", variant: "off", want: ""},
	{name: "not process 1", want: ""},
}

func host() {
	alone.Must(alone.Enter())
	peer, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	others, err := net.Dial("tcp", peer.Addr().String())
	if err != nil {
		panic(err)
	}
	fill(others)
	others.Close()
	var cases sync.WaitGroup
	var failed atomic.Bool
	for _, c := range deliveryCases {
		cases.Go(func() {
			err := c.run()
			if alone.NotAllowed(err) {
				alone.Must(err)
			}
			if err != nil {
				failed.Store(true)
				fmt.Printf("%s: %v\n", c.name, err)
			}
		})
	}
	cases.Wait()
	if failed.Load() {
		os.Exit(1)
	}
	os.Exit(0)
}

func (c deliveryCase) run() error {
	local := "127.0.0.1:0"
	if c.variant == "IPv6" {
		local = "[::1]:0"
	}
	listener, err := net.Listen("tcp", local)
	if err != nil {
		return err
	}
	defer listener.Close()
	cmd := exec.Command(os.Args[0], listener.Addr().String())
	cmd.Env = append(os.Environ(), childVariable+"=service", variant+"="+c.variant, "GORACE=atexit_sleep_ms=0")
	if c.program != "" {
		cmd.Env = append(cmd.Env, childVariable+"="+c.program)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		return err
	}
	defer func() { _ = cmd.Wait() }()
	lines := bufio.NewScanner(out)
	number := func() int {
		lines.Scan()
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			panic(err)
		}
		return n
	}
	await := func() { // until it waits for the kernel
		for lines.Scan() && lines.Text() != "waiting" {
		}
	}

	var conn net.Conn
	if strings.Contains(c.variant, "server") {
		port := number()
		if strings.Contains(c.variant, "late") {
			_ = in.Close()
		}
		conn, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	} else {
		conn, err = listener.Accept()
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	sent := number()
	if c.signal != 0 {
		_ = cmd.Process.Signal(c.signal)
	} else {
		_ = in.Close()
	}
	got := make(chan int, 1)
	switch {
	case c.reads:
		await()
		go func() {
			n, _ := io.Copy(io.Discard, conn)
			got <- int(n)
		}()
	case c.second:
		await()
		_ = cmd.Process.Signal(syscall.SIGINT)
	}
	for lines.Scan() { // until it has ended
	}
	waiting := kernelHasMore(conn)
	_ = cmd.Wait()

	report := reported(log.String())
	warned := strings.Contains(log.String(), `level=WARN msg="shutdown: TCP connections may have undelivered data`)
	switch lost := strings.Contains(c.want, "undelivered"); {
	case cmd.ProcessState.ExitCode() != c.status:
		return fmt.Errorf("%v, %s", cmd.ProcessState, &log)
	case report != c.want && !(c.variant == "soon" && report == noTime):
		return fmt.Errorf("the report says %q: %s", report, &log)
	case warned != lost:
		return fmt.Errorf("warned: %v", warned)
	case c.reads && waiting:
		return errors.New("the kernel still has data")
	}
	if c.reads {
		if n := <-got; n != sent {
			return fmt.Errorf("%d of %d bytes have arrived", n, sent)
		}
	}
	return nil
}

// kernelHasMore reports whether the peer's kernel still has data for conn.
func kernelHasMore(conn net.Conn) bool {
	_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
	_, from, _ := net.SplitHostPort(conn.RemoteAddr().String())
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		table, _ := os.ReadFile(file)
		for line := range strings.Lines(string(table)) {
			fields := strings.Fields(line)
			if hex(fields[1]) == from && hex(fields[2]) == port && strings.TrimLeft(fields[4][:8], "0") > "1" {
				return true
			}
		}
	}
	return false
}

// hex returns the port in an address of the kernel's tables.
func hex(address string) string {
	_, port, _ := strings.Cut(address, ":")
	n, _ := strconv.ParseUint(port, 16, 16)
	return fmt.Sprint(n)
}

// reported returns what the report in a log says of the delivery.
func reported(log string) string {
	found := regexp.MustCompile(`report\.tcp="?\S+, ([^"\n]*)"?`).FindStringSubmatch(log)
	if found == nil {
		return ""
	}
	return found[1]
}

func TestTheReportOfADelivery(t *testing.T) {
	boom := errors.New("shutdown: boom")
	for want, d := range map[string]Delivery{
		"nothing to deliver":             {},
		"connections: 3, all delivered":  {Connections: 3},
		"connections: 3, undelivered: 1": {Connections: 3, Undelivered: 1},
		"not known: boom":                {Connections: 3, Err: boom},
	} {
		d.Took, d.Timeout = 20*time.Millisecond, time.Second
		r := Report{Cause: errStop, Over: true, Began: time.Unix(0, 0), TCP: &d}
		assert.Regexp(t, `\n  tcp +20ms +of 1s +`+want+`$`, r.String())
		assert.Contains(t, r.LogValue().String(), "tcp=20ms, "+want)
		encoded, err := json.Marshal(r)
		require.NoError(t, err)
		assert.Contains(t, string(encoded), fmt.Sprintf(`"tcp":{"connections":%d,"undelivered":%d,"took":"20ms","timeout":"1s"`, d.Connections, d.Undelivered))
		assert.Equal(t, d.Err != nil, strings.Contains(string(encoded), `"error":"shutdown: boom"`))
	}
	encoded, err := json.Marshal(Report{})
	require.NoError(t, err)
	assert.NotContains(t, string(encoded), "tcp")
}
