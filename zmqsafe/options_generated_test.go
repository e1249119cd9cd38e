package zmqsafe

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// Programs use few of the options, so tests of programs touch few of them.
// These tests compare each option with pebbe/zmq4's, with good and bad values.

var allTypes = []Type{REQ, REP, DEALER, ROUTER, PUB, SUB, XPUB, XSUB, PUSH, PULL, PAIR, STREAM}

const (
	goodKey = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7" // Z85
	badKey  = "~~~~~>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
)

// beyondCInt returns ints that a C int can't hold, or none if int is no larger.
func beyondCInt[T any]() (beyond []T) {
	for _, n := range []int64{math.MaxInt32 + 1, 1 << 40} {
		if int64(int(n)) == n {
			beyond = append(beyond, any(int(n)).(T))
		}
	}
	return beyond
}

// optionValues are the values to try with each option, by the type of its
// parameter.
var optionValues = map[reflect.Type][]any{
	reflect.TypeFor[bool]():   {true, false},
	reflect.TypeFor[int64]():  {int64(0), int64(-1), int64(-2), int64(1000), int64(math.MaxInt64), int64(math.MinInt64)},
	reflect.TypeFor[uint64](): {uint64(0), uint64(1), uint64(3), uint64(math.MaxUint64)},
	reflect.TypeFor[int](): append([]any{
		0, 1, 2, -1, -2, 5, 128, 1000, math.MaxUint16 + 1, math.MaxInt32, math.MinInt32, math.MinInt,
	}, beyondCInt[any]()...),
	reflect.TypeFor[string](): {
		"", "abc", "\x00", "a\x00", "a\x00bc", strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat("x", 2000),
		goodKey, goodKey + "\x00", goodKey[:35] + "\x00abcd", goodKey[:39], badKey, strings.Repeat("\x00k", 16),
		"127.0.0.1", "192.168.0.0/16", "1.2.3.4/33", "127.0.0.1\x00/8", "::1", "localhost:1080",
	},
	reflect.TypeFor[time.Duration](): {
		time.Duration(0), time.Duration(1), time.Millisecond, 1500 * time.Microsecond, 150 * time.Millisecond, time.Second, time.Hour,
		time.Duration(-1), time.Duration(-2), -time.Millisecond, -time.Hour,
		math.MaxInt32 * time.Millisecond, math.MaxInt32*time.Millisecond + 1, time.Duration(math.MaxInt64), time.Duration(math.MinInt64),
	},
}

// deviation is a kind of value that pebbe/zmq4 silently replaces with another.
type deviation struct {
	reason string
	is     func(method string, v any) bool
	// instead returns the value with which pebbe/zmq4 does the same, or is nil
	// if the value is refused with EINVAL.
	instead func(v any) any
}

const cutsInts = "raw cuts an int off at 32 bits"

var deviations = []deviation{
	{
		cutsInts, func(_ string, v any) bool {
			n, ok := v.(int)
			return ok && (n < math.MinInt32 || n > math.MaxInt32)
		}, nil,
	},
	{
		"SetLinger: raw cuts what exceeds a C int off; here it is the largest", func(method string, v any) bool {
			d, ok := v.(time.Duration)
			return ok && method == "SetLinger" && d > maxDuration
		}, func(any) any { return maxDuration },
	},
	{
		"raw cuts a duration off at 32 bits of milliseconds", func(_ string, v any) bool {
			d, ok := v.(time.Duration)
			return ok && (d > maxDuration || d < math.MinInt32*time.Millisecond)
		}, nil,
	},
	{
		"raw makes 0 of a negative duration above -1 ms, if it isn't a -1 that means something", func(method string, v any) bool {
			d, ok := v.(time.Duration)
			return ok && d < 0 && d > -time.Millisecond && (d != -1 || !takesMinusOne(method))
		}, nil,
	},
	{
		"libzmq makes 0 of a negative duration above -100 ms", func(method string, v any) bool {
			d, ok := v.(time.Duration)
			return ok && method == "SetHeartbeatTtl" && d < 0 && d > -100*time.Millisecond
		}, nil,
	},
	{
		"raw rounds down to milliseconds", func(_ string, v any) bool {
			d, ok := v.(time.Duration)
			return ok && d > 0 && d%time.Millisecond != 0
		}, func(v any) any { return v.(time.Duration).Truncate(time.Millisecond) + time.Millisecond },
	},
	{
		"each context has a socket of its own, so the program may have one less", func(method string, v any) bool {
			return method == "SetMaxSockets" && v == math.MaxInt32
		}, nil,
	},
	{
		"libzmq reads a text up to a zero byte", func(method string, v any) bool {
			s, ok := v.(string)
			i := strings.IndexByte(s, 0)
			switch {
			case !ok || i < 0 || i == len(s)-1:
				return false
			case strings.HasPrefix(method, "SetCurve"):
				return len(s) != 32
			}
			return slices.Contains([]string{"SetTcpAcceptFilter", "SetSocksProxy", "SetGssapiPrincipal", "SetGssapiServicePrincipal"}, method)
		}, nil,
	},
}

