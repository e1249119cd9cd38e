//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package cli

// askTerminal knows no terminals here.
func askTerminal(any) (columns int, ok bool) { return 0, false }
