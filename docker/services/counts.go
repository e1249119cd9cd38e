package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// counts is a file that all three programs map into their memory. What a
// program has written remains when it is killed, and a message costs no system
// call. Each word has one program that writes it.
//
// Messages are numbered from 0, in the order in which the sender's sends accept
// them.
type counts struct {
	memory []byte
	*words
	seen  []byte // a bit for each message that was delivered
	noted bool   // this process has recorded a message
}

type words struct {
	accepted   atomic.Uint64 // sender: messages that sends have accepted, so also the number of the next one
	taken      atomic.Uint64 // guarded broker, when it ends: messages that it has received
	forwarded  atomic.Uint64 // guarded broker, when it ends: messages that its sends have accepted
	delivered  atomic.Uint64 // receiver: messages that were received for the first time
	duplicates atomic.Uint64 // receiver: messages that were received before
	first      atomic.Uint64 // receiver: the first message since it was started, plus 1
}

const (
	headerSize = 4096
	bitmapSize = 1 << 30 // bytes; the file is sparse
	maxNumber  = bitmapSize * 8
)

func openCounts(dir string) (*counts, error) {
	f, err := os.OpenFile(filepath.Join(dir, "counts"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Truncate(headerSize + bitmapSize); err != nil {
		return nil, err
	}
	memory, err := syscall.Mmap(int(f.Fd()), 0, headerSize+bitmapSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	return &counts{memory: memory, words: (*words)(unsafe.Pointer(&memory[0])), seen: memory[headerSize:]}, nil
}

func (c *counts) close() error { return syscall.Munmap(c.memory) }

// next returns the message that the sender sends next. The sender increases
// accepted when that has succeeded.
func (c *counts) next() []byte { return binary.BigEndian.AppendUint64(nil, c.accepted.Load()) }

// note records a message that the receiver has received.
func (c *counts) note(message []byte) error {
	if len(message) != 8 {
		return fmt.Errorf("a message of %d bytes was received: want the 8 of a number", len(message))
	}
	n := binary.BigEndian.Uint64(message)
	if n >= maxNumber {
		return fmt.Errorf("message %d was received: want a number less than %d; remove the counts to begin anew", n, uint64(maxNumber))
	}
	if !c.noted {
		c.first.Store(n + 1)
		c.noted = true
	}
	if bit := byte(1) << (n % 8); c.seen[n/8]&bit == 0 {
		c.seen[n/8] |= bit
		c.delivered.Add(1)
	} else {
		c.duplicates.Add(1)
	}
	return nil
}

// noteBroker records what the sockets of the broker have done.
func (c *counts) noteBroker(sockets []zmqsafe.SocketInfo) {
	for _, s := range sockets {
		switch s.Type {
		case zmqsafe.PULL:
			c.taken.Store(s.Received)
		case zmqsafe.PUSH:
			c.forwarded.Store(s.Accepted)
		}
	}
}

// lost returns the number of messages, from a number on, that were accepted and
// not delivered.
func (c *counts) lost(from uint64) (n uint64) {
	for accepted := c.accepted.Load(); from < accepted; from++ {
		if c.seen[from/8]&(1<<(from%8)) == 0 {
			n++
		}
	}
	return n
}

// String is one line for scripts.
func (c *counts) String() string {
	first, lostLive := "none", uint64(0)
	if f := c.first.Load(); f > 0 {
		first, lostLive = fmt.Sprint(f-1), c.lost(f-1)
	}
	return fmt.Sprintf("accepted=%d taken=%d forwarded=%d delivered=%d duplicates=%d lost=%d first=%s lost_live=%d",
		c.accepted.Load(), c.taken.Load(), c.forwarded.Load(), c.delivered.Load(), c.duplicates.Load(), c.lost(0), first, lostLive)
}
