package zmqsafe

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"runtime"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/guard"
)

// Drained says how draining a socket or a proxy ended, see [Socket.Drain].
type Drained struct {
	Messages uint64        // that were received, or moved by a proxy, after the stop
	Took     time.Duration // from the stop to the end
	Quiet    bool          // nothing had come for the quiet time; if not, there may be more
}

// String is a human-readable description.
func (d Drained) String() string {
	end := "more may have come"
	if d.Quiet {
		end = "then no more came"
	}
	return fmt.Sprintf("%s in %v, %s", count(int(d.Messages), "message"), rounded(d.Took), end)
}

// MarshalJSON writes what [Report.MarshalJSON] describes.
func (d Drained) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Messages uint64 `json:"messages"`
		Took     string `json:"took"`
		Quiet    bool   `json:"quiet"`
	}{d.Messages, d.Took.String(), d.Quiet})
}

// Drain iterates over the messages that arrive, like [Socket.Messages]. When
// stop is done it goes on, with what has arrived and what still arrives, until
// nothing has come for the time quiet, and for the time within at most. If stop
// has a deadline, it also ends shortly before that: by a tenth of what is left,
// and 250 ms at most.
//
//	g.Go("worker", func(stop context.Context) error {
//		for message, err := range soc.Drain(stop, 200*time.Millisecond, time.Second) {
//			if err != nil {
//				return err // ErrorSocketClosed, ETERM; not that of stop
//			}
//			…
//		}
//		return nil
//	})
//
// Close the socket, or its context, after the loop.
//
// What it can do depends on the type. A SUB unsubscribes from everything first,
// receives what its peers had sent by then, and has no filter afterwards.
// Nothing stops the peers of other types from sending. If they don't stop by
// themselves, the loop ends after within, and what arrives later is lost: the
// close counts it, see [ClosedSocket]. A REP answers the requests that are
// there and doesn't wait for more, so it ends after a reply; a REQ waits for
// its reply. Only messages that are acknowledged, or senders that stop first,
// lose nothing.
//
// A socket that drains may outlive its peers. If it has connected to host
// names, libzmq soon looks them up again, and nobody can end that: a name that
// is gone may hold the close until its deadline. [Socket.SetReconnectIvl] with
// more than within puts that off.
//
// Several goroutines may drain one socket: none ends as long as another
// receives. RCVTIMEO counts until stop is done. Leaving the loop ends the
// drain. The result is logged, at level Info if time ended it, else at level
// Debug, and it is in [SocketInfo] and so in the [Report]; see also
// [Socket.DrainFunc].
//
// Errors are those of Messages, and EINVAL for a negative quiet or a within
// that is not positive or less than quiet.
func (soc *Socket) Drain(stop context.Context, quiet, within time.Duration) iter.Seq2[[][]byte, error] {
	return func(yield func([][]byte, error) bool) { _, _ = soc.drain(stop, quiet, within, yield) }
}

// DrainFunc is [Socket.Drain] with a function for the body of the loop. It
// blocks until the drain is over, and returns how it ended. An error of handle
// ends it at once, and is returned.
func (soc *Socket) DrainFunc(stop context.Context, quiet, within time.Duration, handle func(message [][]byte) error) (Drained, error) {
	var handleErr error
	drained, err := soc.drain(stop, quiet, within, func(message [][]byte, err error) bool {
		if err == nil {
			handleErr = handle(message)
		}
		return handleErr == nil
	})
	if handleErr != nil {
		err = handleErr
	}
	return drained, err
}

// drain yields messages, and an error last if there is one, which it also
// returns.
func (soc *Socket) drain(stop context.Context, quiet, within time.Duration, yield func([][]byte, error) bool) (Drained, error) {
	fail := func(err error) error {
		yield(nil, err)
		return err
	}
	var bounds drainBounds
	err := soc.call(func(*socketState) (err error) { // a closed socket is the first error
		bounds, err = newDrainBounds("Drain", quiet, within)
		return err
	})
	if err != nil {
		return Drained{}, fail(err)
	}
	for message, err := range soc.Messages(stop) {
		if err != nil && stop.Err() != nil && (err == stop.Err() || err == errAgain) {
			break
		}
		if err != nil {
			return Drained{}, fail(err)
		}
		if !yield(message, nil) {
			return Drained{}, nil
		}
	}
	d, err := soc.beginDrain(bounds.from(stop))
	if err != nil {
		return Drained{}, fail(err)
	}
	defer runtime.KeepAlive(soc)
	defer d.finish()
	for {
		message, err := d.next()
		switch {
		case err != nil:
			return d.end(), fail(err)
		case message == nil:
			return d.end(), nil
		case !yield(message, nil):
			return d.end(), nil
		}
	}
}

// drainBounds say how long a drain goes on.
type drainBounds struct {
	quiet, within time.Duration
	began, end    time.Time // once it has begun
}

