package shutdown

import (
	"fmt"
	"runtime/pprof"
	"strings"
)

// label is the key of the pprof label that goroutines of workers or steps have.
func label(kind string) string { return "shutdown " + kind }

// where tells where in the code the workers or steps of these names are: a line
// for each place, with the innermost function first. It is taken from the
// goroutine profile, which says which goroutine belongs to what.
func where(kind string, names ...string) []string {
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
// without the functions that are Go's runtime or this package calling.
func place(stack string) string {
	var frames []string
	for line := range strings.Lines(stack) {
		fields := strings.Fields(line)
		if len(fields) != 4 || fields[0] != "#" || !strings.HasPrefix(fields[1], "0x") {
			continue
		}
		function, _, _ := strings.Cut(fields[2], "+0x")
		if isOwn(function) {
			break
		}
		frames = append(frames, function+" "+fields[3])
	}
	return strings.Join(frames, " < ")
}

// isOwn reports whether a function is how this package calls those of the program.
func isOwn(function string) bool {
	_, name, _ := strings.Cut(function, "/shutdown.")
	for _, own := range []string{"protect", "(*Group).work.", "(*Group).serve", "(*Group).main."} {
		if strings.HasPrefix(name, own) {
			return true
		}
	}
	return false
}
