package world

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
)

// A message says in its first bytes which one it is: the run, the stream and
// its number there. All else follows from that: how many parts it has, and what
// is in them. So a receiver notices every byte that is not as it was sent.
const headerSize = 4 + 2 + 4

// A probe finds out whether a subscription has arrived. It belongs to a stream,
// but has no number.
const probe = ^uint32(0)

// A ghost is for a peer that doesn't exist.
const ghost = probe - 1

const noiseSize = 1 << 18

// noise is what messages are made of.
var noise = sync.OnceValue(func() []byte {
	rng := rand.New(rand.NewPCG(0, 0))
	all := make([]byte, 0, noiseSize)
	for len(all) < noiseSize {
		all = binary.LittleEndian.AppendUint64(all, rng.Uint64())
	}
	return all
})

// message makes message number of a stream, the stream of worker w.
func message(run uint32, stream int, w Worker, number uint32) [][]byte {
	parts := make([][]byte, partsOf(stream, w, number))
	for i := range parts {
		parts[i] = body(stream, w, number, i)
	}
	first := make([]byte, 0, headerSize+len(parts[0]))
	first = binary.BigEndian.AppendUint32(first, run)
	first = binary.BigEndian.AppendUint16(first, uint16(stream))
	first = binary.BigEndian.AppendUint32(first, number)
	parts[0] = append(first, parts[0]...)
	return parts
}

// identify returns which message it is, or an error if it isn't one that a
// worker of the plan sends in this run.
func identify(run uint32, p *Plan, parts [][]byte) (stream int, number uint32, err error) {
	if len(parts) == 0 || len(parts[0]) < headerSize {
		return 0, 0, fmt.Errorf("%d parts without a header", len(parts))
	}
	head := parts[0]
	if got := binary.BigEndian.Uint32(head); got != run {
		return 0, 0, fmt.Errorf("a message of run %d in run %d", got, run)
	}
	stream, number = int(binary.BigEndian.Uint16(head[4:])), binary.BigEndian.Uint32(head[6:])
	if stream >= len(p.Workers) {
		return 0, 0, fmt.Errorf("a message of stream %d, which isn't one", stream)
	}
	w := p.Workers[stream]
	if want := partsOf(stream, w, number); len(parts) != want {
		return 0, 0, fmt.Errorf("message %d of stream %d is torn: %d parts, %d were sent", number, stream, len(parts), want)
	}
	for i, part := range parts {
		if i == 0 {
			part = part[headerSize:]
		}
		if !bytes.Equal(part, body(stream, w, number, i)) {
			return 0, 0, fmt.Errorf("message %d of stream %d: part %d is not as it was sent", number, stream, i)
		}
	}
	return stream, number, nil
}

func partsOf(stream int, w Worker, number uint32) int {
	return 1 + int(mix(stream, number, 0)%uint64(w.Parts))
}

// body is what follows from the number: a piece of the noise.
func body(stream int, w Worker, number uint32, part int) []byte {
	random := mix(stream, number, part+1)
	size := int(random>>32) % (w.Size + 1)
	from := int(random&0xffffffff) % (noiseSize - size)
	return noise()[from : from+size]
}

// mix is a number that looks random, but follows from three others (the
// finalizer of SplitMix64).
func mix(a int, b uint32, c int) uint64 {
	x := (uint64(a)<<32|uint64(b))*0x9e3779b97f4a7c15 + uint64(c)*0xd1b54a32d192ed03
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
