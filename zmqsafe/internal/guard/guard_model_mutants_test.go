package guard

import "github.com/zmqsafe/zmq-exit/internal/mutant"

// configurations are what TestModel has spin search.
var configurations = []configuration{
	{"old: receiver and sender", "", forever, false},
	{"old: cancelled", "CANCEL=0", forever, false},
	{"old: the other is cancelled", "CANCEL=1 RECEIVERS=2 SENDERS=0 MESSAGES=2", forever, false},
	{"old: time-outs", "TIMED=2 RECEIVERS=2 SENDERS=0", forever, false},
	{"old: closed", "CLOSE", atRest, false},
	{"old: two receivers closed", "CLOSE RECEIVERS=2 SENDERS=0", forever, true},
	{"old: strangers", "STRANGERS=1", atRest, true},
	{"old: Out isn't reliable", "UNRELIABLE", forever, false},
	{"old: nobody is busy", "UNRELIABLE", busy, false},
	{"old: in the middle of a message", "WITHIN", forever, false},
	{"old: poll and receiver", "POLLS=1 SENDERS=0 MESSAGES=2", forever, false},
	{"old: poll and sender", "POLLS=1 RECEIVERS=0 MESSAGES=2", forever, false},
	{"old: poll for Out and receiver", "POLLS=1 WANTED=OUT SENDERS=0", forever, false},
	{"old: poll and sender closed", "POLLS=1 RECEIVERS=0 CLOSE", atRest, true},
	{"old: poll, cancelled", "POLLS=1 RECEIVERS=0 CANCEL=1", atRest, false},
	{"old: two receivers and a sender", "RECEIVERS=2 MESSAGES=2", atRest, true},
	{"old: two senders and a receiver", "SENDERS=2 ROOM=2", atRest, true},
	{"old: receiver, sender and poll", "POLLS=1", atRest, true},
	{"old: two receivers and a sender, one cancelled", "RECEIVERS=2 CANCEL=1", atRest, true},
	{"old: two receivers and a sender, closed", "RECEIVERS=2 CLOSE", atRest, true},
	{"old: receiver, sender and poll, cancelled", "POLLS=1 CANCEL=2", atRest, true},

	{"new: receiver and sender", "NEW", forever, false},
	{"new: nobody is busy", "NEW BOUNDED UNRELIABLE", busy, true},
	{"new: Out isn't reliable", "NEW UNRELIABLE", forever, false},
	{"new: cancelled", "NEW BOUNDED SLEEPS CANCEL=0 SENDERS=0", forever, false},
	{"new: receiver and sender, cancelled", "NEW CANCEL=0", atRest, false},
	{"new: time-outs", "NEW TIMED=2 RECEIVERS=2 SENDERS=0", forever, false},
	{"new: bounded poll", "NEW BOUNDED", forever, false},
	{"new: bounded poll that sleeps", "NEW BOUNDED SLEEPS", atRest, false},
	{"new: bounded poll that sleeps, closed", "NEW BOUNDED SLEEPS CLOSE SENDERS=0 STRANGERS=1", atRest, false},
	{"new: closed", "NEW CLOSE", atRest, true},
	{"new: no descriptor, shared epoll", "NEW FALLBACK=CHANNEL", atRest, false},
	{"new: no descriptor, time", "NEW FALLBACK=TIME", forever, false},
	{"new: in the middle of a message", "NEW WITHIN", forever, false},
	{"new: two calls each", "NEW CALLS=2 SENDERS=0 STRANGERS=1 MESSAGES=2", atRest, false},
	{"new: poll and receiver", "NEW POLLS=1 SENDERS=0 MESSAGES=2", forever, false},
	{"new: poll and sender", "NEW POLLS=1 RECEIVERS=0 MESSAGES=2", forever, true},
	{"new: poll, closed", "NEW POLLS=1 RECEIVERS=0 CLOSE", atRest, true},
	{"new: poll, cancelled", "NEW POLLS=1 RECEIVERS=0 CANCEL=1", atRest, false},
	{"new: two receivers and a sender", "NEW RECEIVERS=2 MESSAGES=2", atRest, true},
	{"new: two senders and a receiver", "NEW SENDERS=2 ROOM=2", atRest, true},
	{"new: two receivers and a sender, bounded poll", "NEW BOUNDED SLEEPS RECEIVERS=2 MESSAGES=2", atRest, true},
	{"new: bounded poll, closed", "NEW BOUNDED SLEEPS CLOSE", atRest, true},
	{"new: receiver, sender and poll", "NEW POLLS=1", atRest, true},
	{"new: two receivers and a sender, one cancelled", "NEW RECEIVERS=2 CANCEL=1", atRest, true},
}

