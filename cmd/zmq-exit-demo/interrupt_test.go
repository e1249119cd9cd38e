package main

import (
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startHanging starts the demo as a process and returns when its second child
// hangs, with the directory of that child.
func startHanging(t *testing.T) (demo *exec.Cmd, stdout *bytes.Buffer, tmp, childDir string) {
	executable, err := os.Executable()
	require.NoError(t, err)
	stdout = new(bytes.Buffer)
	tmp, err = filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	demo = exec.Command(executable, "-hazard", "stray-close,term-open-socket", "-mode", "raw", "-runs", "1", "-parallel", "1", "-deadline", "5m")
	demo.Env = append(os.Environ(), "TMPDIR="+tmp)
	demo.Stdout = stdout
	require.NoError(t, demo.Start())
	t.Cleanup(func() { demo.Process.Kill() })

	require.Eventually(t, func() bool {
		dirs, err := filepath.Glob(filepath.Join(tmp, "zmq-exit-demo-term-open-socket-*"))
		if err != nil || len(dirs) == 0 {
			return false
		}
		childDir = dirs[0]
		return runsIn(childDir)
	}, time.Minute, 10*time.Millisecond, "the child never ran")
	return demo, stdout, tmp, childDir
}

// runsIn tells whether a process has dir as its working directory.
func runsIn(dir string) bool {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		if cwd, err := os.Readlink(link); err == nil && cwd == dir {
			return true
		}
	}
	return false
}

// Nothing is left behind, whatever ends it: Ctrl-C, a supervisor, a terminal
// that is closed.
func TestInterrupt(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			if sig == syscall.SIGHUP && signal.Ignored(sig) {
				t.Skip("SIGHUP is ignored here, as under nohup, and so by the demo")
			}
			demo, stdout, tmp, childDir := startHanging(t)
			require.NoError(t, demo.Process.Signal(sig))
			demo.Wait()

			assert.Equal(t, exitInterrupted, demo.ProcessState.ExitCode())
			assert.Regexp(t, `(?m)^stray-close +abort 1 `, stdout.String())
			assert.Regexp(t, `(?m)^term-open-socket +- `, stdout.String())
			assert.Contains(t, stdout.String(), "Interrupted: with libzmq ")
			assert.False(t, runsIn(childDir), "the child was left behind")
			left, err := os.ReadDir(tmp)
			require.NoError(t, err)
			assert.Empty(t, left, "directories were left behind")
		})
	}
}

// Under nohup SIGHUP is ignored, and stays so.
func TestInterruptLeavesNohupAlone(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	_, stop := untilInterrupted()
	defer stop()
	assert.True(t, signal.Ignored(syscall.SIGHUP))
}

func TestChildrenDieWithTheDemo(t *testing.T) {
	demo, _, _, childDir := startHanging(t)
	require.NoError(t, demo.Process.Signal(syscall.SIGKILL))
	demo.Wait()
	assert.Eventually(t, func() bool { return !runsIn(childDir) }, time.Minute, 10*time.Millisecond, "the child was left behind")
}
