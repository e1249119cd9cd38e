package main

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pebbe/zmq4"
)

// traffic goes through a proxy until that is stopped: four senders at its
// frontend, a receiver at its backend. They have contexts of their own, as if
// they were other processes, and break no rule of pebbe/zmq4.
type traffic struct {
	sending, receiving  *zmq4.Context
	accepted, delivered atomic.Int64

	flowing chan struct{} // closed: the proxy is busy
	stop    chan struct{} // closed: send no more
	flushed chan struct{} // closed: the senders have sent what they had accepted
	closed  chan struct{} // closed: the proxy's sockets and context are gone

	sent, received chan error // how each of them ended
	flushErr       error      // set before flushed is closed
}

const (
	senders   = 4
	untilBusy = 1000                   // messages
	silence   = 500 * time.Millisecond // after which nothing more comes
)

// startTraffic returns when messages are flowing.
func startTraffic(frontend, backend string) (*traffic, error) {
	t := &traffic{
		flowing: make(chan struct{}), stop: make(chan struct{}), flushed: make(chan struct{}), closed: make(chan struct{}),
		sent: make(chan error, senders), received: make(chan error, 1),
	}
	var err error
	if t.sending, err = zmq4.NewContext(); err != nil {
		return nil, err
	}
	if t.receiving, err = zmq4.NewContext(); err != nil {
		return nil, err
	}
	go func() { t.received <- t.receive(backend) }()
	for range senders {
		go func() { t.sent <- t.send(frontend) }()
	}
	select {
	case <-t.flowing:
		return t, nil
	case err = <-t.sent:
	case err = <-t.received:
	}
	return nil, fmt.Errorf("the proxy's traffic ended early: %w", err)
}

func (t *traffic) send(frontend string) error {
	sock, err := t.sending.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	defer sock.Close()
	if err := sock.SetLinger(2 * time.Second); err != nil {
		return err
	}
	if err := sock.SetSndtimeo(silence); err != nil {
		return err
	}
	if err := sock.Connect(frontend); err != nil {
		return err
	}
	for !isClosed(t.stop) {
		switch _, err := sock.SendMessage("head", "body"); {
		case err == nil:
			t.accepted.Add(1)
		case zmq4.AsErrno(err) != zmq4.Errno(syscall.EAGAIN):
			return err
		}
	}
	return nil
}

func (t *traffic) receive(backend string) error {
	sock, err := t.receiving.NewSocket(zmq4.PULL)
	if err != nil {
		return err
	}
	defer sock.Close()
	if err := sock.SetRcvtimeo(silence); err != nil {
		return err
	}
	if err := sock.Connect(backend); err != nil {
		return err
	}
	return receiveUntilSilent(t.closed, sock.RecvMessage, func() {
		if t.delivered.Add(1) == untilBusy {
			close(t.flowing)
		}
	})
}

// receiveUntilSilent calls got for each message, and returns when no more come
// after last was closed. A torn message is an error.
func receiveUntilSilent(last chan struct{}, recv func(zmq4.Flag) ([]string, error), got func()) error {
	for {
		isLast := isClosed(last)
		message, err := recv(0)
		switch {
		case zmq4.AsErrno(err) == zmq4.Errno(syscall.EAGAIN):
			if isLast {
				return nil
			}
		case err != nil:
			return err
		case len(message) != 2 || message[0] != "head" || message[1] != "body":
			return fmt.Errorf("want a whole message, got %q", message)
		default:
			got()
		}
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// stopSending returns at once. What was accepted is still on its way.
func (t *traffic) stopSending() {
	close(t.stop)
	go func() {
		errs := []error{}
		for range senders {
			errs = append(errs, <-t.sent)
		}
		t.flushErr = errors.Join(append(errs, t.sending.Term())...)
		close(t.flushed)
	}()
}

// account must be called when the proxy is gone. It returns a lostError if more
// messages were accepted than were delivered, or found unread.
func (t *traffic) account(unread int) error {
	<-t.flushed
	close(t.closed)
	if err := errors.Join(t.flushErr, <-t.received, t.receiving.Term()); err != nil {
		return err
	}
	accepted, delivered := int(t.accepted.Load()), int(t.delivered.Load())
	switch missing := accepted - delivered - unread; {
	case missing < 0:
		return fmt.Errorf("%d messages accepted, but %d delivered and %d unread", accepted, delivered, unread)
	case missing > 0:
		return lostError{lost: missing, of: accepted}
	}
	return nil
}
