package zmqsafe

import (
	"encoding/binary"
	"fmt"
	"log/slog"

	"github.com/pebbe/zmq4"
)

// ZAP is the protocol in which libzmq asks, for each peer that connects, whether
// to let it in: https://rfc.zeromq.org/spec/27.

// zapEndpoint is where libzmq asks, over inproc in each context.
const zapEndpoint = "inproc://zeromq.zap.01"

const zapVersion = "1.0"

type zapRequest struct {
	version, id, domain, address, identity, mechanism string
	credentials                                       []string // PLAIN: name and password; CURVE: the public key
}

// zapCredentials is how many credentials a mechanism has.
var zapCredentials = map[string]int{"NULL": 0, "PLAIN": 2, "CURVE": 1}

func parseZap(frames []string) (r zapRequest, err error) {
	switch {
	case len(frames) == 0 || frames[0] != zapVersion:
		return r, fmt.Errorf("not of version %s", zapVersion)
	case len(frames) < 6:
		return r, fmt.Errorf("%d frames, want 6 and the credentials", len(frames))
	}
	r = zapRequest{frames[0], frames[1], frames[2], frames[3], frames[4], frames[5], frames[6:]}
	if want, known := zapCredentials[r.mechanism]; known && len(r.credentials) != want {
		return r, fmt.Errorf("%s with %d credentials, want %d", r.mechanism, len(r.credentials), want)
	}
	return r, nil
}

// attributes describes the request in the log, without passwords.
func (r zapRequest) attributes() []any {
	attributes := []any{"domain", r.domain, "address", r.address}
	switch r.mechanism {
	case "PLAIN":
		attributes = append(attributes, "username", r.credentials[0])
	case "CURVE":
		attributes = append(attributes, "client_key", z85Key(r.credentials[0]))
	}
	return attributes
}

// z85Key is a public key in the form of AuthCurveAdd, or nothing if it is none.
func z85Key(key string) string {
	if len(key) != 32 {
		return ""
	}
	return zmq4.Z85encode(key)
}

type zapAnswer struct {
	status, text string
	userID       string
	metadata     []byte
}

// A client that gets 400 or 500 doesn't try again (session_base.cpp, engine_error).
var (
	zapTryAgain  = zapAnswer{status: "300", text: "TRY AGAIN"} // the client does, once HANDSHAKE_IVL is over
	zapNoAccess  = zapAnswer{status: "400", text: "NO ACCESS"}
	zapMalformed = zapAnswer{status: "500", text: "MALFORMED REQUEST"}
)

// zapAccess lets a peer in. The property User-Id has a frame of its own.
func zapAccess(properties map[string]string) zapAnswer {
	const userID = "User-Id"
	a := zapAnswer{status: "200", text: "OK", userID: properties[userID]}
	for name, value := range properties {
		if name == userID {
			continue
		}
		blob, err := AuthMetaBlob(name, value)
		if err != nil {
			slog.Warn("AUTH: a property that the metadata handler returned is left out", "err", err)
		}
		a.metadata = append(a.metadata, blob...)
	}
	return a
}

// frames makes the reply to a request.
func (a zapAnswer) frames(request []string) []any {
	id := ""
	if len(request) > 1 {
		id = request[1]
	}
	return []any{zapVersion, id, a.status, a.text, a.userID, a.metadata}
}

// AuthMetaBlob encodes one property as metadata of a ZAP reply, for programs that
// answer libzmq themselves rather than with AuthStart. It fails for a key of more
// than 255 bytes.
func AuthMetaBlob(key, value string) (blob []byte, err error) {
	const limit = 255
	if len(key) > limit {
		return nil, fmt.Errorf("Key too long: %d bytes, want %d at most", len(key), limit) //lint:ignore ST1005 raw's text
	}
	blob = append(append(blob, byte(len(key))), key...)
	blob = binary.BigEndian.AppendUint32(blob, uint32(len(value)))
	return append(blob, value...), nil
}
