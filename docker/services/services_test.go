package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// network is a sender, a broker and a receiver on an address of their own, and
// their counts.
type network struct {
	*counts
	args func(role string) []string
}

func newNetwork(t *testing.T, mode string) network {
	t.Helper()
	dir := t.TempDir()
	host := fmt.Sprintf("tcp://127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(255), 1+rand.IntN(254))
	at := map[string][]string{
		"sender":   {"-out", host + ":5557"},
		"broker":   {"-in", host + ":5557", "-out", host + ":5558"},
		"receiver": {"-in", host + ":5558"},
	}
	return network{open(t, dir), func(role string) []string {
		return slices.Concat([]string{role, "-mode", mode, "-counts", dir}, at[role])
	}}
}

// service is a process of one of them.
type service struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
}

// start starts services, which are killed after limit.
func (n network) start(t *testing.T, roles ...string) (started []*service) {
	t.Helper()
	bound, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	for _, role := range roles {
		s := &service{cmd: exec.CommandContext(bound, os.Args[0], n.args(role)...)}
		s.cmd.Env = append(os.Environ(), childVariable+"=1", "GORACE=atexit_sleep_ms=0") // it would sleep a second
		s.cmd.Stderr = &s.stderr
		require.NoError(t, s.cmd.Start())
		t.Cleanup(func() {
			cancel()
			_ = s.cmd.Wait() // unless the test has
		})
		started = append(started, s)
	}
	return started
}

func (n network) flows(t *testing.T) {
	t.Helper()
	require.True(t, waitFlow(n.counts, time.Now().Add(limit)), n.counts)
}

func (n network) still(t *testing.T) {
	t.Helper()
	require.True(t, waitStill(n.counts, time.Now().Add(limit)), n.counts)
}

// settles waits until the counts are as they have to be. What a busy system is
// still busy with isn't lost.
func (n network) settles(t *testing.T, as func() bool) {
	t.Helper()
	require.Eventually(t, as, limit, lookEvery, n.counts)
}

func (s *service) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	require.NoError(t, s.cmd.Process.Signal(sig))
}

// end waits until the service has ended, with status 0.
func (s *service) end(t *testing.T) {
	t.Helper()
	_ = s.cmd.Wait()
	require.Equal(t, 0, s.cmd.ProcessState.ExitCode(), "%v\n%s", s.cmd.ProcessState, &s.stderr)
}

func TestTheSenderIsStoppedInFullFlow(t *testing.T) {
	for _, mode := range []string{"raw", "guarded"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, mode)
			sender := n.start(t, "receiver", "broker", "sender")[2]
			n.flows(t)
			sender.signal(t, syscall.SIGTERM)
			sender.end(t)
			n.settles(t, func() bool { return n.lost(0) == 0 })
		})
	}
}

func TestAllAreStoppedAfterTheReceiverWasKilled(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, "guarded")
	all := n.start(t, "receiver", "broker", "sender")
	n.flows(t)
	all[0].signal(t, syscall.SIGKILL)
	_ = all[0].cmd.Wait()
	before := n.delivered.Load()
	assert.GreaterOrEqual(t, before, uint64(flowing), "what was counted is still there")
	all[0] = n.start(t, "receiver")[0]
	n.flows(t)
	for _, s := range all {
		s.signal(t, syscall.SIGTERM)
	}
	for _, s := range all {
		s.end(t)
	}
	first := n.first.Load() - 1
	assert.GreaterOrEqual(t, first, before)
	assert.Zero(t, n.lost(first), n.counts)
	assert.Equal(t, n.taken.Load(), n.forwarded.Load())
}

func TestTheBrokerIsStoppedInFullFlow(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, "guarded")
	broker := n.start(t, "receiver", "broker", "sender")[1]
	n.flows(t)
	broker.signal(t, syscall.SIGTERM)
	broker.end(t)
	assert.Equal(t, n.taken.Load(), n.forwarded.Load())
	n.settles(t, func() bool { return n.taken.Load() == n.delivered.Load() })          // all that the broker has taken, and no more
	n.settles(t, func() bool { return n.lost(0) == n.accepted.Load()-n.taken.Load() }) // those that are missing are the last
}

func TestNobodyTakesWhatTheSenderAndTheBrokerHave(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, "guarded")
	both := n.start(t, "broker", "sender")
	require.Eventually(t, func() bool { return n.accepted.Load() > 0 }, limit, time.Millisecond)
	n.still(t)
	for _, s := range slices.Backward(both) {
		s.signal(t, syscall.SIGTERM)
		s.end(t) // not with the status of the deadline
	}
	assert.Regexp(t, `LINGER ran out; unsent messages may be lost .*ran_out="PUSH socket`, both[1].stderr.String())
	assert.Equal(t, n.taken.Load(), n.forwarded.Load())
}

func TestTheSenderGoesOnCountingWhereItWasKilled(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, "guarded")
	sender := n.start(t, "receiver", "broker", "sender")[2]
	n.flows(t)
	sender.signal(t, syscall.SIGKILL)
	_ = sender.cmd.Wait()
	n.still(t)
	accepted := n.accepted.Load()
	n.start(t, "sender")
	n.flows(t)
	assert.Greater(t, n.accepted.Load(), accepted)
	assert.LessOrEqual(t, n.duplicates.Load(), uint64(1), "the one that was accepted and not counted yet")
}
