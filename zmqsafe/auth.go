package zmqsafe

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/lockorder"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/zap"
)

// zapEndpoint is where libzmq sends its requests, in each context.
const zapEndpoint = "inproc://zeromq.zap.01"

// authenticator is what the Auth functions share. AuthStop ends only the
// server.
type authenticator struct {
	policy  *zap.Policy
	handler atomic.Value // a metadataHandler
	verbose atomic.Bool

	mu     lockorder.Mutex[lockorder.Authenticator]
	server *zapServer // guarded by mu; nil unless started
}

type metadataHandler func(version, requestID, domain, address, identity, mechanism string, credentials ...string) map[string]string

var auth = newAuthenticator()

func newAuthenticator() *authenticator { return &authenticator{policy: zap.NewPolicy()} }

var errAuthRunning = errors.New("Auth is already running") //lint:ignore ST1005 the text of pebbe/zmq4

// AuthStart starts authentication. The rules of [AuthAllow], [AuthDeny],
// [AuthPlainAdd] and [AuthCurveAdd] then decide which peers may connect to the
// sockets of the default context. Without rules all peers with NULL are
// admitted, and none with PLAIN or CURVE. Authentication ends with the default
// context, or with [AuthStop], after which it may be started again.
//
// Call it before a server's [Socket.Bind]: until then libzmq admits every peer
// with NULL or CURVE, and none with PLAIN. A NULL server takes part only if it
// has a domain, see [Socket.ServerAuthNull]. Set the rules before Bind, too: a
// client that was refused does not try again.
//
// A server should bind, not connect. If it connects, and its peer goes away
// before the decision and comes back, libzmq 4.3.4 may abort the process, or
// apply the decision to the next peer (stream_engine_base.cpp).
//
// Errors: one that is no [Errno] if it is running already; EADDRINUSE if
// something else is bound to inproc://zeromq.zap.01; [ErrorContextClosed] after
// [Term]; EMFILE as for [NewSocket].
func AuthStart() error {
	made := caller(1)
	_, err := onDefault(made, func(ctx *Context) (struct{}, error) { return struct{}{}, auth.start(ctx, made) })
	if err != nil {
		auth.log().Info("zmqsafe: authentication: not started", "err", err)
	} else {
		auth.log().Info("zmqsafe: authentication: started")
	}
	return err
}

// AuthStop ends what [AuthStart] began; the rules stay. Peers that libzmq has
// asked about get their answer. It may be called any number of times, before,
// during or after the close of the default context.
//
// Afterwards servers that are still open admit peers as before AuthStart. Close
// them first, or close the context, which does it in the right order.
//
// AuthStop never waits for the metadata handler, which may call it. If the
// handler is running, it runs to its end, but its result is not used: its peer
// and others that wait for the handler connect again after HANDSHAKE_IVL.
func AuthStop() {
	if auth.stop() {
		auth.log().Info("zmqsafe: authentication: stopped")
	} else {
		auth.log().Info("zmqsafe: authentication: not running, nothing to stop")
	}
}

// log returns where to log what AuthSetVerbose enables.
func (a *authenticator) log() *slog.Logger {
	if a.verbose.Load() {
		return defaultLogger()
	}
	return silent
}

func (a *authenticator) start(ctx *Context, made callSite) error {
	c, err := ctx.core()
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server != nil && a.server.soc.s.Err() == nil {
		return errAuthRunning
	}
	a.server, err = newZapServer(c, made, a)
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

// zapServer decides for one context. Its goroutine alone uses its REP, and ends
// when that is closed. A context that is closed closes the REP after the
// program's sockets, so these never admit a peer that nobody checked.
type zapServer struct {
	soc  *Socket
	auth *authenticator
	stop context.CancelFunc
	done chan struct{} // closed when the goroutine has ended
}

func newZapServer(c *contextState, made callSite, a *authenticator) (*zapServer, error) {
	s, err := c.newSocket(REP, made, true)
	if err != nil {
		return nil, err
	}
	soc := &Socket{s: s}
	// Armed now, it can wait for requests whatever runs out later.
	if err = soc.call((*socketState).Arm); err == nil {
		err = soc.Bind(zapEndpoint)
	}
	if err != nil {
		_ = soc.Close()
		if c.current() != open {
			err = ErrorContextClosed
		}
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	z := &zapServer{soc: soc, auth: a, stop: stop, done: make(chan struct{})}
	go z.serve(ctx)
	return z, nil
}

// serve answers requests until ctx is done or the context closes the socket.
func (z *zapServer) serve(ctx context.Context) {
	defer close(z.done)
	z.answerAll(ctx, func() ([]string, error) { return z.soc.RecvMessageContext(ctx, 0) })
	// Requests that are already there are answered, too: a peer whose request
	// gets lost is stuck until HANDSHAKE_IVL (30 s) is over.
	_ = z.soc.Unbind(zapEndpoint)
	z.answerAll(ctx, func() ([]string, error) { return z.soc.RecvMessage(DONTWAIT) })
	_ = z.soc.Close()
}

// answerAll answers what receive returns, until it fails. A REP must answer
// each request before it receives again. It drops what its peer has no room
// for, so sending does not block.
func (z *zapServer) answerAll(ctx context.Context, receive func() ([]string, error)) {
	for {
		request, err := receive()
		if err != nil {
			return
		}
		_, _ = z.soc.SendMessage(z.answer(ctx, request).Frames(request))
	}
}

// answer decides about a request, which may have any form: the program's own
// sockets can connect to the endpoint, too. Once ctx is done, somebody waits
// for the server, and it doesn't wait for the logger.
func (z *zapServer) answer(ctx context.Context, request []string) zap.Answer {
	r, err := zap.Parse(request)
	if err != nil {
		z.auth.log().InfoContext(ctx, "zmqsafe: authentication: malformed request", "err", err)
		return zap.Malformed
	}
	if reason := z.auth.policy.Check(r); reason != nil {
		z.auth.log().InfoContext(ctx, "zmqsafe: authentication: peer refused", append(r.Attributes(), "reason", reason)...)
		return zap.NoAccess
	}
	z.auth.log().InfoContext(ctx, "zmqsafe: authentication: peer admitted", r.Attributes()...)
	properties, ok := z.properties(ctx, r)
	if !ok {
		return zap.TryAgain
	}
	answer, err := zap.OK(properties)
	if err != nil {
		defaultLogger().WarnContext(ctx, "zmqsafe: authentication: property of the metadata handler left out", "err", err)
	}
	return answer
}

// properties asks the program's metadata handler. ok is false if the server is
// being stopped, or if the handler has ended its goroutine.
func (z *zapServer) properties(ctx context.Context, r zap.Request) (properties map[string]string, ok bool) {
	handler, _ := z.auth.handler.Load().(metadataHandler)
	if handler == nil {
		return nil, true
	}
	if ctx.Err() != nil {
		return nil, false
	}
	// It has its own goroutine: stopping never waits for the program.
	result := make(chan map[string]string, 1)
	go func() {
		defer close(result)
		result <- handler(r.Version, r.ID, r.Domain, r.Address, r.Identity, r.Mechanism, r.Credentials...)
	}()
	select {
	case properties, ok = <-result:
		return properties, ok
	case <-ctx.Done():
	case <-z.soc.s.Done():
	}
	return nil, false
}
