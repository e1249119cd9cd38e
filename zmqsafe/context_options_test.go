package zmqsafe

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestContextOptions(t *testing.T) {
	for name, option := range map[string]Option{
		"close timeout": WithCloseTimeout(0), "negative": WithCloseTimeout(-1), "logger": WithLogger(nil),
	} {
		_, err := NewContextWith(option)
		assert.ErrorIs(t, err, Errno(syscall.EINVAL), name)
	}
	ctx := newContext(t)
	tests := []struct {
		name string
		set  func(int) error
		get  func() (int, error)
		good int
		bad  []int
	}{
		{"SetIoThreads", ctx.SetIoThreads, ctx.GetIoThreads, 2, append(beyondCInt[int](), -1)},
		{"SetMaxSockets", ctx.SetMaxSockets, ctx.GetMaxSockets, 77, append(beyondCInt[int](), -1, 0, math.MaxInt32)},
		{"SetMaxMsgsz", ctx.SetMaxMsgsz, ctx.GetMaxMsgsz, 1000, append(beyondCInt[int](), -1)},
	}
	for _, tt := range tests {
		require.NoError(t, tt.set(tt.good), tt.name)
		for _, bad := range tt.bad {
			err := tt.set(bad)
			assert.ErrorIs(t, err, Errno(syscall.EINVAL), "%s(%d)", tt.name, bad)
			assert.ErrorContains(t, err, tt.name)
		}
		n, err := tt.get()
		require.NoError(t, err)
		assert.Equal(t, tt.good, n, tt.name)
	}
	require.NoError(t, ctx.SetIpv6(true))
	on, err := ctx.GetIpv6()
	require.NoError(t, err)
	assert.True(t, on)
	blocky, err := ctx.GetBlocky()
	require.NoError(t, err)
	assert.True(t, blocky)
}

// NewSocket fails exactly if pebbe/zmq4 aborts the process, and the error says
// why. Each case runs in its own process.
func TestScheduling(t *testing.T) {
	if isChild(t) {
		schedulingChild(t)
		return
	}
	failed := 0
	for _, tt := range []struct{ who, policy, priority string }{
		{"privileged", "", ""},
		{"privileged", "1", "10"}, // SCHED_FIFO, used correctly
		{"privileged", "1", ""},
		{"privileged", "2", "100"}, // SCHED_RR
		{"privileged", "", "10"},   // lowers the nice value
		{"privileged", "6", ""},    // SCHED_DEADLINE
		{"privileged", "77", ""},
		{"unprivileged", "0", ""}, // SCHED_OTHER
		{"unprivileged", "1", "10"},
		{"unprivileged", "3", ""}, // SCHED_BATCH
		{"unprivileged", "0", "10"},
		{"nice 19", "", "10"}, // libzmq takes the new nice value of -1 for an error
		{"nice 19", "1", "10"},
	} {
		environment := []string{"WHO=" + tt.who, "POLICY=" + tt.policy, "PRIORITY=" + tt.priority}
		raw, rawErr := runChild(t, append(environment, "RAW=1")...)
		ours, err := runChild(t, environment...)
		require.NoError(t, err, "%v: %s", tt, ours)
		if rawErr == nil {
			assert.Contains(t, ours, "works", "%v: raw works, here %s", tt, ours)
			continue
		}
		failed++
		assert.Contains(t, raw, "src/thread.cpp:", "%v: %s", tt, raw)
		assert.Contains(t, ours, "NewSocket: SetThreadSchedPolicy(", "%v: raw aborts, here %s", tt, ours)
	}
	assert.NotZero(t, failed)
}

// schedulingChild prints whether a first socket works.
func schedulingChild(t *testing.T) {
	switch os.Getenv("WHO") {
	case "unprivileged":
		// Root of a user namespace has no privileges here, and there may be no
		// other user in it.
		if os.Geteuid() == 0 {
			if err := syscall.Setuid(65534); err != syscall.EINVAL {
				require.NoError(t, err)
			}
		}
	case "nice 19":
		threads, err := os.ReadDir("/proc/self/task")
		require.NoError(t, err)
		for _, thread := range threads {
			id, err := strconv.Atoi(thread.Name())
			require.NoError(t, err)
			require.NoError(t, syscall.Setpriority(syscall.PRIO_PROCESS, id, 19))
		}
	}
	type context interface {
		SetThreadSchedPolicy(int) error
		SetThreadPriority(int) error
	}
	prepare := func(ctx context) {
		if n, err := strconv.Atoi(os.Getenv("POLICY")); err == nil {
			require.NoError(t, ctx.SetThreadSchedPolicy(n))
		}
		if n, err := strconv.Atoi(os.Getenv("PRIORITY")); err == nil {
			require.NoError(t, ctx.SetThreadPriority(n))
		}
	}
	if os.Getenv("RAW") != "" {
		ctx, err := zmq4.NewContext()
		require.NoError(t, err)
		prepare(ctx)
		soc, err := ctx.NewSocket(zmq4.PAIR)
		require.NoError(t, err)
		require.NoError(t, soc.Close())
		require.NoError(t, ctx.Term())
		return
	}
	ctx := newContext(t)
	prepare(ctx)
	soc, err := ctx.NewSocket(PAIR)
	if err == nil {
		require.NoError(t, soc.Close())
		fmt.Println("works")
		return
	}
	assert.True(t, AsErrno(err) == Errno(syscall.EPERM) || AsErrno(err) == Errno(syscall.EINVAL), "%v", err)
	assert.False(t, strings.Contains(err.Error(), "\n"))
	fmt.Println(err)
}

func TestSchedulingIsOfOneContext(t *testing.T) {
	ctx := newContext(t)
	require.NoError(t, ctx.SetThreadSchedPolicy(77))
	for range 2 {
		_, err := ctx.NewSocket(PAIR)
		assert.Equal(t, Errno(syscall.EINVAL), AsErrno(err))
		assert.ErrorContains(t, err, "SetThreadSchedPolicy(77)")
	}
	newSocket(t, newContext(t), PAIR)
}