// modelMutant is a fault in the model, with the configuration that finds it.
type modelMutant struct {
	mutant.Mutant
	in   string
	more bool // it isn't one of TestMutants
}

const (
	waitFile = "model/wait.pml"
	oldFile  = "model/park_old.pml"
	newFile  = "model/park_new.pml"
)

func oldMutant(in, name, file string, edits ...[2]string) modelMutant {
	return modelMutant{mutant.Mutant{Name: name, File: file, Edits: edits}, in, false}
}

func moreMutant(in, name, file string, edits ...[2]string) modelMutant {
	return modelMutant{mutant.Mutant{Name: name, File: file, Edits: edits}, in, true}
}

// modelMutants are those of TestMutants, by the same names, and those of the
// new wait.
var modelMutants = []modelMutant{
	// Wake-ups that calls owe to those who wait.
	oldMutant("old: receiver and sender", "Unlock doesn't wake receivers", waitFile, [2]string{"wake(ready & ~mine)", "wake(ready & ~mine & ~BIT(IN))"}),
	oldMutant("old: receiver and sender", "Unlock doesn't wake senders", waitFile, [2]string{"wake(ready & ~mine)", "wake(ready & ~mine & ~BIT(OUT))"}),
	oldMutant("old: poll and receiver", "Unlock doesn't notify watches", waitFile, [2]string{"wake(ready & ~mine);\n\tnotify(ready)", "wake(ready & ~mine)"}),
	oldMutant("old: receiver and sender", "Wake doesn't wake receivers", waitFile, [2]string{"wakeWaiter(IN);\n\twakeWaiter(OUT)", "wakeWaiter(OUT)"}),
	oldMutant("old: receiver and sender", "Wake doesn't wake senders", waitFile, [2]string{"wakeWaiter(IN);\n\twakeWaiter(OUT)", "wakeWaiter(IN)"}),
	oldMutant("old: poll and receiver", "Wake doesn't notify watches", waitFile, [2]string{"notify(BOTH)", "skip"}),
	oldMutant("old: receiver and sender", "a waiter doesn't wake the other direction", waitFile, [2]string{"wake(ready & ~BIT(dir));", ""}),
	oldMutant("old: poll and receiver", "a waiter doesn't notify watches", waitFile, [2]string{"wake(ready & ~BIT(dir)); notify(ready);", "wake(ready & ~BIT(dir));"}),
	oldMutant("old: poll and sender", "a poll doesn't pass on what it learns", waitFile, [2]string{"unlock() };\n\tpassOn();", "unlock() };"}),

	// What a call has to know to owe them.
	oldMutant("old: receiver and sender", "the first try doesn't learn of waiters", waitFile, [2]string{"\twhoElseWaits();\n", "\tothers = false;\n"}),
	oldMutant("old: receiver and sender", "a try doesn't learn of the other waiter", waitFile, [2]string{"others = isWaiting(1 - dir)", "others = false"}),
	oldMutant("old: poll and receiver", "a try doesn't learn of watches", waitFile, [2]string{":: !others -> others = watched", ":: !others"}),
	oldMutant("old: receiver and sender", "Watched forgets receivers", waitFile, [2]string{"others = isWaiting(IN) }", "others = false }"}),
	oldMutant("old: receiver and sender", "Watched forgets senders", waitFile, [2]string{"isWaiting(OUT) -> others = true", "false"}, [2]string{"!others && !isWaiting(OUT)", "!others"}),
	oldMutant("old: poll and sender", "Watched forgets watches", waitFile, [2]string{"!isWaiting(OUT) -> others = watched", "!isWaiting(OUT)"}),

	// The order of a wait.
	oldMutant("old: receiver and sender", "waiting is set after the try", waitFile, [2]string{"\tbeginWait(dir);\n", ""}, [2]string{"\tpark(dir);\n", "\tbeginWait(dir);\n\tpark(dir);\n"}),
	oldMutant("old: receiver and sender", "no second try when it is ready since the first", waitFile, [2]string{"!ok && RELIABLE(dir) && (ready & BIT(dir))", "false"}),
	oldMutant("old: receiver and sender", "the resource isn't armed", waitFile, [2]string{"arm(dir); ", ""}),
	oldMutant("old: receiver and sender", "an Unpark before the Park is lost", oldFile, [2]string{":: else -> token[d] = true", ":: else"}),
	oldMutant("old: poll and receiver", "a watch is entered after Events is read", waitFile,
		[2]string{"\td_step { !watchlock -> watch = true; watched = true };\n\tatomic { events(); unlock() };", "\tevents();\n\td_step { !watchlock -> watch = true; watched = true };\n\tunlock();"}),
	oldMutant("old: poll and receiver", "a poll doesn't arm", waitFile, [2]string{"enter(); armPoll()", "enter()"}),

	// Slots.
	oldMutant("old: the other is cancelled", "the slot isn't given back", waitFile, [2]string{"holds[dir]--; slot[dir] = true;", "holds[dir]--;"}),
	oldMutant("old: receiver and sender", "waiting isn't reset", waitFile, [2]string{"\t\tendWait(dir);\n", ""}),
	oldMutant("old: two receivers closed", "two hold the slot", waitFile, [2]string{"slot[dir] -> slot[dir] = false", "true"}),

	// Senders that can't rely on Out.
	oldMutant("old: Out isn't reliable", "no recheck", oldFile, [2]string{"!RELIABLE(d) && TIMEPASSES", "false"}),
	oldMutant("old: nobody is busy", "a sender spins while Out is reported", waitFile, [2]string{"!ok && RELIABLE(dir) && (ready", "!ok && (ready"}),
	oldMutant("old: nobody is busy", "a waiter wakes itself", waitFile, [2]string{"wake(ready & ~BIT(dir))", "wake(ready)"}),

	// What ends a wait.
	oldMutant("old: time-outs", "a time-out doesn't end a wait", oldFile, [2]string{"parked[d] = false; result = AGAIN", "parked[d] = false; result = OK"}, [2]string{":: EXPIRES -> result = AGAIN", ""}),
	oldMutant("old: time-outs", "a time-out doesn't end a wait for the slot", waitFile, [2]string{"\t:: EXPIRES -> result = AGAIN; goto leave\n", ""}),
	oldMutant("old: cancelled", "a context doesn't end a wait", oldFile,
		[2]string{"\t:: d_step { cancelled[me] -> result = CANCELLED }\n\t:: EXPIRES", "\t:: EXPIRES"}, [2]string{"!token[d] && !cancelled[me]", "!token[d]"}, [2]string{"parked[d] && cancelled[me]", "false"}),
	oldMutant("old: the other is cancelled", "a context doesn't end a wait for the slot", waitFile, [2]string{"\t:: cancelled[me] -> result = CANCELLED; goto leave\n\t:: EXPIRES", "\t:: EXPIRES"}),
	oldMutant("old: strangers", "DONTWAIT waits", waitFile, [2]string{":: !ok && !MAYWAIT ->", ":: false ->"}),
	oldMutant("old: closed", "Close doesn't wake who is parked", waitFile, [2]string{":: first -> wakeAll(); unlock()", ":: first -> unlock()"}),
	oldMutant("old: closed", "Close doesn't end waits for the slot", waitFile, [2]string{"; done = true", ""}),

	// States.
	oldMutant("old: closed", "a closing guard admits calls", waitFile, [2]string{":: state != OPEN -> unlock(); goto refused", ":: state == CLOSED -> unlock(); goto refused"}),
	oldMutant("old: closed", "a second Close wins", waitFile, [2]string{"first = (state == OPEN)", "first = (state != CLOSED)"}),
	oldMutant("old: closed", "the resource is released while the guard is open", waitFile, [2]string{"!locked && state == CLOSING ->", "!locked && state != CLOSED ->"}),
	oldMutant("old: closed", "the resource is released twice", waitFile, [2]string{"released = true; state = CLOSED;", "released = true;"}),

	// Queues.
	oldMutant("old: poll and receiver", "a notified watch isn't queued", waitFile, [2]string{"watch = false; push() }", "watch = false }"}),
	oldMutant("old: poll and receiver", "a notified watch stays", waitFile, [2]string{"watch = false; push() }", "push() }"}),
	oldMutant("old: poll and receiver", "a notified poll isn't woken", waitFile, [2]string{"\t\t\twakePoll();\n", ""}),
	oldMutant("old: poll and receiver", "what was taken is never queued again", oldFile,
		[2]string{"bool edge;", "bool once;\nbool edge;"}, [2]string{"assert(!queued); queued = true", "queued = !once"}, [2]string{"pollToken = false }\n\ninline wakePoll", "pollToken = false; once = true }\n\ninline wakePoll"}),
	oldMutant("old: poll and receiver", "a Wake before the Wait is lost", oldFile, [2]string{":: else -> pollToken = true", ":: else"}),

	// What libzmq's callers owe.
	moreMutant("old: in the middle of a message", "a try keeps to itself what it reads", waitFile, [2]string{"MIDMESSAGE(d) -> ready = BIT(d)", "MIDMESSAGE(d)"}),
	moreMutant("new: in the middle of a message", "a try keeps to itself what it reads", waitFile, [2]string{"MIDMESSAGE(d) -> ready = BIT(d)", "MIDMESSAGE(d)"}),

	// The new wait: each edge that can be eaten, and each way to wait.
	moreMutant("new: receiver and sender", "Unlock doesn't wake receivers", waitFile, [2]string{"wake(ready & ~mine)", "wake(ready & ~mine & ~BIT(IN))"}),
	moreMutant("new: receiver and sender", "Unlock doesn't wake senders", waitFile, [2]string{"wake(ready & ~mine)", "wake(ready & ~mine & ~BIT(OUT))"}),
	moreMutant("new: poll and receiver", "Unlock doesn't notify watches", waitFile, [2]string{"wake(ready & ~mine);\n\tnotify(ready)", "wake(ready & ~mine)"}),
	moreMutant("new: receiver and sender", "a waiter doesn't wake the other direction", waitFile, [2]string{"wake(ready & ~BIT(dir));", ""}),
	moreMutant("new: poll and sender", "a poll doesn't pass on what it learns", waitFile, [2]string{"unlock() };\n\tpassOn();", "unlock() };"}),
	moreMutant("new: receiver and sender", "the first try doesn't learn of waiters", waitFile, [2]string{"\twhoElseWaits();\n", "\tothers = false;\n"}),
	moreMutant("new: receiver and sender", "no second try when it is ready since the first", waitFile, [2]string{"!ok && RELIABLE(dir) && (ready & BIT(dir))", "false"}),
	moreMutant("new: closed", "Close doesn't wake who is parked", waitFile, [2]string{":: first -> wakeAll(); unlock()", ":: first -> unlock()"}),
	moreMutant("new: receiver and sender", "nobody looks at the level before parking", newFile, [2]string{"\t\t\t:: LEVEL\n\t\t\t:: !LEVEL ->\n", "\t\t\t:: true ->\n"}),
	moreMutant("new: receiver and sender", "the netpoller doesn't wake a receiver", newFile, [2]string{"event[IN] = (way[IN] == NET);", "event[IN] = false;"}),
	moreMutant("new: receiver and sender", "Out waits for the descriptor to be writable", newFile, [2]string{"event[OUT] = (way[OUT] == NET);", "event[OUT] = false;"}),
	moreMutant("new: receiver and sender", "who eats an edge doesn't end a park", newFile, [2]string{"way[d] == NET -> late[d] = true", "way[d] == NET"}),
	moreMutant("new: bounded poll that sleeps", "who eats an edge doesn't ring a ppoll", newFile, [2]string{"\t\tbell = true\n", "\t\tskip\n"}),
	moreMutant("new: bounded poll that sleeps", "the bell is emptied after the phase is set", newFile,
		[2]string{"\t\tbell = false; /* before the phase says that somebody may ring */\n", ""}, [2]string{"phase[d] = POLLING };\n", "phase[d] = POLLING };\n\t\t\tbell = false;\n"}),
	moreMutant("new: receiver and sender", "a park overwrites a wake-up", newFile,
		[2]string{"\t:: phase[d] == WOKEN\n\t:: atomic { phase[d] == TRYING -> phase[d] = PARKED };", "\t:: true -> phase[d] = PARKED;"}),
	moreMutant("new: bounded poll that sleeps", "a ppoll overwrites a wake-up", newFile,
		[2]string{"\t\t:: phase[d] == WOKEN\n\t\t:: atomic { phase[d] == TRYING -> phase[d] = POLLING };", "\t\t:: true -> phase[d] = POLLING;"}),
	moreMutant("new: receiver and sender", "the deadline is set after the phase", newFile, [2]string{"phase[d] == TRYING -> phase[d] = PARKED };\n", "phase[d] == TRYING -> phase[d] = PARKED };\n\t\tlate[d] = false;\n"}),
	moreMutant("new: cancelled", "the context is looked at before the wake-up is taken", newFile,
		[2]string{"woken:\n\tphase[d] = TRYING; /* what came before is seen by the try */\n", "woken:\n"}, [2]string{"\t:: !cancelled[me]\n\tfi\n}\n\n/* ppoll", "\t:: !cancelled[me]\n\tfi;\n\tphase[d] = TRYING\n}\n\n/* ppoll"}),
	moreMutant("new: cancelled", "a context doesn't end a wait", newFile, [2]string{":: registered[c] && c < CALLERS -> wakeWaiter(DIRECTION(c))", ":: registered[c]"}),
	moreMutant("new: two calls each", "waiting is set after the lock is given back", newFile, [2]string{"mine = BIT(d); phase[d] = TRYING; registered[me] = true", "mine = BIT(d); registered[me] = true"},
		[2]string{"inline park(d) {\n", "inline park(d) {\n\tif\n\t:: phase[d] == NOBODY -> phase[d] = TRYING\n\t:: phase[d] != NOBODY\n\tfi;\n"}),
	moreMutant("new: no descriptor, shared epoll", "the fallback doesn't try again before it waits", newFile, [2]string{"\t\t:: way[d] == NET -> slot[d] = false;", "\t\t:: true -> slot[d] = false;"}),
	moreMutant("new: no descriptor, shared epoll", "who eats an edge doesn't wake the fallback", newFile, [2]string{"way[d] != NET -> token[d] = true", "way[d] != NET"}),
	moreMutant("new: bounded poll that sleeps, closed", "ppoll uses a descriptor that is not its own", newFile, [2]string{":: d_step { !evicted[d] -> using[d] = true };\n\t\tif\n\t\t:: LEVEL || bell", ":: true ->\n\t\tif\n\t\t:: LEVEL || bell"}),
	moreMutant("new: poll and receiver", "an edge of the set isn't queued", newFile, [2]string{"queued = queued || setEdge; setEdge = false", "setEdge = false"}),
	moreMutant("new: poll and receiver", "who eats an edge doesn't end a poll's park", newFile, [2]string{"pollPhase = WOKEN }; setLate = true", "pollPhase = WOKEN }"}),
	moreMutant("new: poll and receiver", "a poll that parks overwrites a wake-up", newFile, [2]string{"\t:: pollPhase == WOKEN\n\t:: atomic { pollPhase == TRYING -> pollPhase = PARKED };", "\t:: true -> pollPhase = PARKED;"}),
	moreMutant("new: poll and receiver", "a poll doesn't look at its set before parking", newFile, [2]string{"\t\t\t:: setEdge\n\t\t\t:: !setEdge ->\n", "\t\t\t:: true ->\n"}),
}
