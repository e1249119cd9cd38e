package zmqsafe

import (
	"context"
	"iter"
)

// Messages iterates over the messages that arrive, each with all its parts.
//
//	for message, err := range soc.Messages(ctx) {
//		if err != nil {
//			return err // ctx.Err(), ErrorSocketClosed, ETERM
//		}
//		…
//	}
//
// It is RecvMessageBytesContext in a loop: a message is taken when the loop asks
// for it, so leaving the loop loses none, and several loops, in one goroutine
// after the other or in many at a time, share what arrives. RCVTIMEO counts for
// each message. The first error is yielded and ends the loop: it says why there
// is nothing more. After Errno(syscall.EAGAIN), which is RCVTIMEO, a new loop may
// follow.
func (soc *Socket) Messages(ctx context.Context) iter.Seq2[[][]byte, error] {
	return func(yield func([][]byte, error) bool) {
		for {
			message, err := soc.RecvMessageBytesContext(ctx, 0)
			if !yield(message, err) || err != nil {
				return
			}
		}
	}
}
