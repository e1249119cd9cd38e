//go:build unix

package shutdown

import (
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
	g.watch(nil)() // for signal.Notify that would be all of them
	assert.NoError(t, g.Context().Err())
	assert.NoError(t, g.Shutdown(bg))
}

// That comes while Main goes over from its own signals to those of setup.
func TestASignalThatComesRightBeforeTheEndIsObeyed(t *testing.T) {
	for range 30 {
		var g Group
		caught, end := make(chan os.Signal, 2), make(chan struct{})
		caught <- syscall.SIGTERM
		close(end)
		g.obey(caught, nil, end, nil)
		assert.Error(t, g.Context().Err())
		assert.NoError(t, g.Shutdown(bg))
	}
}

func TestWhichSignalIsTheSecond(t *testing.T) {
	const term, intr, cont, ms = syscall.SIGTERM, syscall.SIGINT, syscall.SIGCONT, time.Millisecond
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
		{"one, and SIGCONT as systemd sends it", []event{{0, term}, {0, cont}}, nil},
		{"two", []event{{0, term}, {time.Second, term}}, []time.Duration{time.Second}},
		{"two, very soon", []event{{0, term}, {ms, term}}, []time.Duration{ms + burst}},
		{"two kinds, very soon", []event{{0, term}, {ms, intr}}, []time.Duration{ms}},
		{"GNU timeout", []event{{0, term}, {ms, term}, {ms, cont}, {0, cont}}, nil},
		{"GNU timeout, then one more", []event{{0, term}, {ms, term}, {ms, cont}, {time.Second, term}}, []time.Duration{time.Second + 2*ms}},
		{"SIGCONT from before", []event{{0, cont}, {time.Second, term}, {ms, term}}, []time.Duration{time.Second + ms + burst}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *Group) {
				caught, continued, end := make(chan os.Signal, 2), make(chan os.Signal, 1), make(chan struct{})
				began := time.Now()
				var forced []time.Duration
				go g.obey(caught, continued, end, func(os.Signal) { forced = append(forced, time.Since(began)) })
				for _, e := range tt.events {
					time.Sleep(e.after)
					if e.sig != cont {
						caught <- e.sig
					} else {
						select {
						case continued <- e.sig:
						default: // as signal.Notify does
						}
					}
					synctest.Wait()
				}
				time.Sleep(time.Minute)
				close(end)
				synctest.Wait()
				assert.Equal(t, tt.want, forced)
				assert.EqualError(t, g.Report().Cause, "shutdown: received signal: terminated")
				require.NoError(t, g.Shutdown(bg))
			})
		})
	}
}
