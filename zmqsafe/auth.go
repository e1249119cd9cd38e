package zmqsafe

import (
	"context"
	"errors"
	"sync"
)

// authenticator is what the Auth functions work on.
type authenticator struct {
	policy authPolicy // outlives the servers

	mu     sync.Mutex
	server *zapServer // guarded by mu; nil unless started
}

var auth = newAuthenticator()

func newAuthenticator() *authenticator { return &authenticator{policy: newAuthPolicy()} }

var errAuthRunning = errors.New("Auth is already running") //lint:ignore ST1005 raw's text

// AuthStart begins to decide, when libzmq asks, which peers may connect to the
// sockets of the default context: by the rules of AuthAllow, AuthDeny,
// AuthPlainAdd and AuthCurveAdd. Without rules all peers are let in that connect
// with NULL, and none with PLAIN or CURVE.
//
// It comes before a server's Bind: where libzmq finds nobody to ask, it lets in
// every peer with NULL or CURVE, and none with PLAIN. For a NULL server it asks
// only if that has a domain, see ServerAuthNull. Rules come before the Bind, too:
// a client that was refused doesn't try again.
//
// A server should bind, not connect. If it connects, and its peer goes away while
// a decision is due and comes back, libzmq 4.3.4 may abort the process
// (stream_engine_base.cpp, zap_msg_available), or take the decision for the next
// peer's.
//
// AuthStart doesn't block. Authentication goes on until AuthStop, after which it
// may be started again, or until the end of the default context. Any goroutine
// may call it.
//
// Errors: one that is no Errno when it is running already; EADDRINUSE when
// something else is bound to inproc://zeromq.zap.01; ErrorContextClosed after
// Term; EMFILE as for NewSocket.
func AuthStart() error {
	made := caller(1)
	_, err := onDefault(made, func(ctx *Context) (struct{}, error) { return struct{}{}, auth.start(ctx, made) })
	if err != nil {
		auth.policy.trace("Not started", "err", err)
	} else {
		auth.policy.trace("Started")
	}
	return err
}

// AuthStop ends what AuthStart began; the rules stay. Peers that libzmq has asked
// about get their answer. It may be called from any goroutine, any number of
// times, and before, while or after the default context is closed.
//
// Afterwards servers that are still open let in peers as before AuthStart. Close
// them first, or close the context, which does it in the right order.
//
// AuthStop never waits for the metadata handler, which may call it. If the
// handler is running, it runs to its end, but what it returns isn't used: its
// peer, and others that wait for the handler, connect again after HANDSHAKE_IVL.
func AuthStop() {
	if auth.stop() {
		auth.policy.trace("Stopped")
	} else {
		auth.policy.trace("Not running, can't stop")
	}
}

func (a *authenticator) start(ctx *Context, made site) error {
	c, err := ctx.core()
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server != nil && a.server.soc.s.reason() == nil {
		return errAuthRunning
	}
	a.server, err = newZapServer(c, made, &a.policy)
	return err
}

// stop reports whether there was something to stop.
func (a *authenticator) stop() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server == nil {
		return false
	}
	a.server.stop()
	<-a.server.done
	a.server = nil
	return true
}

// zapServer decides for one context: a REP, and a goroutine that has it for
// itself and ends when it is closed. The end of the context closes it after the
// program's sockets, so these never let in a peer that nobody decided about.
type zapServer struct {
	soc    *Socket
	policy *authPolicy
	stop   context.CancelFunc
	done   chan struct{} // closed when the goroutine has ended
}

func newZapServer(c *contextState, made site, policy *authPolicy) (*zapServer, error) {
	s, err := c.newSocket(REP, made, true)
	if err != nil {
		return nil, err
	}
	soc := &Socket{s: s}
	// Armed now, it can wait for requests whatever runs out later.
	if err = soc.call((*socketState).arm); err == nil {
		err = soc.Bind(zapEndpoint)
	}
	if err != nil {
		_ = soc.Close()
		if c.isClosing() {
			err = ErrorContextClosed
		}
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	z := &zapServer{soc: soc, policy: policy, stop: stop, done: make(chan struct{})}
	go z.serve(ctx)
	return z, nil
}

// serve answers requests until ctx is done or the context closes the socket.
func (z *zapServer) serve(ctx context.Context) {
	defer close(z.done)
	z.answerAll(ctx, func() ([]string, error) { return z.soc.RecvMessageContext(ctx, 0) })
	// What has been asked by now is answered, too: a peer whose question gets
	// lost is stuck until HANDSHAKE_IVL (30 s) is over.
	_ = z.soc.Unbind(zapEndpoint)
	z.answerAll(ctx, func() ([]string, error) { return z.soc.RecvMessage(DONTWAIT) })
	_ = z.soc.Close()
}

// answerAll answers what receive returns, until it fails. A REP must answer each
// request, or it never receives again. Sending doesn't block: a REP drops what
// its peer has no room for.
func (z *zapServer) answerAll(ctx context.Context, receive func() ([]string, error)) {
	for {
		request, err := receive()
		if err != nil {
			return
		}
		_, _ = z.soc.SendMessage(z.answer(ctx, request).frames(request)...)
	}
}

// answer makes the answer to a request, which may have any form: the program's
// own sockets can connect to the endpoint, too.
func (z *zapServer) answer(ctx context.Context, request []string) zapAnswer {
	r, err := parseZap(request)
	if err != nil {
		z.policy.trace("DENIED (malformed request)", "err", err)
		return zapMalformed
	}
	admitted, why := z.policy.admits(r)
	z.policy.trace(why, r.attributes()...)
	if !admitted {
		return zapNoAccess
	}
	properties, ok := z.properties(ctx, r)
	if !ok {
		return zapTryAgain
	}
	return zapAccess(properties)
}

// properties asks the program's metadata handler. ok is false when the server is
// being stopped, or the handler has ended its goroutine.
func (z *zapServer) properties(ctx context.Context, r zapRequest) (properties map[string]string, ok bool) {
	handler := z.policy.metadataHandler()
	if handler == nil {
		return nil, true
	}
	if ctx.Err() != nil {
		return nil, false
	}
	// On a goroutine of its own, so that stopping never waits for the program.
	result := make(chan map[string]string, 1)
	go func() {
		defer close(result)
		result <- handler(r.version, r.id, r.domain, r.address, r.identity, r.mechanism, r.credentials...)
	}()
	select {
	case properties, ok = <-result:
		return properties, ok
	case <-ctx.Done():
	case <-z.soc.s.gone:
	}
	return nil, false
}
