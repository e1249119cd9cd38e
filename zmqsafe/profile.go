package zmqsafe

import "runtime/pprof"

// profile has the stacks that made the program's open sockets, see ProfileName.
var profile = pprof.NewProfile(ProfileName)

// ProfileName is the name of a profile of package runtime/pprof that this package
// keeps: the open sockets of all contexts, by the stack that made them.
//
//	pprof.Lookup(zmqsafe.ProfileName).WriteTo(os.Stderr, 1)
//	go tool pprof http://localhost:6060/debug/pprof/zmqsafe.sockets
//
// A socket is in it until it is closed, as in Sockets. The second line is for a
// program that serves package net/http/pprof.
const ProfileName = "zmqsafe.sockets"

// enterProfile enters s with a stack that begins skip frames above the function
// that calls it, unless the context has closed it by now.
func (s *socketState) enterProfile(skip int) {
	if s.lock() == nil {
		profile.Add(s, skip+2)
		s.unlock(0)
	}
}
