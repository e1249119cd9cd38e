package zmqsafe

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// NewSocket fails exactly where raw aborts the process, and the error says why.
// Each case is a process of its own.
func TestScheduling(t *testing.T) {
	if isChild(t) {
		schedulingChild(t)
		return
	}
	failed := 0
	for _, tt := range []struct{ who, policy, priority string }{
		{"privileged", "", ""},
		{"privileged", "1", "10"}, // SCHED_FIFO as it should be
		{"privileged", "1", ""},
		{"privileged", "2", "100"}, // SCHED_RR
		{"privileged", "", "10"},   // for the nice value
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
		assert.Contains(t, raw, "(src/thread.cpp:", "%v: %s", tt, raw)
		assert.Contains(t, ours, "NewSocket: SetThreadSchedPolicy(", "%v: raw aborts, here %s", tt, ours)
	}
	assert.NotZero(t, failed)
}

// schedulingChild prints what becomes of a first socket.
func schedulingChild(t *testing.T) {
	switch os.Getenv("WHO") {
	case "unprivileged":
		if os.Geteuid() == 0 {
			require.NoError(t, syscall.Setuid(65534))
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
