// Package conformance runs the tests of pebbe/zmq4 on zmqsafe. They are taken
// from the module cache, and nothing in them is changed but the import path.
//
// The suite runs once on raw and -conformance.runs times on zmqsafe, under the
// race detector if this test is (as make has it), each time in a process of its
// own with a deadline. On zmqsafe
// every test must pass in every process. Raw is run for comparison: how long it
// takes is logged, not asserted, and its failures are its own.
//
//	make conformance RUNS=20
//	go test -race -v ./zmqsafe/internal/conformance -conformance.count=3
//
// # Alone
//
// The suite binds fixed tcp ports and a path in /tmp. Where the system has user
// namespaces, each process gets a network and a /tmp of its own, and as many run at
// once as there are processors. Where not, they run one after another, and fail
// when something else uses those ports.
//
// # Where raw fails
//
// About 1 run in 30 fails on raw with "address already in use", in TestHwm,
// TestSecurityNull and TestSecurityPlain. Those are inproc names, not ports.
// TestSocketEvent closes the reader of its monitor at EVENT_CLOSED. If that is
// done before libzmq's reaper thread sends EVENT_MONITOR_STOPPED (the destructor
// of socket_base_t, socket_base.cpp), the thread waits for a reader for ever. From
// then on no closed socket of the default context gives back its inproc name. This
// is the hazard monitor-close; the tests can't avoid it, zmqsafe does.
//
// With -conformance.count, raw also fails in TestAuthStart: it begins before the
// reaper has freed the inproc name that TestSecurityPlain, the test before it, had.
// On a busy machine the same happens in TestHwm, which sleeps 0.1 s for that.
//
// TestPoller gives a message 0.1 s to arrive over tcp. With six programs that keep
// two processors busy, it failed in 1 of 100 processes on raw and in 2 of 100 on
// zmqsafe: so the processes run with a higher priority, where that is allowed.
package conformance
