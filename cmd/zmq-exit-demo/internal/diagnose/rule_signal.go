package diagnose

// signalUnheard: the main goroutine of a program that catches signals is waiting in a raw socket, and so no signal ends the
// program. It looks the same before the signal came, so more than the usual cause of a hang this can't be.
func signalUnheard(t *trace) *Verdict {
	if t.crashed() {
		return nil
	}
	waits, catches := -1, -1
	for i := range t.stacks {
		s := &t.stacks[i]
		switch {
		case s.frame("os/signal.NotifyContext") >= 0:
			return nil // this goroutine ends with the signal: none has come
		case s.frame("main.main(") >= 0 && waits < 0:
			waits = s.frame("zmq4.(*Socket).Recv", "zmq4.(*Poller).Poll")
		case catches < 0:
			catches = s.frame("os/signal.signal_recv")
		}
	}
	if waits < 0 || catches < 0 {
		return nil
	}
	return &Verdict{
		Hazard: "sigterm", Confidence: Low,
		Why: []Evidence{
			t.quote(catches, "signal_recv", "the program catches signals, so they don't end it"),
			t.quote(waits, "zmq4", "its main goroutine waits for a message, which no signal interrupts"),
		},
		Others: []Candidate{{"no hazard", "the program wasn't asked to end, and just had nothing to do"}},
	}
}
