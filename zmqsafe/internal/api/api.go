// Package api is the table of all methods of github.com/pebbe/zmq4's Socket,
// which it calls raw. Its tests generate the options of zmqsafe that the guard
// has no part in (go generate ./zmqsafe), and find methods of raw's Socket that
// the table lacks, and whatever of raw zmqsafe lacks or has differently.
//
// They work from the types that the Go command has compiled, so they fail with
// a new release of raw whose methods are not yet here.
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

// RawPath is the import path of raw.
const RawPath = "github.com/pebbe/zmq4"

// Load returns the exported names of a package, with their types, as the Go
// command compiles it. It needs no more than a build needs, and works in any
// directory of the module.
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
