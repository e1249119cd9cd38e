//go:build !race

package cexit

func atexitIsSafe() bool { return true }
