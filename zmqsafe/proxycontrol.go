package zmqsafe

import (
	"context"
	"encoding/binary"
)

// obey takes a command from the control socket, if it is readable, and answers.
// The answer to one command is sent before the next command is taken; the proxy
// doesn't wait for that.
func (p *proxy) obey(readable bool) (done bool, err error) {
	if readable && p.answer == nil {
		if done, err = p.command(); err != nil {
			return true, err
		}
	}
	if p.answer == nil {
		return done, nil
	}
	_, err = p.control.SendMessageDontwait(p.answer...)
	if err == errAgain {
		return done, nil
	}
	p.answer = nil
	return done, err
}

func (p *proxy) command() (terminate bool, err error) {
	parts, err := recvMessage[string](context.Background(), p.control, DONTWAIT)
	switch {
	case err == errAgain:
		return false, nil // somebody else received it
	case err != nil:
		return false, err
	case len(parts) != 1:
		return false, invalid("ProxySteerable: a command of %d parts; want one: PAUSE, RESUME, TERMINATE or STATISTICS", len(parts))
	}
	if p.control.s.typ == REP {
		p.answer = []any{""}
	}
	switch parts[0] {
	case "PAUSE":
		p.paused = true
	case "RESUME":
		p.paused = false
	case "TERMINATE":
		terminate = true
	case "STATISTICS":
		p.answer = p.statistics()
	default:
		err = invalid("ProxySteerable: unknown command %q; want PAUSE, RESUME, TERMINATE or STATISTICS", parts[0])
	}
	return terminate, err
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
