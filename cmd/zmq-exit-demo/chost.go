package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// hostSources is where the programs of c-host-exit are in the repository.
const hostSources = "testdata/c/host"

// buildCHosts makes dir/raw/host and dir/guarded/host: host.c, linked with
// either Go library.
func buildCHosts(ctx context.Context, dir string) error {
	root, err := repository()
	if err != nil {
		return err
	}
	temporary := filepath.Join(dir, "tmp")
	if err := os.MkdirAll(temporary, 0o700); err != nil {
		return err
	}
	tools := toolchain{ctx: ctx, dir: root, temporary: temporary}
	compiler := strings.Fields(tools.run("go", "env", "CC")) // it may have flags
	libs := strings.Fields(tools.run(tools.run("go", "env", "PKG_CONFIG"), "--libs", "libzmq"))
	for _, m := range []mode{raw, guarded} {
		made := filepath.Join(dir, string(m))
		archive := filepath.Join(made, "reports.a")
		tools.run("go", "build", "-buildvcs=false", "-race=false", "-buildmode=c-archive", "-o", archive, "./"+hostSources+"/"+string(m))
		tools.run(slices.Concat(compiler, []string{
			"-pthread", "-I", made, "-o", filepath.Join(made, "host"), hostSources + "/host.c", archive,
		}, libs)...)
	}
	if errors.Is(tools.err, exec.ErrNotFound) {
		return skipError{fmt.Sprintf("the go command, a C compiler and pkg-config are needed to build it: %v", tools.err)}
	}
	if tools.err != nil {
		return fmt.Errorf("the go command, a C compiler and pkg-config are needed to build it; to do without, name other hazards with -hazard: %w", tools.err)
	}
	return nil
}

// toolchain runs commands in a directory until one has failed, with err. Killed
// commands leave their files behind in another directory, temporary.
type toolchain struct {
	ctx            context.Context
	dir, temporary string
	err            error
}

// run returns what a command printed, without the last newline.
func (tc *toolchain) run(words ...string) string {
	if tc.err != nil {
		return ""
	}
	cmd := exec.CommandContext(tc.ctx, words[0], words[1:]...)
	var stderr strings.Builder
	cmd.Dir, cmd.Stderr = tc.dir, &stderr
	cmd.Env = append(os.Environ(), "TMPDIR="+tc.temporary)
	cmd.SysProcAttr = childAttributes()
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid, syscall.SIGKILL) } // compilers, too
	output, err := cmd.Output()
	if err != nil {
		tc.err = fmt.Errorf("%s: %w", strings.Join(words, " "), err)
		if said := strings.TrimSpace(stderr.String()); said != "" {
			tc.err = fmt.Errorf("%w\n%s", tc.err, said)
		}
	}
	return strings.TrimSpace(string(output))
}

// repository returns the root of the repository that this program was built
// from or, if it was built with -trimpath, of the one that it runs in.
func repository() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Dir(file)
	if !filepath.IsAbs(dir) {
		var err error
		if dir, err = os.Getwd(); err != nil {
			return "", err
		}
	}
	for root := dir; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, hostSources, "host.c")); err == nil {
			return root, nil
		}
		if root == filepath.Dir(root) {
			return "", skipError{fmt.Sprintf("it is built from %s, which isn't above %s: run the demo in a checkout with go run ./cmd/zmq-exit-demo", hostSources, dir)}
		}
	}
}