func takesMinusOne(method string) bool {
	return slices.Contains([]string{"SetLinger", "SetRcvtimeo", "SetSndtimeo", "SetReconnectIvl"}, method)
}

// options are the setters and getters of a type or package, by name.
type options map[string]reflect.Value

func optionsOf(object any) options {
	v, o := reflect.ValueOf(object), make(options)
	for i := range v.NumMethod() {
		name := v.Type().Method(i).Name
		isOption := strings.HasPrefix(name, "Get") || strings.HasPrefix(name, "Set")
		if isOption && name != "GetFd" { // GetFd returns a stand-in, see its test
			o[name] = v.Method(i)
		}
	}
	return o
}

// call returns the result of an option, separate from its error.
func (o options) call(name string, args ...any) (value any, err error) {
	in := make([]reflect.Value, len(args))
	for i, arg := range args {
		in[i] = reflect.ValueOf(arg)
	}
	for _, result := range o[name].Call(in) {
		if result.Type() == reflect.TypeFor[error]() {
			err, _ = result.Interface().(error)
		} else {
			value = result.Interface()
		}
	}
	return value, err
}

// optionComparison compares pebbe/zmq4's options with this package's.
type optionComparison struct {
	*testing.T
	what      string
	raw, ours options
	calls     int
	met       map[string]bool // reasons of the deviations that occurred
}

func (c *optionComparison) compare(what string, raw, ours options) {
	c.Helper()
	c.what, c.raw, c.ours = what, raw, ours
	c.getters("at first")
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		require.Contains(c, ours, name)
		if !strings.HasPrefix(name, "Set") {
			continue
		}
		values := optionValues[raw[name].Type().In(0)]
		require.NotEmpty(c, values, "%s: no values for its type", name)
		for _, v := range values {
			c.set(name, v)
		}
		c.getters("after " + name)
	}
}

func (c *optionComparison) getters(when string) {
	c.Helper()
	for name := range c.raw {
		if strings.HasPrefix(name, "Get") {
			want, wantErr := c.raw.call(name)
			got, gotErr := c.ours.call(name)
			assert.Equal(c, want, got, "%s.%s %s", c.what, name, when)
			c.assertSameError(wantErr, gotErr, name+" "+when)
			c.calls++
		}
	}
}

func (c *optionComparison) set(name string, v any) {
	c.Helper()
	call := fmt.Sprintf("%s(%#v)", name, v)
	_, got := c.ours.call(name, v)
	c.calls++
	if got != nil {
		assert.ErrorContains(c, got, name, "%s.%s: an error says what is wrong", c.what, call)
		assert.ErrorContains(c, got, "want ", "%s.%s: an error says what is allowed", c.what, call)
	}
	if i := slices.IndexFunc(deviations, func(d deviation) bool { return d.is(name, v) }); i >= 0 {
		d := deviations[i]
		c.met[d.reason] = true
		if d.instead == nil {
			assert.Equal(c, Errno(syscall.EINVAL), AsErrno(got), "%s.%s: %v; %s", c.what, call, got, d.reason)
			return
		}
		v = d.instead(v)
	}
	_, want := c.raw.call(name, v)
	c.assertSameError(want, got, call)
}

func (c *optionComparison) assertSameError(want, got error, call string) {
	c.Helper()
	same := (want == nil) == (got == nil) && AsErrno(want) == AsErrno(got)
	assert.True(c, same, "%s.%s: raw %v, here %v", c.what, call, want, got)
}

