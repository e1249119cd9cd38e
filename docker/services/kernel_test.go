package main

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheKernelIsWaitedFor(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	sender, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	receiver, err := listener.Accept()
	require.NoError(t, err)
	defer receiver.Close()

	require.NoError(t, sender.SetWriteDeadline(time.Now().Add(100*time.Millisecond)))
	sent := 0
	for err == nil { // until neither kernel takes more
		var n int
		n, err = sender.Write(make([]byte, 64<<10))
		sent += n
	}
	require.NoError(t, sender.Close())

	held, err := kernelHolds()
	require.NoError(t, err)
	assert.True(t, held)
	began := time.Now()
	require.NoError(t, kernelSends{}.Shutdown(context.Background()))
	assert.GreaterOrEqual(t, time.Since(began), time.Second, "nobody reads")

	got := make(chan int64, 1)
	go func() {
		n, _ := io.Copy(io.Discard, receiver)
		got <- n
	}()
	require.NoError(t, kernelSends{}.Shutdown(context.Background()))
	assert.EqualValues(t, sent, <-got)
}
