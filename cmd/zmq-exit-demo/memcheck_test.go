package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var memcheck = flag.String("memcheck", "", "the `program`, scripts/memcheck.sh, that TestMemcheck runs others with")

// TestMemcheck runs the programs in C under valgrind. They abort or don't as without it, and it finds nothing: in those that abort,
// no invalid access before; in those that end with status 0, no leak either.
func TestMemcheck(t *testing.T) {
	if *memcheck == "" {
		t.Skip("not run: make valgrind runs it")
	}
	sources, err := filepath.Glob(filepath.Join("..", "..", "testdata", "c", "*.c"))
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	for _, source := range sources {
		t.Run(filepath.Base(source), func(t *testing.T) {
			requireNoError(t, verdictOf(t, source) != "", compileC(t, source))
		})
	}

	dir := t.TempDir()
	require.NoError(t, buildCHosts(t.Context(), dir))
	down, err := closedPort()
	require.NoError(t, err)
	t.Run("host.c raw", func(t *testing.T) {
		requireNoError(t, true, filepath.Join(dir, string(raw), "host"), reportsTo(t, down))
	})
	// For a collector that is down it would linger for nearly all of its deadline, and valgrind is too slow for what is left.
	pull, err := zmq4.NewSocket(zmq4.PULL)
	require.NoError(t, err)
	defer pull.Close()
	require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))
	up, err := pull.GetLastEndpoint()
	require.NoError(t, err)
	t.Run("host.c guarded", func(t *testing.T) {
		requireNoError(t, false, filepath.Join(dir, string(guarded), "host"), reportsTo(t, up))
	})
}

// reportsTo makes the file that host.c takes, with the endpoint of a collector.
func reportsTo(t *testing.T, endpoint string) (config string) {
	t.Helper()
	config = filepath.Join(t.TempDir(), "reports.conf")
	require.NoError(t, os.WriteFile(config, []byte(endpoint+"\n"), 0o600))
	return config
}

// requireNoError runs a program that libzmq aborts, or that ends with status 0. Under valgrind an abort may come in another
// function than without, and take so long that the exit is first: what libzmq says has to do.
func requireNoError(t *testing.T, aborts bool, program ...string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	command := []string{*memcheck, "--log-file=" + log}
	if aborts {
		command = append(command, "--leak-check=no") // what is in use when a program aborts is no leak
	}
	state, output := runC(t, append(command, program...)...)
	found, err := os.ReadFile(log)
	require.NoError(t, err, output)
	assert.Contains(t, string(found), "ERROR SUMMARY: 0 errors")
	if aborts {
		requireFdSweep(t, output)
		return
	}
	assert.True(t, state.Success(), "%v\n%s", state, output)
}
