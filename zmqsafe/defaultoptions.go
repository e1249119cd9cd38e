package zmqsafe

// Options of the default context.

// SetIoThreads is Context.SetIoThreads for the default context.
func SetIoThreads(n int) error {
	return setDefault(caller(1), (*Context).SetIoThreads, n)
}

// GetIoThreads is Context.GetIoThreads for the default context.
func GetIoThreads() (int, error) { return onDefault(caller(1), (*Context).GetIoThreads) }

// SetMaxSockets is Context.SetMaxSockets for the default context.
func SetMaxSockets(n int) error {
	return setDefault(caller(1), (*Context).SetMaxSockets, n)
}

// GetMaxSockets is Context.GetMaxSockets for the default context.
func GetMaxSockets() (int, error) { return onDefault(caller(1), (*Context).GetMaxSockets) }

// SetMaxMsgsz is Context.SetMaxMsgsz for the default context.
func SetMaxMsgsz(n int) error { return setDefault(caller(1), (*Context).SetMaxMsgsz, n) }

// GetMaxMsgsz is Context.GetMaxMsgsz for the default context.
func GetMaxMsgsz() (int, error) { return onDefault(caller(1), (*Context).GetMaxMsgsz) }

// SetIpv6 is Context.SetIpv6 for the default context.
func SetIpv6(i bool) error { return setDefault(caller(1), (*Context).SetIpv6, i) }

// GetIpv6 is Context.GetIpv6 for the default context.
func GetIpv6() (bool, error) { return onDefault(caller(1), (*Context).GetIpv6) }

// SetBlocky is Context.SetBlocky for the default context.
func SetBlocky(i bool) error { return setDefault(caller(1), (*Context).SetBlocky, i) }

// GetBlocky is Context.GetBlocky for the default context.
func GetBlocky() (bool, error) { return onDefault(caller(1), (*Context).GetBlocky) }

// SetThreadSchedPolicy is Context.SetThreadSchedPolicy for the default context.
func SetThreadSchedPolicy(n int) error {
	return setDefault(caller(1), (*Context).SetThreadSchedPolicy, n)
}

// SetThreadPriority is Context.SetThreadPriority for the default context.
func SetThreadPriority(n int) error {
	return setDefault(caller(1), (*Context).SetThreadPriority, n)
}

// SetRetryAfterEINTR is Context.SetRetryAfterEINTR for the default context.
func SetRetryAfterEINTR(retry bool) {
	_ = setDefault(caller(1), func(ctx *Context, retry bool) error {
		ctx.SetRetryAfterEINTR(retry)
		return nil
	}, retry)
}

// GetRetryAfterEINTR is Context.GetRetryAfterEINTR for the default context.
func GetRetryAfterEINTR() bool {
	retry, _ := onDefault(caller(1), func(ctx *Context) (bool, error) { return ctx.GetRetryAfterEINTR(), nil })
	return retry
}

func setDefault[V any](made site, setter func(*Context, V) error, v V) error {
	_, err := onDefault(made, func(ctx *Context) (struct{}, error) { return struct{}{}, setter(ctx, v) })
	return err
}
