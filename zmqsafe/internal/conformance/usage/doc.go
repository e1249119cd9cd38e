// Package usage has tests that use sockets as programs in the field do. They
// run on zmqsafe here, and the tests of package conformance run them on
// pebbe/zmq4.
package usage
