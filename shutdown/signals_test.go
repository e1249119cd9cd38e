//go:build unix

package shutdown

import (
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
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
