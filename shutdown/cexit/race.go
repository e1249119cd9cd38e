//go:build race

package cexit

import (
	"runtime/debug"
	"slices"
)

// In a Go program with the race detector, os.Exit(0) and the end of main call
// C's exit in the middle of Go's scheduler (runtime.racefini), and the runtime
// dies with "schedule: holding locks" if a handler calls Go. So there C gets
// none.
func init() {
	info, ok := debug.ReadBuildInfo()
	if !ok || !slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool {
		return s.Key == "-buildmode" && (s.Value == "c-archive" || s.Value == "c-shared")
	}) {
		atexit = func() bool { return true }
	}
}
