package zmqsafe

import "slices"

// pollList is what a Poller stands for, all guarded by its mu. It outlives a Poller
// that was dropped, so nothing that it reaches may lead back to the Poller.
type pollList struct {
	items    []pollItem
	contexts map[*contextState]int // of how many items
	queue    *pollQueue
	taken    []*watch // for check, kept to save allocations
}

// pollItem is one Add.
type pollItem struct {
	soc *Socket
	*watch
}

func (l *pollList) check(all bool) (polled []Polled, done bool, err error) {
	if len(l.items) == 0 {
		return []Polled{}, true, nil
	}
	if err := l.drain(); err != nil {
		return []Polled{}, true, err
	}
	l.taken = l.queue.take(l.taken[:0])
	defer func() { clear(l.taken) }() // or it would keep what is removed later
	slices.SortFunc(l.taken, func(a, b *watch) int { return a.index - b.index })
	ready := l.taken[:0]
	for i, w := range l.taken {
		if w.ready, err = w.check(); err != nil {
			l.queue.add(l.taken[i:]...)
			return []Polled{}, true, err
		}
		if w.ready != 0 {
			ready = append(ready, w)
		}
	}
	return l.polled(ready, all), len(ready) > 0, nil
}

func (l *pollList) polled(ready []*watch, all bool) []Polled {
	if !all {
		polled := make([]Polled, len(ready))
		for i, w := range ready {
			polled[i] = Polled{l.items[w.index].soc, w.ready}
		}
		return polled
	}
	polled := make([]Polled, len(l.items))
	for i, item := range l.items {
		polled[i].Socket = item.soc
	}
	for _, w := range ready {
		polled[w.index].Events = w.ready
	}
	return polled
}

// drain sees to it that all is queued to which something has happened by now: the
// waker may not have got to it. A Poll without waiting would depend on that.
func (l *pollList) drain() error {
	if l.queue.len() == len(l.items) {
		return nil
	}
	for c := range l.contexts {
		if err := c.waker.drain(); err != nil {
			return err
		}
	}
	return nil
}

func (l *pollList) add(soc *Socket, events State) (id int) {
	w := &watch{queue: l.queue, index: len(l.items)}
	w.s, _ = soc.core()
	w.events.Store(int32(events))
	if w.s != nil {
		l.contexts[w.s.c]++
	}
	l.items = append(l.items, pollItem{soc, w})
	l.queue.add(w)
	l.queue.kick()
	return w.index
}

func (l *pollList) find(soc *Socket) (id int) {
	return slices.IndexFunc(l.items, func(item pollItem) bool { return item.soc == soc })
}

func (l *pollList) update(id int, events State) (previous State, err error) {
	if id < 0 || id >= len(l.items) {
		return 0, ErrorNoSocket
	}
	w := l.items[id].watch
	previous = State(w.events.Swap(int32(events)))
	l.queue.add(w)
	l.queue.kick()
	return previous, nil
}

func (l *pollList) remove(id int) error {
	if id < 0 || id >= len(l.items) {
		return ErrorNoSocket
	}
	w := l.items[id].watch
	w.stop()
	if w.s != nil {
		if l.contexts[w.s.c]--; l.contexts[w.s.c] == 0 {
			delete(l.contexts, w.s.c)
		}
	}
	l.items = slices.Delete(l.items, id, id+1)
	for _, item := range l.items[id:] {
		item.index--
	}
	l.queue.kick() // a Poll of nothing returns
	return nil
}

func (l *pollList) stop() {
	for _, item := range l.items {
		item.stop()
	}
}
