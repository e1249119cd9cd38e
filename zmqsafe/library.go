package zmqsafe

import (
	"fmt"
	"math"
	"runtime"
	"strings"

	"github.com/pebbe/zmq4"
)

// What libzmq tells and computes without a context. All of it is safe for
// concurrent use and doesn't block.

// Error returns libzmq's text for an error number. See
// https://api.zeromq.org/4-3:zmq-strerror.
func Error(e int) string {
	if e < math.MinInt32 || e > math.MaxInt32 {
		return fmt.Sprintf("Unknown error %d", e) // raw would cut the number off
	}
	// The text may be in the calling thread's memory, and raw fetches it in a call
	// of its own.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return zmq4.Error(e)
}

// HasIpc reports whether the libzmq that is loaded has the ipc transport. See
// https://api.zeromq.org/4-3:zmq-has.
func HasIpc() bool { return zmq4.HasIpc() }

// HasPgm reports whether the libzmq that is loaded has the pgm transport. See
// https://api.zeromq.org/4-3:zmq-has.
func HasPgm() bool { return zmq4.HasPgm() }

// HasTipc reports whether the libzmq that is loaded has the tipc transport. See
// https://api.zeromq.org/4-3:zmq-has.
func HasTipc() bool { return zmq4.HasTipc() }

// HasNorm reports whether the libzmq that is loaded has the norm transport. See
// https://api.zeromq.org/4-3:zmq-has.
func HasNorm() bool { return zmq4.HasNorm() }

// HasCurve reports whether the libzmq that is loaded has the mechanism CURVE. See
// https://api.zeromq.org/4-3:zmq-has.
func HasCurve() bool { return zmq4.HasCurve() }

// HasGssapi reports whether the libzmq that is loaded has the mechanism GSSAPI.
// See https://api.zeromq.org/4-3:zmq-has.
func HasGssapi() bool { return zmq4.HasGssapi() }

// Z85encode encodes bytes in Z85, as keys for CURVE are written: four bytes
// become five characters. It panics, as raw does, if their number isn't a
// multiple of four. See https://api.zeromq.org/4-3:zmq-z85-encode.
func Z85encode(data string) string {
	if data == "" {
		return "" // raw panics: index out of range
	}
	return zmq4.Z85encode(data)
}

// Z85decode decodes Z85: five characters become four bytes. It panics, as raw
// does, if their number isn't a multiple of five. From the first group of five
// that isn't Z85 on, the result is zero bytes, as with raw: it tells no error. See
// https://api.zeromq.org/4-3:zmq-z85-decode.
func Z85decode(s string) string {
	if s == "" {
		return "" // raw panics: index out of range
	}
	return zmq4.Z85decode(s)
}

// NewCurveKeypair makes a random pair of keys for CURVE, 40 characters of Z85
// each. It fails with ENOTSUP if the libzmq that is loaded has no CURVE. See
// https://api.zeromq.org/4-3:zmq-curve-keypair.
func NewCurveKeypair() (z85PublicKey, z85SecretKey string, err error) { return zmq4.NewCurveKeypair() }

// AuthCurvePublic returns the public key that belongs to a secret key for CURVE,
// both as 40 characters of Z85. Other lengths are EINVAL; with raw they give a
// wrong key, or smash the stack. See
// https://api.zeromq.org/4-3:zmq-curve-public.
func AuthCurvePublic(z85SecretKey string) (z85PublicKey string, err error) {
	if len(z85SecretKey) != 40 || strings.ContainsRune(z85SecretKey, 0) {
		return "", invalid("AuthCurvePublic(%d bytes): want 40 characters of Z85", len(z85SecretKey))
	}
	return zmq4.AuthCurvePublic(z85SecretKey)
}
