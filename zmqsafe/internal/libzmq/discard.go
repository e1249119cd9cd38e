package libzmq

/*
#cgo noescape zmqsafe_discard
#cgo nocallback zmqsafe_discard
#include "libzmq.h"
*/
import "C"

import (
	"time"
	"unsafe"
)

// Discard receives what has arrived at a socket that is about to be closed, and
// throws it away without copying it. It returns how many whole messages that
// were; the rest of a message that was begun before counts as one. It ends when
// there is nothing more, after half of RCVHWM messages (1000 if that is 0), and
// when the time is over, which it looks at after the first message. In the last
// two cases it reports whether there are at least that many, or all are
// counted.
func Discard(sock unsafe.Pointer, within time.Duration) (messages uint64, atLeast bool) {
	r := C.zmqsafe_discard(sock, C.int64_t(within))
	return uint64(r.messages), bool(r.at_least)
}