func newDrainBounds(name string, quiet, within time.Duration) (drainBounds, error) {
	if quiet < 0 || within <= 0 || within < quiet {
		return drainBounds{}, invalid("%s(quiet %v, within %v): want a quiet from 0 to within, and a within of more than 0", name, quiet, within)
	}
	return drainBounds{quiet: quiet, within: within}, nil
}

// from begins the drain now.
func (b drainBounds) from(stop context.Context) drainBounds {
	b.began = time.Now()
	if deadline, finite := stop.Deadline(); finite {
		left := deadline.Sub(b.began)
		b.within = min(b.within, left-margin(left))
	}
	b.end = b.began.Add(b.within)
	return b
}

// drain is one loop that drains a socket.
type drain struct {
	soc *Socket
	drainBounds
	last    time.Time      // when something has come, or the drain began
	removed removedFilters // of a SUB
	others  uint64         // messages that other calls have received from the socket
	result  Drained
}

// draining is what a socket knows of the loops that drain it.
type draining struct {
	loops  int       // that have not ended
	began  time.Time // when the first one did
	result Drained   // of all
}

func (soc *Socket) beginDrain(b drainBounds) (*drain, error) {
	d := &drain{soc: soc, drainBounds: b, last: b.began}
	err := soc.call(func(s *socketState) error {
		switch s.typ {
		case REP:
			d.quiet = 0
		case REQ:
			d.quiet = math.MaxInt64
		}
		err := s.beginDraining(b.began)
		d.others, d.removed = s.received, s.filters.removed
		return err
	})
	return d, err
}

// beginDraining enters a loop, and makes a SUB unsubscribe. The caller holds
// the lock.
func (s *socketState) beginDraining(at time.Time) error {
	if s.typ == SUB {
		if err := s.filters.open(s); err != nil {
			return err
		}
	}
	if s.draining.began.IsZero() {
		s.draining.began = at
	}
	s.draining.loops++
	return nil
}

// next receives the next message, or nil if the drain is over.
func (d *drain) next() ([][]byte, error) {
	for {
		left := time.Until(d.drainBounds.end)
		if left <= 0 {
			return nil, nil
		}
		message, err := d.soc.recvWithin(min(d.quiet, left))
		now := time.Now()
		if err == nil {
			d.last = now
		}
		switch {
		case err == nil && d.removed.pass(message):
			d.result.Messages++
			return message, nil
		case err == nil:
		case err == EFSM && d.soc.s.typ == REQ: // it has its reply, or has asked nothing
			d.result.Quiet = true
			return nil, nil
		case err != errAgain:
			return nil, err
		case d.othersReceive():
			d.last = now
		case now.Sub(d.last) >= d.quiet:
			d.result.Quiet = true
			return nil, nil
		}
	}
}

// othersReceive reports whether another call has received something since the
// last time. They share what arrives.
func (d *drain) othersReceive() bool {
	before := d.others
	_ = d.soc.call(func(s *socketState) error {
		d.others = s.received - d.result.Messages
		return nil
	})
	return d.others != before
}

func (d *drain) end() Drained {
	d.result.Took = time.Since(d.began)
	return d.result
}

func (d *drain) finish() { d.soc.s.endDraining(d.result) }

// endDraining notes how a loop ended. The last one logs it, unless the socket
// is closed.
func (s *socketState) endDraining(r Drained) {
	if s.Lock() != nil {
		return
	}
	all := &s.draining.result
	all.Messages += r.Messages
	all.Took, all.Quiet = time.Since(s.draining.began), r.Quiet
	s.draining.loops--
	last, ended, info := s.draining.loops == 0, *all, s.infoLocked()
	s.Unlock(0)
	if !last {
		return
	}
	level := slog.LevelInfo
	if ended.Quiet {
		level = slog.LevelDebug
	}
	s.c.logger.Log(context.Background(), level, "zmqsafe: socket drained",
		"made_at", info.Site, "socket", info.String(), "messages", ended.Messages, "took", ended.Took, "quiet", ended.Quiet)
}

// recvWithin receives a whole message as RecvMessageBytes does, with a time-out
// of its own.
func (soc *Socket) recvWithin(timeout time.Duration) (message [][]byte, err error) {
	s, err := soc.enter(context.Background())
	if err != nil {
		return nil, err
	}
	message, ready, err := tryRecvMessage[[]byte](s, s.Watched())
	s.Unlock(ready)
	if err == errAgain {
		wait := s.waitFor(guard.In, 0, true)
		wait.Timeout = timeout
		err = s.Do(context.Background(), wait, func(watched bool) (ready guard.Ready, err error) {
			message, ready, err = tryRecvMessage[[]byte](s, watched)
			return ready, err
		})
	}
	return message, err
}
