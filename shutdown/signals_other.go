//go:build !unix

package shutdown

import "os"

var sigcont os.Signal // there is none

func uncatchable(sig os.Signal) string {
	if sig == os.Kill {
		return "no program can catch it"
	}
	return ""
}
