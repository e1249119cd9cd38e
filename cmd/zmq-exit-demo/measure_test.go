package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
)

func TestSelectHazards(t *testing.T) {
	all, err := selectHazards("")
	require.NoError(t, err)
	assert.Len(t, all, len(hazards))

	some, err := selectHazards("socket-limit,fd-sweep,socket-limit")
	require.NoError(t, err)
	require.Len(t, some, 2)
	assert.Equal(t, "fd-sweep", some[0].ID)
	assert.Equal(t, "socket-limit", some[1].ID)
}

func TestMeasure(t *testing.T) {
	stdout, stderr, status := runDemo("-hazard", "stray-close", "-runs", "2", "-deadline", enough.String(), "-json")
	require.Equal(t, cli.OK, status, stderr)
	assert.Empty(t, stderr)

	var rep report
	require.NoError(t, json.Unmarshal([]byte(stdout), &rep))
	assert.True(t, rep.Shown)
	assert.False(t, rep.Interrupted)
	assert.Equal(t, loadedLibzmq(), rep.Libzmq)
	require.Len(t, rep.Hazards, 1)
	require.NotNil(t, rep.Hazards[0].Raw)
	require.NotNil(t, rep.Hazards[0].Guarded)
	assert.Equal(t, map[outcome]int{abort: 2}, rep.Hazards[0].Raw.Outcomes)
	assert.Contains(t, rep.Hazards[0].Raw.FirstAbort, "epoll.cpp:")
	assert.Equal(t, map[outcome]int{clean: 2}, rep.Hazards[0].Guarded.Outcomes)
}

func TestMeasureOfAGuardedRunThatIsNotClean(t *testing.T) {
	stdout, stderr, status := runDemo("-hazard", "term-open-socket", "-mode", "guarded", "-runs", "1", "-deadline", "1ms")
	assert.Equal(t, cli.Failed, status)
	assert.Contains(t, stdout, "hang 1")
	assert.Contains(t, stdout, "Not shown: with libzmq ")
	assert.Contains(t, stderr, "guarded term-open-socket: hang\n")
}
