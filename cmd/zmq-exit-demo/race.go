//go:build race

package main

// The race detector has a limit of 8,128 goroutines.
func init() { devices = 5_000 }