// Each getter returns the same as pebbe/zmq4's, at first and after each setter,
// and each setter accepts and refuses the same values.
func TestOptionsAgreeWithRaw(t *testing.T) {
	c := &optionComparison{T: t, met: make(map[string]bool)}
	rawContext, err := zmq4.NewContext()
	require.NoError(t, err)
	defer func() { require.NoError(t, rawContext.Term()) }()
	ctx := newContext(t)
	for _, typ := range allTypes {
		raw, err := rawContext.NewSocket(typ)
		require.NoError(t, err)
		soc := newSocket(t, ctx, typ)
		require.NoError(t, raw.SetLinger(linger.DefaultDuration))
		require.NoError(t, soc.SetLinger(linger.DefaultDuration))
		c.compare(typ.String(), optionsOf(raw), optionsOf(soc))
		require.NoError(t, raw.SetLinger(0))
		require.NoError(t, raw.Close())
	}

	unused, err := zmq4.NewContext()
	require.NoError(t, err)
	defer func() { require.NoError(t, unused.Term()) }()
	c.compare("Context", optionsOf(unused), optionsOf(newContext(t)))
	if len(beyondCInt[int]()) == 0 {
		c.met[cutsInts] = true // none is too long
	}
	for _, d := range deviations {
		assert.True(t, c.met[d.reason], "stale: %s", d.reason)
	}
	t.Logf("%d calls compared", c.calls)
}

// The same for the default context. pebbe/zmq4's belongs to the process, so the
// test runs in a separate one.
func TestDefaultOptionsAgreeWithRaw(t *testing.T) {
	raw := options{
		"GetBlocky": reflect.ValueOf(zmq4.GetBlocky), "SetBlocky": reflect.ValueOf(zmq4.SetBlocky),
		"GetIoThreads": reflect.ValueOf(zmq4.GetIoThreads), "SetIoThreads": reflect.ValueOf(zmq4.SetIoThreads),
		"GetIpv6": reflect.ValueOf(zmq4.GetIpv6), "SetIpv6": reflect.ValueOf(zmq4.SetIpv6),
		"GetMaxMsgsz": reflect.ValueOf(zmq4.GetMaxMsgsz), "SetMaxMsgsz": reflect.ValueOf(zmq4.SetMaxMsgsz),
		"GetMaxSockets": reflect.ValueOf(zmq4.GetMaxSockets), "SetMaxSockets": reflect.ValueOf(zmq4.SetMaxSockets),
		"GetRetryAfterEINTR": reflect.ValueOf(zmq4.GetRetryAfterEINTR), "SetRetryAfterEINTR": reflect.ValueOf(zmq4.SetRetryAfterEINTR),
		"SetThreadPriority": reflect.ValueOf(zmq4.SetThreadPriority), "SetThreadSchedPolicy": reflect.ValueOf(zmq4.SetThreadSchedPolicy),
	}
	ours := options{
		"GetBlocky": reflect.ValueOf(GetBlocky), "SetBlocky": reflect.ValueOf(SetBlocky),
		"GetIoThreads": reflect.ValueOf(GetIoThreads), "SetIoThreads": reflect.ValueOf(SetIoThreads),
		"GetIpv6": reflect.ValueOf(GetIpv6), "SetIpv6": reflect.ValueOf(SetIpv6),
		"GetMaxMsgsz": reflect.ValueOf(GetMaxMsgsz), "SetMaxMsgsz": reflect.ValueOf(SetMaxMsgsz),
		"GetMaxSockets": reflect.ValueOf(GetMaxSockets), "SetMaxSockets": reflect.ValueOf(SetMaxSockets),
		"GetRetryAfterEINTR": reflect.ValueOf(GetRetryAfterEINTR), "SetRetryAfterEINTR": reflect.ValueOf(SetRetryAfterEINTR),
		"SetThreadPriority": reflect.ValueOf(SetThreadPriority), "SetThreadSchedPolicy": reflect.ValueOf(SetThreadSchedPolicy),
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(optionsOf(&zmq4.Context{}))), slices.Collect(maps.Keys(raw)), "an option isn't tried")
	inChild(t, func() {
		newDefault(t)
		c := &optionComparison{T: t, met: make(map[string]bool)}
		c.compare("default", raw, ours)

		require.NoError(t, zmq4.Term())
		require.NoError(t, Term())
		for name := range raw {
			_, want := raw.call(name, zeroArguments(raw[name])...)
			_, got := ours.call(name, zeroArguments(ours[name])...)
			assert.Equal(t, want, got, "%s after Term", name)
		}
	})
}

func zeroArguments(f reflect.Value) (args []any) {
	for i := range f.Type().NumIn() {
		args = append(args, reflect.Zero(f.Type().In(i)).Interface())
	}
	return args
}
