package zmqsafe

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// libzmq's memory is given back, of small parts and of large ones.
func TestReceivingLeaksNoMemory(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	exchange := func(size, total int) {
		data := bytes.Repeat([]byte{1}, size)
		for range total / size {
			_, err := push.SendBytes(data, 0)
			require.NoError(t, err)
			_, err = pull.RecvBytes(0)
			require.NoError(t, err)
		}
	}
	for _, size := range []int{smallPart, 1 << 20} {
		// Much more than what Go and the race detector come to need for the same.
		const total = 512 << 20
		exchange(size, total/4)
		before := residentMemory(t)
		exchange(size, total)
		assert.Less(t, residentMemory(t)-before, total/2, "messages of %d bytes", size)
	}
}

func residentMemory(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory() // Go's own share
	statm, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	require.NoError(t, err)
	return pages * os.Getpagesize()
}
