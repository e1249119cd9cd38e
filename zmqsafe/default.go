package zmqsafe

import "sync"

// NewSocket creates a socket in the default context, see [Context.NewSocket].
// The first call of a function that uses the default context creates it; if
// that fails, the call fails as [NewContext] does.
func NewSocket(t Type) (*Socket, error) {
	ctx, err := onDefault(caller(1), func(ctx *Context) (*Context, error) { return ctx, nil })
	if err != nil {
		return &Socket{}, err
	}
	return ctx.newSocket(t, 1)
}

// Term closes the default context within 5 s, see [Context.Close]. Everything
// that uses it then fails with [ErrorContextClosed]; there is no second one.
func Term() error {
	_, err := onDefault(caller(1), func(ctx *Context) (struct{}, error) { return struct{}{}, ctx.Term() })
	return err
}

// Options of the default context.

// SetIoThreads is [Context.SetIoThreads] for the default context.
func SetIoThreads(n int) error { return setDefault(caller(1), (*Context).SetIoThreads, n) }

// GetIoThreads is [Context.GetIoThreads] for the default context.
func GetIoThreads() (int, error) { return onDefault(caller(1), (*Context).GetIoThreads) }

// SetMaxSockets is [Context.SetMaxSockets] for the default context.
func SetMaxSockets(n int) error { return setDefault(caller(1), (*Context).SetMaxSockets, n) }

// GetMaxSockets is [Context.GetMaxSockets] for the default context.
func GetMaxSockets() (int, error) { return onDefault(caller(1), (*Context).GetMaxSockets) }

// SetMaxMsgsz is [Context.SetMaxMsgsz] for the default context.
func SetMaxMsgsz(n int) error { return setDefault(caller(1), (*Context).SetMaxMsgsz, n) }

// GetMaxMsgsz is [Context.GetMaxMsgsz] for the default context.
func GetMaxMsgsz() (int, error) { return onDefault(caller(1), (*Context).GetMaxMsgsz) }

// SetIpv6 is [Context.SetIpv6] for the default context.
func SetIpv6(i bool) error { return setDefault(caller(1), (*Context).SetIpv6, i) }

// GetIpv6 is [Context.GetIpv6] for the default context.
func GetIpv6() (bool, error) { return onDefault(caller(1), (*Context).GetIpv6) }

// SetBlocky is [Context.SetBlocky] for the default context.
func SetBlocky(i bool) error { return setDefault(caller(1), (*Context).SetBlocky, i) }

// GetBlocky is [Context.GetBlocky] for the default context.
func GetBlocky() (bool, error) { return onDefault(caller(1), (*Context).GetBlocky) }

// SetThreadSchedPolicy is [Context.SetThreadSchedPolicy] for the default
// context.
func SetThreadSchedPolicy(n int) error {
	return setDefault(caller(1), (*Context).SetThreadSchedPolicy, n)
}

// SetThreadPriority is [Context.SetThreadPriority] for the default context.
func SetThreadPriority(n int) error { return setDefault(caller(1), (*Context).SetThreadPriority, n) }

// SetRetryAfterEINTR is [Context.SetRetryAfterEINTR] for the default context.
func SetRetryAfterEINTR(retry bool) {
	_, _ = onDefault(caller(1), func(ctx *Context) (any, error) { ctx.SetRetryAfterEINTR(retry); return nil, nil })
}

// GetRetryAfterEINTR is [Context.GetRetryAfterEINTR] for the default context.
func GetRetryAfterEINTR() bool {
	retry, _ := onDefault(caller(1), func(ctx *Context) (bool, error) { return ctx.GetRetryAfterEINTR(), nil })
	return retry
}

func setDefault[V any](made callSite, setter func(*Context, V) error, v V) error {
	_, err := onDefault(made, func(ctx *Context) (struct{}, error) { return struct{}{}, setter(ctx, v) })
	return err
}

// defaultState is the default context. It is created on first use, and stays
// when it is closed: then everything that uses it returns ErrorContextClosed,
// as in pebbe/zmq4.
type defaultState struct {
	once sync.Once
	ctx  *Context
	err  error
}

var defaultContext = new(defaultState)

// onDefault calls f with the default context. made is the call site in the
// program.
func onDefault[R any](made callSite, f func(ctx *Context) (R, error)) (R, error) {
	d := defaultContext
	d.once.Do(func() {
		asDefault := Option{func(c *contextState) error { c.isDefault = true; return nil }}
		d.ctx, d.err = makeContext(made, []Option{asDefault})
	})
	if d.err != nil {
		var none R
		return none, d.err
	}
	return f(d.ctx)
}
