package main

import (
	"fmt"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var monitorClose = hazard{
	ID:    "monitor-close",
	Title: "a socket and its monitor's reader are closed while a goroutine reads events",
	Raw:   monitorCloseRaw, Guarded: monitorCloseGuarded,
	Explain: `In libzmq
  1. zmq_socket_monitor makes a PAIR socket (socket_base_t::monitor,
     socket_base.cpp). libzmq's own threads send the events over it, in
     socket_base_t::monitor_event, and they block when nobody takes them.
  2. zmq_close gives the monitored socket to the reaper thread. Closing its listener
     makes events, and destroying it makes one more, so events are still on
     their way when zmq_close has returned.
  3. The program closes the reader while a goroutine is inside zmq_msg_recv on it.
     That is the hazard close-while-recv: two threads read one mailbox, and an
     assertion fails in signaler_t::wait (signaler.cpp), or the goroutine is never
     woken.
  4. When the reader is gone first, pair_t::xsend (pair.cpp) has no pipe to write to,
     and the thread that has an event to send, the I/O thread or the reaper, waits
     for ever. Then no socket of that thread moves any more.

What the guard does
  The package itself is the reader of libzmq's events, always there and never slow,
  and passes them on through a queue: no thread of libzmq ever waits for the program.
  The program's reader is a guarded socket like any other. Closed in whatever order,
  it ends the goroutine's RecvEvent with ErrorSocketClosed.
`,
}

func monitorCloseRaw() error {
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	sock, err := ctx.NewSocket(zmq4.PULL)
	if err != nil {
		return err
	}
	if err := sock.Monitor("inproc://monitor", zmq4.EVENT_ALL); err != nil {
		return err
	}
	reader, err := ctx.NewSocket(zmq4.PAIR)
	if err != nil {
		return err
	}
	if err := reader.Connect("inproc://monitor"); err != nil {
		return err
	}
	listening := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		for {
			event, _, _, err := reader.RecvEvent(0)
			if err != nil {
				ended <- err
				return
			}
			if event == zmq4.EVENT_LISTENING {
				close(listening)
			}
		}
	}()
	if err := sock.Bind("tcp://127.0.0.1:*"); err != nil {
		return err
	}
	<-listening

	if err := sock.Close(); err != nil {
		return err
	}
	if err := reader.Close(); err != nil {
		return err
	}
	if err := <-ended; err != zmq4.ErrorSocketClosed {
		return fmt.Errorf("want ErrorSocketClosed from RecvEvent, got %v", err)
	}
	return ctx.Term()
}

func monitorCloseGuarded() error {
	ctx, err := zmqsafe.NewContext()
	if err != nil {
		return err
	}
	sock, err := ctx.NewSocket(zmqsafe.PULL)
	if err != nil {
		return err
	}
	if err := sock.Monitor("inproc://monitor", zmqsafe.EVENT_ALL); err != nil {
		return err
	}
	reader, err := ctx.NewSocket(zmqsafe.PAIR)
	if err != nil {
		return err
	}
	if err := reader.Connect("inproc://monitor"); err != nil {
		return err
	}
	listening := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		for {
			event, _, _, err := reader.RecvEvent(0)
			if err != nil {
				ended <- err
				return
			}
			if event == zmqsafe.EVENT_LISTENING {
				close(listening)
			}
		}
	}()
	if err := sock.Bind("tcp://127.0.0.1:*"); err != nil {
		return err
	}
	<-listening

	if err := sock.Close(); err != nil {
		return err
	}
	if err := reader.Close(); err != nil {
		return err
	}
	if err := <-ended; err != zmqsafe.ErrorSocketClosed {
		return fmt.Errorf("want ErrorSocketClosed from RecvEvent, got %v", err)
	}
	return ctx.Term()
}
