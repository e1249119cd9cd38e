package zmqsafe

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"unsafe"

	"github.com/pebbe/zmq4"

	_ "github.com/zmqsafe/zmq-exit/internal/needs_CGO_ENABLED_1_and_a_C_compiler_on_Unix_or_WSL"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/libzmq"
)

// Functions of libzmq that need no context. All of them are safe for concurrent
// use and don't block.

// Error returns libzmq's text for an error number. See
// https://api.zeromq.org/4-3:zmq-strerror.
func Error(e int) string {
	if e < math.MinInt32 || e > math.MaxInt32 {
		return fmt.Sprintf("Unknown error %d", e) // pebbe/zmq4 would truncate the number
	}
	// The text may be in thread-local memory, and pebbe/zmq4 reads it in a
	// second call.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return zmq4.Error(e)
}

// HasIpc reports whether the loaded libzmq has the ipc transport. See
// https://api.zeromq.org/4-3:zmq-has.
func HasIpc() bool { return zmq4.HasIpc() }

// HasPgm reports whether the loaded libzmq has the pgm transport.
func HasPgm() bool { return zmq4.HasPgm() }

// HasTipc reports whether the loaded libzmq has the tipc transport.
func HasTipc() bool { return zmq4.HasTipc() }

// HasNorm reports whether the loaded libzmq has the norm transport.
func HasNorm() bool { return zmq4.HasNorm() }

// HasCurve reports whether the loaded libzmq has the CURVE mechanism.
func HasCurve() bool { return zmq4.HasCurve() }

// HasGssapi reports whether the loaded libzmq has the GSSAPI mechanism.
func HasGssapi() bool { return zmq4.HasGssapi() }

// Z85encode encodes bytes in Z85, the text form of CURVE keys: four bytes
// become five characters. As in pebbe/zmq4, it panics if the number of bytes
// isn't a multiple of four. See https://api.zeromq.org/4-3:zmq-z85-encode.
func Z85encode(data string) string {
	if data == "" {
		return "" // pebbe/zmq4 panics: index out of range
	}
	return zmq4.Z85encode(data)
}

// Z85decode decodes Z85: five characters become four bytes. As in pebbe/zmq4,
// it panics if the number of characters isn't a multiple of five, and reports
// no other error: from the first group of five characters that isn't Z85 on,
// the result is zero bytes. See https://api.zeromq.org/4-3:zmq-z85-decode.
func Z85decode(s string) string {
	if s == "" {
		return "" // pebbe/zmq4 panics: index out of range
	}
	return zmq4.Z85decode(s)
}

// NewCurveKeypair returns a random pair of keys for CURVE, each 40 characters
// of Z85. It fails with ENOTSUP if the loaded libzmq has no CURVE. See
// https://api.zeromq.org/4-3:zmq-curve-keypair.
func NewCurveKeypair() (z85PublicKey, z85SecretKey string, err error) { return zmq4.NewCurveKeypair() }

// AuthCurvePublic returns the public key for a secret key of CURVE, both as 40
// characters of Z85. For a key of another length the error is EINVAL;
// pebbe/zmq4 returns a wrong key, or smashes the stack. See
// https://api.zeromq.org/4-3:zmq-curve-public.
func AuthCurvePublic(z85SecretKey string) (z85PublicKey string, err error) {
	if len(z85SecretKey) != 40 || strings.ContainsRune(z85SecretKey, 0) {
		return "", invalid("AuthCurvePublic(%d bytes): want 40 characters of Z85", len(z85SecretKey))
	}
	return zmq4.AuthCurvePublic(z85SecretKey)
}

// checkVersion makes sure that the loaded libzmq fits the one compiled against.
func checkVersion() error {
	var compiled, loaded release
	compiled[0], compiled[1], compiled[2] = libzmq.Compiled()
	loaded[0], loaded[1], loaded[2] = libzmq.Loaded()
	return fits(compiled, loaded)
}

type release [3]int

func (r release) String() string { return fmt.Sprintf("%d.%d.%d", r[0], r[1], r[2]) }

// fits accepts a later patch of the same minor release, which libzmq keeps
// compatible: an update by the distribution must not stop a program. pebbe/zmq4
// refuses releases that are newer than itself.
func fits(compiled, loaded release) error {
	if loaded[0] == compiled[0] && loaded[1] == compiled[1] && loaded[2] >= compiled[2] {
		return nil
	}
	return fmt.Errorf("zmqsafe: compiled with libzmq %v, but libzmq %v is loaded; install %v or a later %d.%d, or rebuild the program for the one that is loaded, if that is 4.3 or later",
		compiled, loaded, compiled, compiled[0], compiled[1])
}

// rawPointer returns libzmq's socket from pebbe's, which doesn't export it. It
// checks that pebbe's Socket has the expected field, and that libzmq recognizes
// the pointer.
func rawPointer(raw *zmq4.Socket, t Type) (unsafe.Pointer, error) {
	field := reflect.ValueOf(raw).Elem().FieldByName("soc")
	if field.IsValid() && field.Kind() == reflect.UnsafePointer {
		if p := field.UnsafePointer(); p != nil && libzmq.SocketType(p) == int(t) {
			return p, nil
		}
	}
	return nil, errors.New("zmqsafe: unsupported release of github.com/pebbe/zmq4: its Socket has no field soc with libzmq's socket; use v1.4.0")
}
