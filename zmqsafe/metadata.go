package zmqsafe

import (
	"context"
	"runtime"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/guard"
)

// RecvWithMetadata is like [Socket.Recv], but also returns those of the
// properties that the message has: "Socket-Type", "Identity", "Resource",
// "Peer-Address" (tcp only), "User-Id" (if the peer was authenticated), and
// properties that the peer defined itself. A message over inproc has none; nor
// has one that [Socket.RecvInto] found too large. See
// https://api.zeromq.org/4-3:zmq-msg-gets.
func (soc *Socket) RecvWithMetadata(flags Flag, properties ...string) (msg string, metadata map[string]string, err error) {
	return soc.RecvWithMetadataContext(context.Background(), flags, properties...)
}

// RecvWithMetadataContext is like [Socket.RecvWithMetadata], but also ends when
// ctx is done, with ctx.Err().
func (soc *Socket) RecvWithMetadataContext(ctx context.Context, flags Flag, properties ...string) (msg string, metadata map[string]string, err error) {
	r, err := recvWithMetadata(ctx, soc, flags, properties, false)
	return owned[string](r.first()), r.metadata, err
}

// RecvBytesWithMetadata is like [Socket.RecvWithMetadata], for bytes. The slice
// belongs to the caller.
func (soc *Socket) RecvBytesWithMetadata(flags Flag, properties ...string) (msg []byte, metadata map[string]string, err error) {
	return soc.RecvBytesWithMetadataContext(context.Background(), flags, properties...)
}

// RecvBytesWithMetadataContext is like [Socket.RecvBytesWithMetadata], but also
// ends when ctx is done, with ctx.Err().
func (soc *Socket) RecvBytesWithMetadataContext(ctx context.Context, flags Flag, properties ...string) (msg []byte, metadata map[string]string, err error) {
	r, err := recvWithMetadata(ctx, soc, flags, properties, false)
	return r.first(), r.metadata, err
}

// RecvMessageWithMetadata is like [Socket.RecvMessage], but also returns those
// of the properties that the first part has, see [Socket.RecvWithMetadata].
func (soc *Socket) RecvMessageWithMetadata(flags Flag, properties ...string) (msg []string, metadata map[string]string, err error) {
	return soc.RecvMessageWithMetadataContext(context.Background(), flags, properties...)
}

// RecvMessageWithMetadataContext is like [Socket.RecvMessageWithMetadata], but
// also ends when ctx is done, with ctx.Err().
func (soc *Socket) RecvMessageWithMetadataContext(ctx context.Context, flags Flag, properties ...string) (msg []string, metadata map[string]string, err error) {
	r, err := recvWithMetadata(ctx, soc, flags, properties, true)
	for _, part := range r.parts {
		msg = append(msg, owned[string](part))
	}
	return msg, r.metadata, err
}

// RecvMessageBytesWithMetadata is like [Socket.RecvMessageWithMetadata], for
// bytes. The slices belong to the caller.
func (soc *Socket) RecvMessageBytesWithMetadata(flags Flag, properties ...string) (msg [][]byte, metadata map[string]string, err error) {
	return soc.RecvMessageBytesWithMetadataContext(context.Background(), flags, properties...)
}

// RecvMessageBytesWithMetadataContext is like
// [Socket.RecvMessageBytesWithMetadata], but also ends when ctx is done, with
// ctx.Err().
func (soc *Socket) RecvMessageBytesWithMetadataContext(ctx context.Context, flags Flag, properties ...string) (msg [][]byte, metadata map[string]string, err error) {
	r, err := recvWithMetadata(ctx, soc, flags, properties, true)
	return r.parts, r.metadata, err
}

// described is a message with its metadata, or empty after an error.
type described struct {
	parts    [][]byte
	metadata map[string]string
}

func (d described) first() []byte {
	if len(d.parts) == 0 {
		return nil
	}
	return d.parts[0]
}

// recvWithMetadata receives one part, or all parts if whole is set.
func recvWithMetadata(ctx context.Context, soc *Socket, flags Flag, properties []string, whole bool) (r described, err error) {
	s, err := soc.core()
	if err != nil {
		return described{}, err
	}
	err = s.Do(ctx, s.waitFor(guard.In, flags, false), func(watched bool) (guard.Ready, error) {
		var err error
		r, err = s.tryRecvDescribed(properties, whole)
		return s.eventsIf(watched), err
	})
	runtime.KeepAlive(soc)
	return r, err
}

// tryRecvDescribed tries to receive. The caller holds the lock.
func (s *socketState) tryRecvDescribed(properties []string, whole bool) (described, error) {
	first, metadata, more, err := s.takeDescribed(properties)
	if err != nil {
		return described{}, err
	}
	r := described{[][]byte{first}, metadata}
	if whole && more {
		rest, _, err := takeParts[[]byte](s, false)
		if err != nil {
			return described{}, err
		}
		r.parts, more = append(r.parts, rest...), false
	}
	s.partReceived(more)
	return r, nil
}

func (s *socketState) takeDescribed(properties []string) (data []byte, metadata map[string]string, more bool, err error) {
	if len(s.unread) > 0 {
		part := s.takeUnread()
		return part.data, map[string]string{}, part.more, nil
	}
	data, metadata, err = s.raw.RecvBytesWithMetadata(DONTWAIT, properties...)
	if err != nil {
		return nil, nil, false, err
	}
	more, err = s.raw.GetRcvmore()
	return data, metadata, more, err
}
