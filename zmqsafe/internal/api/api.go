// Package api compares zmqsafe with github.com/pebbe/zmq4, here called raw, and
// generates the part of zmqsafe that only forwards to it.
//
// Table says for each method of raw's Socket what zmqsafe does with it. Compare
// finds what is missing or different. Both work from the types that the Go
// command has compiled, so a new release of raw can't slip past the guard: its
// new methods are neither in the table nor in zmqsafe, and the tests fail.
package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
)

// The packages that are compared.
const (
	RawPath     = "github.com/pebbe/zmq4"
	GuardedPath = "github.com/zmqsafe/zmq-exit/zmqsafe"
)

// Load returns the exported names of a package, with their types. It asks the Go
// command for the package as it compiles it, so it needs nothing but what a build
// needs, and works in any directory of the module.
func Load(path string) (*types.Package, error) {
	list := exec.Command("go", "list", "-export", "-json=Export", path)
	out, err := list.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return nil, fmt.Errorf("%v: %w\n%s", list, err, exit.Stderr)
	} else if err != nil {
		return nil, fmt.Errorf("%v: %w", list, err)
	}
	var listed struct{ Export string } // the file with the compiled package's types
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&listed); err != nil {
		return nil, fmt.Errorf("%v: %w", list, err)
	}
	open := func(string) (io.ReadCloser, error) { return os.Open(listed.Export) }
	return importer.ForCompiler(token.NewFileSet(), "gc", open).Import(path)
}
