package zmqsafe

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVersions(t *testing.T) {
	major, _, _ := Version()
	assert.Equal(t, 4, major)
	for _, ok := range [][2]release{{{4, 3, 4}, {4, 3, 4}}, {{4, 3, 4}, {4, 3, 5}}} {
		assert.NoError(t, fits(ok[0], ok[1]))
	}
	for _, bad := range [][2]release{{{4, 3, 4}, {4, 2, 5}}, {{4, 2, 5}, {4, 3, 4}}, {{4, 3, 5}, {4, 3, 4}}, {{4, 3, 4}, {5, 0, 0}}} {
		err := fits(bad[0], bad[1])
		assert.ErrorContains(t, err, "compiled with libzmq "+bad[0].String())
		assert.ErrorContains(t, err, bad[1].String()+" is loaded")
	}
}

func TestRawPointerOfNoSocket(t *testing.T) {
	_, err := rawPointer(&zmq4.Socket{}, PAIR)
	assert.ErrorContains(t, err, "use v1.4.0")
}

// A process in which another libzmq is loaded than the one compiled against: here
// one that only says so.
func TestOtherLibraryIsLoaded(t *testing.T) {
	if os.Getenv("LD_PRELOAD") != "" {
		_, err := NewContext()
		require.ErrorContains(t, err, "but libzmq 4.0.99 is loaded")
		require.ErrorContains(t, err, "rebuild the program")
		return
	}
	source, library := filepath.Join(t.TempDir(), "other.c"), filepath.Join(t.TempDir(), "other.so")
	require.NoError(t, os.WriteFile(source, []byte(`
void zmq_version (int *major, int *minor, int *patch)
{
    *major = 4;
    *minor = 0;
    *patch = 99;
}
`), 0o600))
	out, err := exec.Command("cc", "-shared", "-fPIC", "-o", library, source).CombinedOutput()
	require.NoError(t, err, "%s", out)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), "LD_PRELOAD="+library)
	out, err = child.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "--- PASS: "+t.Name())
}
