package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func open(t *testing.T, dir string) *counts {
	t.Helper()
	c, err := openCounts(dir)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.close()) })
	return c
}

// deliver records messages as delivered, from one number on and before another.
func deliver(t *testing.T, c *counts, from, before uint64) {
	t.Helper()
	for n := from; n < before; n++ {
		require.NoError(t, c.note(binary.BigEndian.AppendUint64(nil, n)))
	}
}

func TestCounts(t *testing.T) {
	dir := t.TempDir()
	sender, receiver := open(t, dir), open(t, dir)
	assert.Equal(t, "accepted=0 taken=0 forwarded=0 delivered=0 duplicates=0 lost=0 first=none lost_live=0", sender.String())
	for range 100 {
		deliver(t, receiver, sender.accepted.Load(), sender.accepted.Load()+1)
		sender.accepted.Add(1)
	}
	assert.Equal(t, "accepted=100 taken=0 forwarded=0 delivered=100 duplicates=0 lost=0 first=0 lost_live=0", sender.String())

	again := open(t, dir) // the receiver was killed, and started again
	sender.accepted.Store(200)
	deliver(t, again, 131, 171)
	deliver(t, again, 173, 200)
	deliver(t, again, 150, 152)
	assert.Equal(t, "accepted=200 taken=0 forwarded=0 delivered=167 duplicates=2 lost=33 first=131 lost_live=2", sender.String())
}

func TestLostCountsEachBit(t *testing.T) {
	c := open(t, t.TempDir())
	deliver(t, c, 0, 5)
	deliver(t, c, 6, 13)
	deliver(t, c, 14, 30)
	for accepted := range uint64(40) {
		c.accepted.Store(accepted)
		for from := range accepted {
			want := uint64(0)
			for n := from; n < accepted; n++ {
				if n == 5 || n == 13 || n >= 30 {
					want++
				}
			}
			require.Equal(t, want, c.lost(from), "%d to %d", from, accepted)
		}
	}
}

func TestWhatIsNoNumber(t *testing.T) {
	c := open(t, t.TempDir())
	assert.EqualError(t, c.note([]byte("hello")), "a message of 5 bytes was received: want the 8 of a number")
	assert.ErrorContains(t, c.note(binary.BigEndian.AppendUint64(nil, maxNumber)), "want a number less than 8589934592")
	assert.Zero(t, c.delivered.Load())
}

func TestTheFileIsSparse(t *testing.T) {
	dir := t.TempDir()
	deliver(t, open(t, dir), maxNumber-1, maxNumber)
	info, err := os.Stat(filepath.Join(dir, "counts"))
	require.NoError(t, err)
	assert.Less(t, info.Sys().(*syscall.Stat_t).Blocks*512, int64(1<<20), "bytes")
}
