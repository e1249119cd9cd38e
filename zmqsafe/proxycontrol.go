package zmqsafe

import (
	"context"
	"encoding/binary"
)

// command obeys a message on the control socket.
func (p *proxy) command(ctx context.Context) (done bool, err error) {
	parts, err := recvMessage[string](ctx, p.control, DONTWAIT)
	switch {
	case err == errAgain:
		return false, nil // somebody else received it
	case err != nil:
		return true, err
	case len(parts) != 1:
		return true, invalid("ProxySteerable: a command of %d parts; want one: PAUSE, RESUME, TERMINATE or STATISTICS", len(parts))
	}
	reply := []any{""}
	switch parts[0] {
	case "PAUSE":
		p.paused = true
	case "RESUME":
		p.paused = false
	case "TERMINATE":
		done = true
	case "STATISTICS":
		reply = p.statistics()
	default:
		return true, invalid("ProxySteerable: unknown command %q; want PAUSE, RESUME, TERMINATE or STATISTICS", parts[0])
	}
	if parts[0] == "STATISTICS" || p.control.s.typ == REP {
		_, err = p.control.SendMessageContext(ctx, reply...)
	}
	return done, err
}

func (p *proxy) statistics() []any {
	front, back := p.legs[0], new(leg)
	if len(p.legs) > 1 {
		back = p.legs[1]
	}
	var parts []any
	for _, n := range []uint64{
		front.messages, front.bytes, back.messages, back.bytes, // frontend: in, out
		back.messages, back.bytes, front.messages, front.bytes, // backend: in, out
	} {
		parts = append(parts, binary.NativeEndian.AppendUint64(nil, n))
	}
	return parts
}
