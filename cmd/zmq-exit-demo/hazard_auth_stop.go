package main

import (
	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var authStop = hazard{
	ID:    "auth-stop",
	Title: "the default context is terminated while authentication is on",
	Raw:   authStopRaw, Guarded: authStopGuarded,
	Explain: `In libzmq
  1. A server that authenticates asks a handler about each new connection, over the
     inproc endpoint "zeromq.zap.01" (session_base_t::zap_connect, session_base.cpp;
     zap_client.cpp). AuthStart of pebbe/zmq4 is such a handler. It makes two sockets in
     the default context: a REP that answers on a goroutine of its own, and a REQ that
     AuthStop uses to tell that goroutine to end.
  2. zmq_ctx_term, in ctx_t::terminate (ctx.cpp), sends a stop command to every
     socket. The goroutine is in zmq_msg_recv on the REP, gets ETERM, closes the REP,
     and ends.
  3. The REQ is used by nobody, so nobody notices. Only AuthStop would close it. The
     reaper thread says "done" when the last socket is gone (reaper_t::process_reaped,
     reaper.cpp), and zmq_ctx_term waits for that without a limit.
  4. "defer zmq4.AuthStop()" doesn't help, since Term comes first and never returns.
     It has to be called before Term, or while Term waits, from another goroutine.

What the guard does
  AuthStart makes one socket, which the default context knows as it knows all
  others. Term closes it after the program's own, so that no peer is let in that
  nobody decided about. This ends the handler. Then it terminates.
`,
}

func authStopRaw() error {
	if err := zmq4.AuthStart(); err != nil {
		return err
	}
	zmq4.AuthPlainAdd("office", "user", "password")
	server, err := zmq4.NewSocket(zmq4.PULL)
	if err != nil {
		return err
	}
	if err := server.ServerAuthPlain("office"); err != nil {
		return err
	}
	if err := server.Bind("tcp://127.0.0.1:*"); err != nil {
		return err
	}
	endpoint, err := server.GetLastEndpoint()
	if err != nil {
		return err
	}
	client, err := zmq4.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	if err := client.ClientAuthPlain("user", "password"); err != nil {
		return err
	}
	if err := client.Connect(endpoint); err != nil {
		return err
	}
	if _, err := client.Send("a message", 0); err != nil {
		return err
	}
	if _, err := server.Recv(0); err != nil {
		return err
	}

	if err := client.Close(); err != nil {
		return err
	}
	if err := server.Close(); err != nil {
		return err
	}
	return zmq4.Term()
}

func authStopGuarded() error {
	if err := zmqsafe.AuthStart(); err != nil {
		return err
	}
	zmqsafe.AuthPlainAdd("office", "user", "password")
	server, err := zmqsafe.NewSocket(zmqsafe.PULL)
	if err != nil {
		return err
	}
	if err := server.ServerAuthPlain("office"); err != nil {
		return err
	}
	if err := server.Bind("tcp://127.0.0.1:*"); err != nil {
		return err
	}
	endpoint, err := server.GetLastEndpoint()
	if err != nil {
		return err
	}
	client, err := zmqsafe.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	if err := client.ClientAuthPlain("user", "password"); err != nil {
		return err
	}
	if err := client.Connect(endpoint); err != nil {
		return err
	}
	if _, err := client.Send("a message", 0); err != nil {
		return err
	}
	if _, err := server.Recv(0); err != nil {
		return err
	}

	if err := client.Close(); err != nil {
		return err
	}
	if err := server.Close(); err != nil {
		return err
	}
	return zmqsafe.Term()
}
