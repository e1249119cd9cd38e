package api

import (
	"strings"
	"time"
)

// byHand are the methods of raw's Socket that zmqsafe has in code written by
// hand.
var byHand = strings.Fields(`
	Send SendBytes SendMessage SendMessageDontwait
	Recv RecvBytes RecvMessage RecvMessageBytes RecvEvent
	RecvWithMetadata RecvBytesWithMetadata RecvMessageWithMetadata RecvMessageBytesWithMetadata
	Close Context String
	Bind Connect Unbind Disconnect Monitor
	GetType GetEvents GetFd GetRcvmore GetLastEndpoint
	SetLinger GetLinger SetRcvtimeo GetRcvtimeo SetSndtimeo GetSndtimeo
	SetConnectRid SetRouterRaw SetConflate SetHeartbeatIvl SetSubscribe SetUnsubscribe SetSndbuf GetSndbuf SetSndhwm GetSndhwm SetRcvhwm GetRcvhwm
	ServerAuthNull ServerAuthPlain ServerAuthCurve ClientAuthPlain ClientAuthCurve`)

// files are the files that go generate writes, with the options in each: those
// that the guard has no part in.
var files = map[string][]Option{
	"options_generated_message.go":   messageOptions,
	"options_generated_transport.go": transportOptions,
}

// Option is an option of a socket, or one of several ways to read it.
type Option struct {
	Name     string        // as in libzmq's manual today, without ZMQ_
	Set, Get string        // the methods of raw's Socket; one may be missing
	Verb     string        // what Set does, if it isn't "sets"
	What     string        // what Set sets, and Get returns
	Default  string        // in Go's notation
	More     string        // whole sentences about Set, or about Get if there is no Set
	Types    string        // the types of sockets with this option, if not all
	Want     string        // the values that Set takes; not for durations
	MinusOne string        // a duration: what -1 means
	Step     time.Duration // a duration: what libzmq counts in, if not milliseconds
	Text     bool          // a string: libzmq stops reading at a zero byte
	Key      bool          // a string: a CURVE key, binary or in Z85
}
