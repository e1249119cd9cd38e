package alone

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// childVariable holds, in the environment of the tests' child process, the
// directory that it is to mount over.
const childVariable = "ZMQ_EXIT_ALONE_TEST"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		Must(beAlone(dir))
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// beAlone does what a process that is alone may do: it takes a port that others
// may have, and hides files.
func beAlone(dir string) error {
	if err := Enter(); err != nil {
		return err
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
		return err
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		return fmt.Errorf("want an empty directory, got %v, %w", entries, err)
	}
	return os.WriteFile(filepath.Join(dir, "inside"), nil, 0o600)
}

func TestAlone(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "outside"), nil, 0o600))
	Test(t, time.Minute, childVariable+"="+dir)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "the mount was seen outside")
	assert.Equal(t, "outside", entries[0].Name())
}

func TestEnterRefusesWhoIsNotAlone(t *testing.T) {
	assert.Error(t, Enter())
	own, err := os.Readlink(mountNamespace)
	require.NoError(t, err)
	t.Setenv(variable, own)
	assert.ErrorContains(t, Enter(), "not started alone")
}

func TestNotAllowed(t *testing.T) {
	refused := &os.PathError{Op: "fork/exec", Path: "/proc/self/exe", Err: syscall.EPERM}
	assert.True(t, NotAllowed(refused))
	assert.True(t, NotAllowed(os.NewSyscallError("lo up", syscall.EACCES)))
	assert.False(t, NotAllowed(nil))
	assert.False(t, NotAllowed(errors.New("exit status 1")))
	assert.False(t, NotAllowed(os.ErrNotExist))
}
