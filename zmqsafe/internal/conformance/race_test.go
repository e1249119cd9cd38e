//go:build race

package conformance

// raceFlag builds suites as this test was built.
const raceFlag = "-race=true"
