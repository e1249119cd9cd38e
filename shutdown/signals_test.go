//go:build unix

package shutdown

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSignalsThatCantBeCaught(t *testing.T) {
	refused := []os.Signal{
		nil, os.Kill, syscall.SIGSTOP, syscall.SIGURG,
		syscall.Signal(-1), syscall.Signal(0), syscall.Signal(65),
	}
	if runtime.GOOS == "linux" {
		refused = append(refused, syscall.Signal(32), syscall.Signal(33), syscall.Signal(34))
	}
	for _, sig := range refused {
		assert.Error(t, checkSignal(sig), "%v", sig)
	}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.Signal(35), syscall.Signal(64)} {
		assert.NoError(t, checkSignal(sig), "%v", sig)
	}
}

func TestNoSignalsAreCaughtWhenNoneAreAskedFor(t *testing.T) {
	var g Group
	g.watch(nil)() // signal.Notify would catch all of them
	assert.NoError(t, g.Context().Err())
	assert.NoError(t, g.Shutdown(bg))
}

// It may arrive while Main changes from its own signals to those of setup.
func TestASignalRightBeforeTheEndIsHandled(t *testing.T) {
	for range 30 {
		var g Group
		caught := make(chan os.Signal, 2)
		caught <- syscall.SIGTERM
		close(caught)
		g.handle(caught, nil)
		assert.Error(t, g.Context().Err())
		assert.NoError(t, g.Shutdown(bg))
	}
}

func TestWhichSignalIsTheSecond(t *testing.T) {
	const term, intr, ms = syscall.SIGTERM, syscall.SIGINT, time.Millisecond
	type event struct {
		after time.Duration
		sig   syscall.Signal
	}
	tests := []struct {
		name   string
		events []event
		want   []time.Duration // when the end is forced
	}{
		{"one", []event{{0, term}}, nil},
		{"two", []event{{0, term}, {time.Second, term}}, []time.Duration{time.Second}},
		{"two, right after the burst", []event{{0, term}, {burst, term}}, []time.Duration{burst}},
		{"two in a burst", []event{{0, term}, {burst - 1, term}}, nil},
		{"two kinds in a burst", []event{{0, term}, {ms, intr}}, []time.Duration{ms}},
		{"three in a burst", []event{{0, term}, {ms, term}, {ms, term}}, nil},
		{"two in a burst, then one more", []event{{0, term}, {ms, term}, {time.Second, term}}, []time.Duration{time.Second + ms}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *Group) {
				caught := make(chan os.Signal, 2)
				began := time.Now()
				var forced []time.Duration
				go g.handle(caught, func(os.Signal) { forced = append(forced, time.Since(began)) })
				for _, e := range tt.events {
					time.Sleep(e.after)
					caught <- e.sig
					synctest.Wait()
				}
				time.Sleep(time.Minute)
				close(caught)
				synctest.Wait()
				assert.Equal(t, tt.want, forced)
				assert.EqualError(t, g.Report().Cause, "shutdown: received signal: terminated")
				require.NoError(t, g.Shutdown(bg))
			})
		})
	}
}

func TestTheFirstSignalIsACleanStop(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			c := start(t, "waits", "ready")
			c.signal(t, sig)
			assert.Equal(t, []string{"closed"}, c.end(t, 0))
			assert.Empty(t, c.stderr.String())
		})
	}
}

func TestTheSecondSignalEndsAtOnce(t *testing.T) {
	for _, second := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(second.String(), func(t *testing.T) {
			c := start(t, "step hangs", "ready")
			c.signal(t, syscall.SIGTERM)
			c.expect(t, "hangs")
			go c.insist(second)
			c.end(t, 128+int(second)) // the deadline has another status
			assert.Contains(t, c.stderr.String(), fmt.Sprintf(
				`level=WARN msg="shutdown: second signal: ending at once" signal=%s status=%d workers=[] steps="[hangs zmq]"`,
				second.String(), 128+int(second)))
		})
	}
}

// GNU timeout sends its signals like this.
func TestASignalToProcessAndGroupIsOne(t *testing.T) {
	for range 5 {
		c := start(t, "long burst", "ready")
		c.signal(t, syscall.SIGTERM)
		c.signal(t, syscall.SIGTERM)
		c.signal(t, syscall.SIGCONT)
		c.end(t, 0)
	}
}

func TestASignalInSetup(t *testing.T) {
	c := start(t, "setup obeys", "ready")
	c.signal(t, syscall.SIGTERM)
	assert.Equal(t, []string{"closed"}, c.end(t, 0))
}

func TestASetupThatHangsIsForced(t *testing.T) {
	c := start(t, "setup hangs", "ready")
	go c.insist(syscall.SIGTERM)
	c.end(t, 128+15)
}

func TestSignalsOfSetup(t *testing.T) {
	c := start(t, "SIGQUIT only", "waiting")
	c.signal(t, syscall.SIGQUIT)
	assert.Equal(t, []string{"closed"}, c.end(t, 0))

	c = start(t, "SIGQUIT only", "waiting")
	c.signal(t, syscall.SIGTERM)
	c.end(t, -1)
	assert.Equal(t, syscall.SIGTERM, c.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
}

func TestAnIgnoredSignalStaysIgnored(t *testing.T) {
	c := start(t, "ignores SIGINT", "waiting")
	c.signal(t, syscall.SIGINT)
	c.signal(t, syscall.SIGTERM)
	assert.Equal(t, []string{"shutdown: received signal: terminated"}, c.end(t, 0))
}

func TestRunGivesTheSignalsBack(t *testing.T) {
	c := start(t, "gives signals back", "waiting")
	c.signal(t, syscall.SIGTERM)
	c.expect(t, "back")
	c.signal(t, syscall.SIGTERM)
	c.end(t, -1)
	assert.Equal(t, syscall.SIGTERM, c.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
}
