package zap

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const version = "1.0"

// Request is what libzmq asks about one peer.
type Request struct {
	Version, ID, Domain, Address, Identity, Mechanism string
	Credentials                                       []string // PLAIN: user name and password; CURVE: the public key
}

// Parse parses the frames of a request.
func Parse(frames []string) (r Request, err error) {
	switch {
	case len(frames) == 0 || frames[0] != version:
		return r, fmt.Errorf("not of version %s", version)
	case len(frames) < 6:
		return r, fmt.Errorf("%d frames, want 6 and the credentials", len(frames))
	}
	r = Request{frames[0], frames[1], frames[2], frames[3], frames[4], frames[5], frames[6:]}
	want, known := map[string]int{Null: 0, Plain: 2, Curve: 1}[r.Mechanism]
	if known && len(r.Credentials) != want {
		return r, fmt.Errorf("%s with %d credentials, want %d", r.Mechanism, len(r.Credentials), want)
	}
	return r, nil
}

// Attributes describes the request in the log, without passwords.
func (r Request) Attributes() []any {
	attributes := []any{"mechanism", r.Mechanism, "domain", r.Domain, "address", r.Address}
	switch r.Mechanism {
	case Plain:
		attributes = append(attributes, "username", r.Credentials[0])
	case Curve:
		attributes = append(attributes, "client_key", z85Key(r.Credentials[0]))
	}
	return attributes
}

// Answer is what differs between answers: status, text, user id and metadata.
type Answer [4]string

// Answers that refuse a peer. After NoAccess and Malformed a client does not
// try again (session_base.cpp, engine_error); after TryAgain it does, once
// HANDSHAKE_IVL is over.
var (
	TryAgain  = Answer{"300", "TRY AGAIN"}
	NoAccess  = Answer{"400", "NO ACCESS"}
	Malformed = Answer{"500", "MALFORMED REQUEST"}
)

// OK admits a peer, and sets properties of its messages. If a property cannot
// be encoded, the answer lacks it, and the error says so.
func OK(properties map[string]string) (a Answer, err error) {
	const userID = "User-Id" // has a frame of its own
	a = Answer{"200", "OK", properties[userID]}
	for name, value := range properties {
		if name != userID {
			blob, tooLong := MetaBlob(name, value)
			a[3] += string(blob)
			err = errors.Join(err, tooLong)
		}
	}
	return a, err
}

// Frames returns the frames of the answer to a request, which may be malformed.
func (a Answer) Frames(request []string) []string {
	id := ""
	if len(request) > 1 {
		id = request[1]
	}
	return append([]string{version, id}, a[:]...)
}

// MetaBlob encodes one property. It fails for a key of more than 255 bytes.
func MetaBlob(key, value string) (blob []byte, err error) {
	if len(key) > 255 {
		return nil, fmt.Errorf("Key too long: %d bytes, want 255 at most", len(key)) //lint:ignore ST1005 the text of pebbe/zmq4
	}
	blob = append([]byte{byte(len(key))}, key...)
	blob = binary.BigEndian.AppendUint32(blob, uint32(len(value)))
	return append(blob, value...), nil
}
