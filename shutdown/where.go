package shutdown

import (
	"fmt"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
)

// label is the key of the pprof label that goroutines of workers or steps have.
func label(kind string) string { return "shutdown " + kind }

var profiling sync.Mutex

// where tells where in the code the workers or steps of these names are: a line
// for each place, with the innermost function first. It is taken from the
// goroutine profile, which says which goroutine belongs to what. That takes its
// time, and one is made at a time: when many groups want one, most of them don't
// any more when it is their turn.
func where(wanted func() bool, kind string, names ...string) []string {
	profiling.Lock()
	defer profiling.Unlock()
	if !wanted() {
		return nil
	}
	var profile strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return nil
	}
	var places []string
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		for _, name := range names {
			if strings.Contains(stack, fmt.Sprintf("%q:%q", label(kind), name)) {
				if p := place(stack); p != "" { // else the package waits for itself
					places = append(places, p)
				}
			}
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
// without what this package calls them with.
func place(stack string) string {
	var frames []string
	for line := range strings.Lines(stack) {
		fields := strings.Fields(line)
		if len(fields) != 4 || fields[0] != "#" || !strings.HasPrefix(fields[1], "0x") {
			continue
		}
		function, _, _ := strings.Cut(fields[2], "+0x")
		if !isBetween(function) {
			frames = append(frames, function+" "+fields[3])
		}
	}
	return strings.Join(frames, " < ")
}

// between are the beginnings of functions that are between those of the program,
// or wait for them.
var between = []string{
	"runtime/pprof.Do", "runtime/trace.WithRegion", self + "protect", self + "wait[", self + "(*Group).", self + "(*takedown).",
}

const self = "github.com/zmqsafe/zmq-exit/shutdown."

func isBetween(function string) bool {
	return slices.ContainsFunc(between, func(beginning string) bool { return strings.HasPrefix(function, beginning) })
}
