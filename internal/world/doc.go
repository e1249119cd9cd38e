// Package world accounts for every message of random programs: on sockets of
// libzmq, over every transport, from both sides.
//
// A seed makes a [Plan]: pure data, the contexts and sockets of a program, its
// goroutines and what each does, and how it ends. [Run] executes it, in child
// processes ([Child]), and returns what three parties have counted: the sends
// that succeeded, the messages that the application received, and the guard's
// reports. [Check] compares them. For sockets whose messages have one receiver
// each,
//
//	received + unread <= accepted <= received + unread + possibly lost
//
// and possibly lost is 0 if the peer lived and no linger was used up, but for
// the last few messages before a peer that reads nothing while small buffers of
// the kernel are full: libzmq drops its last write then (account.go). Where
// libzmq may drop messages by its own rules there are sums of their own, see
// [Kind].
//
// The tests run a few dozen plans, and name the seed of one that fails:
//
//	go test ./internal/world -run Account -seed 4711
//	go test ./internal/world -run Account -first 5000 -messages 1000000 -timeout 0
//
// To extend the world, add what a program can do to [Plan], have [Random]
// choose it, and execute it where the program does it (side.go, sender.go,
// receiver.go). If it may lose messages, say in account.go who reports how
// many.
package world
