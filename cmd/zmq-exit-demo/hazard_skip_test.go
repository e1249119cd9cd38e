package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/internal/alone"
)

// runAfter runs a program of a hazard in a shell, after a command that takes
// away what the program needs.
func runAfter(t *testing.T, command, id string) *exec.Cmd {
	t.Helper()
	executable, err := os.Executable()
	require.NoError(t, err)
	return exec.CommandContext(t.Context(), "/bin/sh", "-c", command+` && exec "$0" run "$1" -mode guarded`, executable, id)
}

func TestSkippedForWantOfDescriptors(t *testing.T) {
	cmd := runAfter(t, "ulimit -n 500", blockedThreads.ID)
	output, _ := cmd.CombinedOutput()
	assert.Equal(t, exitSkipped, cmd.ProcessState.ExitCode())
	assert.Regexp(t, `guarded blocked-threads: skipped: it needs \d+ file descriptors, and the limit is 500: raise `, string(output))
}

func TestSkippedForWantOfNamespaces(t *testing.T) {
	runOrSkip(t, slowDNS, guarded, enough) // there must be namespaces to begin with
	const limit = "/proc/sys/user/max_user_namespaces"
	var mount syscall.Statfs_t
	require.NoError(t, syscall.Statfs(limit, &mount))
	if mount.Flags&syscall.MS_RDONLY != 0 {
		t.Skip("SKIPPED: /proc/sys is read-only, as in a container without --security-opt systempaths=unconfined")
	}
	cmd := runAfter(t, "echo 0 >"+limit, slowDNS.ID)
	alone.Isolate(cmd) // so that the limit applies to this process only
	output, _ := cmd.CombinedOutput()
	assert.Equal(t, exitSkipped, cmd.ProcessState.ExitCode(), "%s", output)
	assert.Contains(t, string(output), "guarded slow-dns: skipped: it needs a user, a network and a mount namespace of its own (")
}
