// Package conformance runs the tests of pebbe/zmq4 on zmqsafe. It takes them
// from the module cache, and changes nothing but the import path.
//
// The suite runs once on raw, which is pebbe/zmq4, and -conformance.runs times
// on zmqsafe, each time in a process of its own with a deadline, and under the
// race detector if this test does. On zmqsafe every test must pass in every
// process. The run on raw is for comparison: its time is logged, and its
// failures are ignored.
//
//	make conformance RUNS=20
//	go test -race -v ./zmqsafe/internal/conformance -conformance.count=3
//
// The suite binds fixed tcp ports and a path in /tmp. If the system has user
// namespaces, each process gets a network and a /tmp of its own, and as many
// run at once as there are processors. If not, they run one after another, and
// fail when something else uses those ports.
//
// # Failures on raw
//
// About 1 run in 30 fails on raw with "address already in use", for an inproc
// name, in TestHwm, TestSecurityNull and TestSecurityPlain. TestSocketEvent
// closes the reader of its monitor at EVENT_CLOSED. If that comes before
// libzmq's reaper thread sends EVENT_MONITOR_STOPPED (socket_base.cpp,
// ~socket_base_t), the thread waits for a reader forever, and no socket that is
// closed later gives back its inproc name. This is the hazard monitor-close.
//
// With -conformance.count, raw also fails in TestAuthStart, which begins before
// the reaper has freed the inproc name of TestSecurityPlain. On a busy machine
// the same happens in TestHwm, which sleeps 0.1 s for that.
//
// TestPoller gives a message 0.1 s to arrive over tcp. Beside six busy programs
// on two processors it failed in 1 of 100 processes on raw and in 2 of 100 on
// zmqsafe, so the processes run with a higher priority if that is allowed.
package conformance
