package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
)

// The guarded library is the raw one with another import, and one call of
// cexit.
func TestGuardedLibraryIsRawButForTheImport(t *testing.T) {
	root, err := repository()
	require.NoError(t, err)
	read := func(m mode) string {
		source, err := os.ReadFile(filepath.Join(root, hostSources, string(m), "main.go"))
		require.NoError(t, err)
		return string(source)
	}
	assert.Equal(t, []string{
		"\t\"github.com/zmqsafe/zmq-exit/shutdown/cexit\"\n",
		"\tzmq \"github.com/zmqsafe/zmq-exit/zmqsafe\"\n",
		"\tif err := cexit.Register(ctx, time.Minute); err != nil { // the fix\n",
		"\t\treturn err\n",
		"\t}\n",
	}, linesAdded(read(raw), read(guarded)))
	assert.Equal(t, []string{"\tzmq \"github.com/pebbe/zmq4\"\n"}, linesAdded(read(guarded), read(raw)))
}

func TestCHostsWithoutATool(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	const reason = "the go command, a C compiler and pkg-config are needed to build it: go env CC: "
	stdout, stderr, status := runDemo("-hazard", "c-host-exit,fd-sweep", "-mode", "guarded", "-runs", "2", "-deadline", enough.String())
	assert.Equal(t, cli.OK, status, stderr)
	assert.Empty(t, stderr)
	assert.Contains(t, stdout, "SKIPPED c-host-exit: "+reason)
	assert.Regexp(t, `(?m)^fd-sweep +- +clean 2`, stdout, "the others run")
	assert.Contains(t, stdout, "2 of 2 guarded runs ended cleanly. 2 runs were skipped.\n")

	t.Setenv(preparedVariable, "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	stdout, stderr, status = runDemo("run", "c-host-exit")
	assert.Equal(t, exitSkipped, status)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "raw c-host-exit: skipped: "+reason)
}

// What a tool said is the error, if it is there and fails.
func TestCHostsWithAToolThatFails(t *testing.T) {
	tools := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(tools, "go"), []byte("#!/bin/sh\necho no cache >&2; exit 1\n"), 0o700))
	t.Setenv("PATH", tools+":"+os.Getenv("PATH"))
	stdout, stderr, status := runDemo("-hazard", "c-host-exit", "-runs", "1")
	assert.Equal(t, cli.Failed, status)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "c-host-exit can't be prepared: the go command, a C compiler and pkg-config are needed to build it")
	assert.Contains(t, stderr, "go env CC: exit status 1\nno cache\n")
}

// On a system without a compiler, such as the demo's container image, the
// programs may have been made before.
func TestCHostsMadeBefore(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: -short, and this one has to be built first")
	}
	dir := t.TempDir()
	require.NoError(t, buildCHosts(t.Context(), dir))
	t.Setenv(preparedVariable, dir)
	t.Setenv("PATH", t.TempDir())
	stdout, stderr, status := runDemo("-hazard", "c-host-exit", "-mode", "guarded", "-runs", "2", "-deadline", enough.String())
	assert.Equal(t, cli.OK, status, stderr)
	assert.Regexp(t, `(?m)^c-host-exit +- +clean 2`, stdout)
}

// By hand, a hazard is prepared in a directory that is emptied each time.
func TestRunPreparesHere(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv(preparedVariable, "")
	dir := filepath.Join(os.Getenv("XDG_CACHE_HOME"), "zmq-exit-demo", "thing")
	h := hazard{Hazard: explain.Hazard{ID: "thing"}, Prepare: func(_ context.Context, dir string) error {
		assert.NoDirExists(t, dir)
		return os.MkdirAll(dir, 0o700)
	}}
	for range 2 {
		require.NoError(t, os.Unsetenv(preparedVariable))
		require.NoError(t, prepareHere(t.Context(), h))
		assert.Equal(t, dir, os.Getenv(preparedVariable))
	}
	h.Prepare = func(context.Context, string) error { panic("it is prepared already") }
	require.NoError(t, prepareHere(t.Context(), h))
	assert.DirExists(t, dir)
}

// An interrupt ends the tools with all that they have started, such as
// compilers.
func TestCHostsInterrupted(t *testing.T) {
	tools := t.TempDir()
	started := filepath.Join(tools, "started")
	require.NoError(t, os.WriteFile(filepath.Join(tools, "go"), []byte("#!/bin/sh\n(echo >'"+started+"'; sleep 300)\n"), 0o700))
	t.Setenv("PATH", tools+":"+os.Getenv("PATH"))

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- buildCHosts(ctx, t.TempDir()) }()
	require.Eventually(t, func() bool { _, err := os.Stat(started); return err == nil }, enough, time.Millisecond)
	cancel()
	select {
	case err := <-ended:
		assert.Error(t, err)
	case <-time.After(enough):
		t.Fatal("it waits for what it should have killed")
	}
}
