package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var memcheck = flag.String("memcheck", "", "the `program`, scripts/memcheck.sh, that TestMemcheck runs others with")

// TestMemcheck runs the programs in C under valgrind. They abort, or don't, as
// they do without it, and it finds no invalid access. If they don't abort, it
// finds no leak either.
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
	config := filepath.Join(dir, "reports.conf")
	require.NoError(t, os.WriteFile(config, []byte(down+"\n"), 0o600))
	for _, m := range []mode{raw, guarded} {
		t.Run("host.c "+string(m), func(t *testing.T) {
			requireNoError(t, m == raw, filepath.Join(dir, string(m), "host"), config)
		})
	}
}

// requireNoError runs a program that libzmq aborts, or that ends with status 0.
// Under valgrind it may abort in another function, or so late that the exit
// comes first: then only what libzmq prints shows the abort.
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
