//go:build !race

package main

// raceDetector is whether this program looks for data races.
const raceDetector = false
