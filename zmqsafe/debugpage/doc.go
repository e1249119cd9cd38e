// Package debugpage serves a page that lists the ZeroMQ contexts and sockets of
// the running program. It shows what the program waits for, and why it doesn't
// end:
//
//	mux.Handle("/debug/zmq", debugpage.Handler())
//
// The package is separate from zmqsafe so that only programs that serve the
// page link net/http.
//
// # Who may see it
//
// The page shows endpoints with their addresses and the source lines that made
// sockets. It changes nothing in the program. As with net/http/pprof, serve it
// on an address that only operators reach, or behind the program's
// authentication.
//
// # What it shows
//
// What needs attention comes first: contexts that are closing and the sockets
// that hold them, sends blocked on old sockets, and lines that made very many
// sockets. Each context follows with its sockets, those that are closing first,
// then the oldest. The sockets of a context with more than 50 are grouped by
// the line that made them, the largest group first. With them stands what
// closed sockets and detached endpoints of the context may have lost. A page
// lists a bounded number of things; its totals include all.
//
// The page works at any path and behind any proxy, and loads nothing from
// elsewhere.
//
// # Refreshing
//
// The browser loads the page again every two seconds. The link Pause stops
// that, and so does ?pause in the address. The page has no script.
//
// Chromium and Firefox keep the scroll position. A text selection, the keyboard
// focus and the place of a screen reader are lost, so pause the page first;
// that scrolls to its top. A hidden tab goes on refreshing. When the program
// ends, the browser shows an error instead of the last state, unless the page
// is paused.
//
// # JSON
//
// With ?format=json, or if the header Accept prefers application/json, the
// answer is an object with "time" and "contexts": what [zmqsafe.Contexts]
// returns, with every socket. ?made_at=dir/file.go:42 selects the sockets that
// one line made, in both formats.
//
// A program that serves net/http/pprof also has the stacks that made its
// sockets, see [zmqsafe.ProfileName].
package debugpage
