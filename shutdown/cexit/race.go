//go:build race

package cexit

import (
	"runtime/debug"
	"slices"
)

// atexitIsSafe is false in a Go program with the race detector. There os.Exit(0) and the end of main call C's exit in the
// middle of Go's scheduler (runtime.racefini), and a handler that calls Go makes the runtime die of "schedule: holding
// locks".
func atexitIsSafe() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool {
		return s.Key == "-buildmode" && (s.Value == "c-archive" || s.Value == "c-shared")
	})
}
