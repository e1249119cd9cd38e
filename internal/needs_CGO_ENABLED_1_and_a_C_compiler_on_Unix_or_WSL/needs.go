//go:build cgo && unix

// Package needs exists for its path. Without cgo, and on Windows, what imports
// it doesn't build: before the go command compiles anything, it prints the
// path, and editors show it at the import. Otherwise people would see a list of
// undefined names of pebbe/zmq4.
package needs
