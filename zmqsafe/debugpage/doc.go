// Package debugpage serves a page that lists the ZeroMQ contexts and sockets of the
// running program, for people who want to know what it is waiting for, or why it
// doesn't end:
//
//	mux.Handle("/debug/zmq", debugpage.Handler())
//
// It is a package of its own so that only programs that use it get net/http.
//
// # Who may see it
//
// The page is for trusted eyes, as net/http/pprof is: it shows endpoints with their
// addresses and the places in the source that made sockets. It changes nothing in the
// program. Serve it on an address of its own that only operators reach, or behind the
// program's authentication.
//
// # What it shows
//
// What needs attention comes first: contexts that are being closed and the sockets
// that hold them; sends that are blocked on old sockets; very many sockets that one
// line has made. Then each context with its sockets, oldest first. When a context has
// more than 50, they are grouped by the place that made them, the largest group
// first, and each group leads to its sockets. What a page lists is bounded; its numbers
// count all.
//
// The page renews itself every two seconds, and can be paused. It works without
// JavaScript, too, needs nothing from elsewhere, and doesn't care under which path or
// behind which proxy it is mounted. Rendering it costs what zmqsafe.Contexts costs
// and waits for what that waits for.
//
// # JSON
//
// With ?format=json, or where the header Accept prefers application/json, the answer
// is JSON for programs: the time, and what zmqsafe.Contexts returns, with every
// socket. ?made_at=dir/file.go:42 selects the sockets that one line has made, in both
// formats.
//
// # The profile
//
// A program that serves net/http/pprof also has the stacks that made its sockets:
//
//	go tool pprof http://localhost:6060/debug/pprof/zmqsafe.sockets
package debugpage
