package zmqsafe

import "context"

// RecvWithMetadata is Recv that also returns those of the properties that the
// message has: "Socket-Type", "Identity", "Resource", "Peer-Address" (tcp only),
// "User-Id" where the peer was authenticated, and what the peer sent of its own.
// A message over inproc has none, nor has one that RecvInto found too large. See
// https://api.zeromq.org/4-3:zmq-msg-gets.
func (soc *Socket) RecvWithMetadata(flags Flag, properties ...string) (msg string, metadata map[string]string, err error) {
	return soc.RecvWithMetadataContext(context.Background(), flags, properties...)
}

// RecvWithMetadataContext is RecvWithMetadata that also ends when ctx is done,
// with ctx.Err().
func (soc *Socket) RecvWithMetadataContext(ctx context.Context, flags Flag, properties ...string) (msg string, metadata map[string]string, err error) {
	r, err := recvWithMetadata(ctx, soc, flags, properties, false)
	return owned[string](r.first()), r.metadata, err
}

// RecvBytesWithMetadata is RecvWithMetadata for bytes. The slice is the caller's.
func (soc *Socket) RecvBytesWithMetadata(flags Flag, properties ...string) (msg []byte, metadata map[string]string, err error) {
	return soc.RecvBytesWithMetadataContext(context.Background(), flags, properties...)
}

// RecvBytesWithMetadataContext is RecvBytesWithMetadata that also ends when ctx
// is done, with ctx.Err().
func (soc *Socket) RecvBytesWithMetadataContext(ctx context.Context, flags Flag, properties ...string) (msg []byte, metadata map[string]string, err error) {
	r, err := recvWithMetadata(ctx, soc, flags, properties, false)
	return r.first(), r.metadata, err
}

// RecvMessageWithMetadata is RecvMessage that also returns those of the
// properties that the first part has, see RecvWithMetadata.
func (soc *Socket) RecvMessageWithMetadata(flags Flag, properties ...string) (msg []string, metadata map[string]string, err error) {
	return soc.RecvMessageWithMetadataContext(context.Background(), flags, properties...)
}

// RecvMessageWithMetadataContext is RecvMessageWithMetadata that also ends when
// ctx is done, with ctx.Err().
func (soc *Socket) RecvMessageWithMetadataContext(ctx context.Context, flags Flag, properties ...string) (msg []string, metadata map[string]string, err error) {
	r, err := recvWithMetadata(ctx, soc, flags, properties, true)
	for _, part := range r.parts {
		msg = append(msg, owned[string](part))
	}
	return msg, r.metadata, err
}

// RecvMessageBytesWithMetadata is RecvMessageWithMetadata for bytes. The slices
// are the caller's.
func (soc *Socket) RecvMessageBytesWithMetadata(flags Flag, properties ...string) (msg [][]byte, metadata map[string]string, err error) {
	return soc.RecvMessageBytesWithMetadataContext(context.Background(), flags, properties...)
}

// RecvMessageBytesWithMetadataContext is RecvMessageBytesWithMetadata that also
// ends when ctx is done, with ctx.Err().
func (soc *Socket) RecvMessageBytesWithMetadataContext(ctx context.Context, flags Flag, properties ...string) (msg [][]byte, metadata map[string]string, err error) {
	r, err := recvWithMetadata(ctx, soc, flags, properties, true)
	return r.parts, r.metadata, err
}

// described is what was received, and nothing on error.
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

// recvWithMetadata receives one part, or with whole all parts.
func recvWithMetadata(ctx context.Context, soc *Socket, flags Flag, properties []string, whole bool) (described, error) {
	return do(ctx, soc, POLLIN, flags, func(s *socketState, watched bool) (described, State, error) {
		first, metadata, err := s.recvDescribed(properties)
		if err != nil {
			return described{}, s.eventsIf(watched), err
		}
		r := described{[][]byte{first}, metadata}
		if whole && s.rcvmore {
			rest, ready, err := recvParts[[]byte](s, watched)
			if err != nil {
				return described{}, ready, err
			}
			r.parts = append(r.parts, rest...)
		}
		if !s.rcvmore {
			s.received++
		}
		return r, s.eventsIf(watched), nil
	})
}

// recvDescribed tries to receive one part. The caller holds mu.
func (s *socketState) recvDescribed(properties []string) ([]byte, map[string]string, error) {
	if len(s.unread) > 0 {
		return s.takeUnread().data, map[string]string{}, nil
	}
	data, metadata, err := s.raw.RecvBytesWithMetadata(DONTWAIT, properties...)
	if err != nil {
		return nil, nil, err
	}
	s.rcvmore, err = s.raw.GetRcvmore()
	return data, metadata, err
}
