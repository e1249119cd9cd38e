// Package rules holds what must stay true of the code as it grows: which
// package imports which, how large a file is, how files, comments and log lines
// look, and on which processors everything compiles. The rules are tests, and
// run with all others:
//
//	go test ./internal/rules
//
// ARCHITECTURE.md says why the packages are cut as they are.
package rules
