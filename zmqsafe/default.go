package zmqsafe

import "sync"

// defaultState is the default context. It is made when it is first used, and
// stays when it is closed: then all that uses it returns ErrorContextClosed, as
// with raw.
type defaultState struct {
	once sync.Once
	ctx  *Context
	err  error
}

var defaultContext = new(defaultState)

// onDefault calls f with the default context. made is where the program asked
// for it.
func onDefault[R any](made site, f func(ctx *Context) (R, error)) (R, error) {
	d := defaultContext
	d.once.Do(func() { d.ctx, d.err = makeContext(made, []Option{asDefault}) })
	if d.err != nil {
		var none R
		return none, d.err
	}
	return f(d.ctx)
}

func asDefault(c *contextState) error {
	c.isDefault = true
	return nil
}

// NewSocket creates a socket in the default context, see Context.NewSocket. The
// default context is made when it is first used, by whatever function, which fails
// as NewContext does if it can't be made.
func NewSocket(t Type) (*Socket, error) {
	ctx, err := onDefault(caller(1), func(ctx *Context) (*Context, error) { return ctx, nil })
	if err != nil {
		return &Socket{}, err
	}
	return ctx.newSocket(t, 1)
}

// Term closes the default context within 5 s, see Context.Close. All that uses it
// fails with ErrorContextClosed afterwards; there is no second one.
func Term() error {
	_, err := onDefault(caller(1), func(ctx *Context) (struct{}, error) { return struct{}{}, ctx.Term() })
	return err
}
