package diagnose

// signalUnheard: the program catches signals, and its main goroutine waits in a
// socket of pebbe/zmq4, so no signal ends the program. It looks the same before
// any signal has come, so the confidence is low.
func signalUnheard(t *trace) *Verdict {
	waits, catches := -1, -1
	for _, s := range t.stacks {
		switch {
		case s.frame("os/signal.NotifyContext") >= 0:
			return nil // this goroutine ends with the signal, so none has come
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
		Others: []Candidate{{"no hazard", "nobody asked the program to end, and it just had nothing to do"}},
	}
}
