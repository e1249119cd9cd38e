package api

import (
	"go/types"
	"maps"
	"slices"
	"strings"
	"time"
)

// Class says what zmqsafe does with a method of raw's Socket. There is none that
// it refuses altogether.
type Class int

const (
	// Forward is for options that the guard has no part in: Generate writes them.
	Forward Class = iota
	// Blocking methods may wait. They are written by hand: what waits is Go, not C.
	Blocking
	// Lifecycle methods change or need what the guard knows, or touch what may
	// abort the process. They are written by hand.
	Lifecycle
)

// Entry is a line of Table: some methods of raw's Socket. What only applies to
// options follows Methods.
type Entry struct {
	Class   Class
	Methods string // with blanks in between; not for Forward

	Option   string        // Forward: libzmq's name, less ZMQ_, as its manual has it now
	Set, Get string        // Forward: the methods of raw; one may be missing
	What     string        // Forward: "Set… sets ", "Get… returns " what
	Unit     string        // what a number counts; empty for durations and flags
	Default  string        // in Go's notation
	More     string        // whole sentences about Set, or about Get if there is no Set
	Types    string        // the types of sockets with this option, if not all
	Want     string        // the values that Set takes; not for durations
	MinusOne string        // a duration: what -1 means
	Step     time.Duration // a duration: what libzmq counts in, if not milliseconds
	Text     bool          // a string: libzmq stops reading at a zero byte
	Key      bool          // a string: a key of CURVE, binary or in Z85
}

// Table has each method of raw's Socket once.
var Table = append([]Entry{
	{Class: Blocking, Methods: "Send SendBytes SendMessage SendMessageDontwait"},
	{Class: Blocking, Methods: "Recv RecvBytes RecvMessage RecvMessageBytes RecvEvent"},
	{Class: Blocking, Methods: "RecvWithMetadata RecvBytesWithMetadata RecvMessageWithMetadata RecvMessageBytesWithMetadata"},
	{Class: Lifecycle, Methods: "Close Context String"},
	{Class: Lifecycle, Methods: "Bind Connect Unbind Disconnect Monitor"},
	{Class: Lifecycle, Methods: "GetType GetEvents GetFd GetRcvmore GetLastEndpoint"},
	{Class: Lifecycle, Methods: "SetLinger GetLinger SetRcvtimeo GetRcvtimeo SetSndtimeo GetSndtimeo"},
	{Class: Lifecycle, Methods: "SetConnectRid SetRouterRaw"}, // see zmqsafe/endpointoptions.go
	{Class: Lifecycle, Methods: "ServerAuthNull ServerAuthPlain ServerAuthCurve ClientAuthPlain ClientAuthCurve"},
}, options...)

// Names returns the methods that the entry is about.
func (e Entry) Names() []string {
	return strings.Fields(e.Methods + " " + e.Set + " " + e.Get)
}

// CheckTable returns the methods of raw's Socket that aren't in Table exactly
// once, and what Table has besides.
func CheckTable(raw *types.Package) (unclassified, stale []string) {
	times := make(map[string]int)
	for _, e := range Table {
		for _, name := range e.Names() {
			times[name]++
		}
	}
	for method := range types.NewMethodSet(types.NewPointer(raw.Scope().Lookup("Socket").Type())).Methods() {
		if name := method.Obj().Name(); method.Obj().Exported() {
			if times[name] != 1 {
				unclassified = append(unclassified, name)
			}
			delete(times, name)
		}
	}
	return unclassified, slices.Sorted(maps.Keys(times))
}
