package main

import (
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var fdSweep = hazard{
	ID:    "fd-sweep",
	Title: "exit clean-up closes descriptors while a connecter keeps reconnecting",
	Raw:   fdSweepRaw, Guarded: fdSweepGuarded,
	Explain: `In libzmq
  1. zmq_connect hands the connection to an I/O thread. There
     tcp_connecter_t::start_connecting (tcp_connecter.cpp) opens a TCP socket and
     registers it with the thread's epoll descriptor.
  2. Nobody listens, so tcp_connecter_t::out_event closes that socket and
     stream_connecter_base_t::add_reconnect_timer (stream_connecter_base.cpp)
     schedules the next attempt. This goes on until the context is terminated.
  3. The program's exit clean-up closes every descriptor it did not start with,
     libzmq's epoll descriptor among them. The I/O thread is asleep in epoll_wait,
     in epoll_t::loop (epoll.cpp), and does not notice.
  4. The timer is due: epoll_t::loop calls poller_base_t::execute_timers
     (poller_base.cpp), which comes back to start_connecting, which opens a new
     socket and calls epoll_t::add_fd (epoll.cpp).
  5. epoll_ctl fails with EBADF. libzmq takes a failed epoll_ctl for a fault in
     the program: errno_assert prints "Bad file descriptor (src/epoll.cpp:100)"
     and zmq_abort (err.cpp) kills the process with SIGABRT. The line is that of
     4.3.0 to 4.3.4; it is 90 in 4.2.5 and 73 in 4.3.5.

What the guard does
  Context.Close closes every socket the context still has, waits until the context
  is terminated, and says so. Then there is no I/O thread left, and no descriptor of
  libzmq's that a clean-up could take away. Called before the clean-up, that is the
  whole fix. Without that call the guard can't help: while the context is open,
  its descriptors must be.
`,
}

func fdSweepRaw() error {
	endpoint, err := closedPort()
	if err != nil {
		return err
	}
	atStart, err := openDescriptors()
	if err != nil {
		return err
	}

	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	defer ctx.Term()
	sock, err := ctx.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	defer sock.Close()
	if err := sock.SetReconnectIvl(300 * time.Millisecond); err != nil {
		return err
	}
	if err := sock.Connect(endpoint); err != nil {
		return err
	}
	time.Sleep(betweenAttempts)

	if err := closeDescriptorsExcept(atStart); err != nil {
		return err
	}
	time.Sleep(restOfCleanUp)
	return nil
}

func fdSweepGuarded() error {
	endpoint, err := closedPort()
	if err != nil {
		return err
	}
	atStart, err := openDescriptors()
	if err != nil {
		return err
	}

	ctx, err := zmqsafe.NewContext()
	if err != nil {
		return err
	}
	defer ctx.Term()
	sock, err := ctx.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	defer sock.Close()
	if err := sock.SetReconnectIvl(300 * time.Millisecond); err != nil {
		return err
	}
	if err := sock.Connect(endpoint); err != nil {
		return err
	}
	time.Sleep(betweenAttempts)

	if err := ctx.Close(); err != nil { // the fix
		return err
	}
	if err := closeDescriptorsExcept(atStart); err != nil {
		return err
	}
	time.Sleep(restOfCleanUp)
	return nil
}

// betweenAttempts is a time after the connect at which the first attempt has been
// refused and the second, which is made 300 to 600 ms after it, is not due yet, even
// on a busy machine.
const betweenAttempts = 100 * time.Millisecond

// restOfCleanUp stands for whatever else a program does on its way out. The
// reconnect timer is due in it.
const restOfCleanUp = time.Second

// openDescriptors returns the descriptors that are open now. Go's netpoller is
// made to open its own first: to close those later would be another crash.
func openDescriptors() (map[int]bool, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	r.Close()
	w.Close()

	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	open := make(map[int]bool)
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil {
			open[fd] = true
		}
	}
	return open, nil
}

func closeDescriptorsExcept(keep map[int]bool) error {
	open, err := openDescriptors()
	if err != nil {
		return err
	}
	for fd := range open {
		if !keep[fd] {
			syscall.Close(fd) // EBADF for the one that listed the directory
		}
	}
	return nil
}
