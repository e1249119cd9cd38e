package world

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Child is a process in which parts of plans run. It may abort or hang: then
// calls return an error, and the child is gone. It is safe for concurrent use.
type Child struct {
	command *exec.Cmd
	client  *rpc.Client
	stderr  tail
	ended   chan struct{}
	err     error // how it ended; set before ended is closed
}

// hangs is how long a call may take: longer than anything in a plan.
const hangs = 60 * time.Second

// StartChild starts a process that calls [Serve] with its standard input and
// output. End it with [Child.Stop].
func StartChild(command *exec.Cmd) (*Child, error) {
	c := &Child{command: command, ended: make(chan struct{})}
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	command.Stderr = &c.stderr
	if err := command.Start(); err != nil {
		return nil, err
	}
	c.client = rpc.NewClient(duplex{out, in})
	go func() {
		c.err = command.Wait()
		close(c.ended)
	}()
	return c, nil
}

// Stop ends the child, and reports whether it ended as it should.
func (c *Child) Stop() error {
	_ = c.client.Close()
	select {
	case <-c.ended:
	case <-time.After(hangs):
		c.dump()
	}
	return c.said(c.err)
}

// call calls a method of the child's [host].
func (c *Child) call(method string, args, reply any) error {
	call := c.client.Go("Host."+method, args, reply, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
	case <-time.After(hangs):
		c.dump()
		return c.said(fmt.Errorf("%s hangs", method))
	}
	var ofHost rpc.ServerError
	if call.Error == nil || errors.As(call.Error, &ofHost) {
		return call.Error
	}
	<-c.ended
	return c.said(fmt.Errorf("%s: the process is gone: %w, %v", method, call.Error, c.err))
}

// dump ends a child that hangs; the runtime prints what its goroutines do.
func (c *Child) dump() {
	_ = c.command.Process.Signal(syscall.SIGABRT)
	<-c.ended
}

func (c *Child) said(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\n%s", err, c.stderr.String())
}

// Serve runs in a child until the other end closes the connection.
func Serve(in io.ReadCloser, out io.WriteCloser) error {
	server := rpc.NewServer()
	if err := server.RegisterName("Host", &host{sides: map[Place]*side{}}); err != nil {
		return err
	}
	server.ServeConn(duplex{in, out})
	return nil
}

type duplex struct {
	io.ReadCloser
	io.Writer
}

func (d duplex) Close() error {
	err := d.ReadCloser.Close()
	if out, ok := d.Writer.(io.Closer); ok {
		err = errors.Join(err, out.Close())
	}
	return err
}

// tail keeps the beginning of what is written to it.
type tail struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

const mostOutput = 64 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text.Write(p[:min(len(p), max(0, mostOutput-t.text.Len()))])
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
