package shutdown

import (
	"fmt"
	"log/slog"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"time"
)

// minWarning is the shortest time after which a warning comes, since finding
// the place where a program waits takes time.
const minWarning = 50 * time.Millisecond

// warnHalfway logs a warning when half of bound has passed, unless waiting,
// which returns the names of the workers or steps that the stop waits for, is
// empty at that time or the timer is stopped. The wait began at a time that may
// have passed.
func (g *Group) warnHalfway(kind string, began time.Time, bound time.Duration, waiting func() []string) *time.Timer {
	return time.AfterFunc(max(bound/2, minWarning), func() {
		at := where(kind, waiting)
		since := short(time.Since(began))
		if names := waiting(); len(names) > 0 {
			g.log(func(log *slog.Logger) {
				log.Warn("shutdown: still waiting", "kind", kind, "names", counted(names), "since", since, "timeout", short(bound), "at", at)
			})
		}
	})
}

// counted returns names without repetitions, such as "pull (2)" for two pulls.
func counted(names []string) []string {
	counts := make(map[string]int)
	var list []string
	for _, name := range names {
		if counts[name]++; counts[name] == 1 {
			list = append(list, name)
		}
	}
	for i, name := range list {
		if n := counts[name]; n > 1 {
			list[i] = fmt.Sprintf("%s (%d)", name, n)
		}
	}
	return list
}

// label returns the key of the pprof label of workers or steps.
func label(kind string) string { return "shutdown " + kind }

var profiling sync.Mutex

// where returns the places in the code where goroutines of the waiting workers
// or steps are, one line for each, innermost function first. The goroutine
// profile says which goroutine belongs to which worker. It takes time, so only
// one is made at once; when many groups want one, most of them no longer wait
// when it is their turn.
func where(kind string, waiting func() []string) []string {
	profiling.Lock()
	defer profiling.Unlock()
	names := waiting()
	if len(names) == 0 {
		return nil
	}
	var profile strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return nil
	}
	var places []string
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		isOf := func(name string) bool { return strings.Contains(stack, fmt.Sprintf("%q:%q", label(kind), name)) }
		if p := place(stack); p != "" && slices.ContainsFunc(names, isOf) {
			places = append(places, p)
		}
	}
	return places
}

// place makes one line of a stack of the goroutine profile, such as
//
//	3 @ 0x47d96e 0x45f146
//	# labels: {"shutdown worker":"feed"}
//	#	0x4dc10f	main.feed+0xf	/src/main.go:3
//
// It leaves out the functions of this package, so it returns "" for a goroutine
// that is waiting in this package.
func place(stack string) string {
	var frames []string
	for line := range strings.Lines(stack) {
		fields := strings.Fields(line)
		if len(fields) != 4 || fields[0] != "#" || !strings.HasPrefix(fields[1], "0x") {
			continue
		}
		function, _, _ := strings.Cut(fields[2], "+0x")
		if !slices.ContainsFunc(between, func(beginning string) bool { return strings.HasPrefix(function, beginning) }) {
			frames = append(frames, function+" "+fields[3])
		}
	}
	return strings.Join(frames, " < ")
}

const self = "github.com/zmqsafe/zmq-exit/shutdown."

// between has the beginnings of the functions that call those of the program,
// or wait for them.
var between = []string{
	"context.(*cancelCtx).", "runtime/pprof.Do", "runtime/trace.WithRegion", self + "protect", self + "wait[", self + "(*Group).", self + "(*takedown).",
}
