package zmqsafe

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestErrorTexts(t *testing.T) {
	for _, e := range []int{0, -1, 1, int(syscall.EAGAIN), int(ETERM), int(EFSM), 4711, math.MaxInt32} {
		assert.Equal(t, zmq4.Error(e), Error(e))
	}
	assert.Equal(t, "Context was terminated", Error(int(ETERM)))
	for _, e := range beyondCInt[int]() {
		assert.Equal(t, fmt.Sprint("Unknown error ", e), Error(e))
	}
}

func TestCapabilities(t *testing.T) {
	assert.Equal(t, zmq4.HasIpc(), HasIpc())
	assert.Equal(t, zmq4.HasPgm(), HasPgm())
	assert.Equal(t, zmq4.HasTipc(), HasTipc())
	assert.Equal(t, zmq4.HasNorm(), HasNorm())
	assert.Equal(t, zmq4.HasCurve(), HasCurve())
	assert.Equal(t, zmq4.HasGssapi(), HasGssapi())
}

func TestZ85(t *testing.T) {
	const binary, text = "\x86\x4F\xD2\x6F\xB5\x59\xF7\x5B", "HelloWorld" // from RFC 32
	assert.Equal(t, text, Z85encode(binary))
	assert.Equal(t, binary, Z85decode(text))
	assert.Empty(t, Z85encode(""))
	assert.Empty(t, Z85decode(""))
	for _, bad := range []string{"~~~~~", "Hello~~~~~", "Hello\x00orld", "\xff\xff\xff\xff\xff", "#####"} {
		assert.Equal(t, zmq4.Z85decode(bad), Z85decode(bad), "%q", bad)
	}
	assert.Equal(t, binary[:4]+"\x00\x00\x00\x00", Z85decode("Hello~~~~~"))
	for _, bad := range []string{"a", "abc", "abcdefg"} {
		assert.PanicsWithValue(t, "Z85encode: Length of data not a multiple of 4", func() { Z85encode(bad) })
		assert.PanicsWithValue(t, "Z85decode: Length of Z85 string not a multiple of 5", func() { Z85decode(bad) })
	}
}

func TestCurveKeys(t *testing.T) {
	public, secret, err := NewCurveKeypair()
	if !HasCurve() {
		assert.Equal(t, ENOTSUP, AsErrno(err))
		return
	}
	require.NoError(t, err)
	derived, err := AuthCurvePublic(secret)
	require.NoError(t, err)
	assert.Equal(t, public, derived)
	assert.Len(t, Z85decode(public), 32)
	// With pebbe/zmq4 the last of these smashes the stack, and some give a
	// random key.
	for _, bad := range []string{"", "short", secret[:35], secret + "x", badKey, secret[:35] + "\x00" + secret[36:], secret + secret, strings.Repeat("0", 4000)} {
		key, err := AuthCurvePublic(bad)
		assert.Empty(t, key)
		assert.Equal(t, Errno(syscall.EINVAL), AsErrno(err), "%d bytes", len(bad))
	}
}

func TestCurveKeysConcurrently(t *testing.T) {
	needsCurve(t)
	const goroutines, rounds = 16, 50
	var seen sync.Map
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for range rounds {
				public, secret, err := NewCurveKeypair()
				assert.NoError(t, err)
				derived, err := AuthCurvePublic(secret)
				assert.NoError(t, err)
				assert.Equal(t, public, derived)
				_, twice := seen.LoadOrStore(secret, true)
				assert.False(t, twice, "a key twice")
			}
		})
	}
	bounded(t, "NewCurveKeypair", all.Wait)
}

func TestVersions(t *testing.T) {
	major, _, _ := Version()
	assert.Equal(t, 4, major)
	for _, ok := range [][2]release{{{4, 3, 4}, {4, 3, 4}}, {{4, 3, 4}, {4, 3, 5}}} {
		assert.NoError(t, fits(ok[0], ok[1]))
	}
	for _, bad := range [][2]release{{{4, 3, 4}, {4, 2, 5}}, {{4, 3, 5}, {4, 3, 4}}, {{4, 3, 4}, {5, 0, 0}}} {
		err := fits(bad[0], bad[1])
		assert.ErrorContains(t, err, "compiled with libzmq "+bad[0].String())
		assert.ErrorContains(t, err, bad[1].String()+" is loaded")
	}
}

func TestRawPointerOfNoSocket(t *testing.T) {
	_, err := rawPointer(&zmq4.Socket{}, PAIR)
	assert.ErrorContains(t, err, "use v1.4.0")
}

// The process has loaded another libzmq than the one compiled against: here one
// that only reports another version.
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
	cc, err := exec.Command("go", "env", "CC").Output() // what compiled this test, perhaps for another processor
	require.NoError(t, err)
	words := append(strings.Fields(string(cc)), "-shared", "-fPIC", "-o", library, source)
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	printed, err := runChild(t, "LD_PRELOAD="+library)
	require.NoError(t, err, "%s", printed)
	assert.Contains(t, printed, "--- PASS: "+t.Name())
}
