package cexit

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exitLimit is how long a host may take to end, even on a busy machine.
const exitLimit = time.Minute

// script is what a host must do, and the result.
type script struct {
	does   string
	prints string
	status int
	logs   []string // parts of standard error, which is empty if there are none
}

const long = "60000" // a timeout in ms that nothing reaches

var scripts = map[string]script{
	"in order": {
		does:   "handler:old register:a:quick:" + long + " handler:mid register:b:quick:" + long + " handler:new return:3",
		prints: "new; closing b; closed b; mid; closing a; closed a; old", status: 3,
	},
	"exit by main": {
		does:   "handler:old register:a:quick:" + long + " exit:4",
		prints: "closing a; closed a; old", status: 4,
	},
	"exit by another thread": {
		does:   "handler:old register:a:quick:" + long + " thread-exit:5",
		prints: "closing a; closed a; old", status: 5,
	},
	"exit by Go": {
		does:   "handler:old register:a:quick:" + long + " library-exit:6",
		prints: "closing a; closed a; old", status: 6,
	},
	"exit by Go, with a lock that isn't needed": {
		does:   "register:a:quick:" + long + " locked-exit:6",
		prints: "closing a; closed a", status: 6,
	},
	"exit by Go, with a lock that is needed": {
		does:   "handler:old register:a:locks:100 register:b:quick:" + long + " locked-exit:6",
		prints: "closing b; closed b; closing a; old", status: 6, logs: []string{"it didn't return within 100ms and is left behind"},
	},
	"one overruns": {
		does:   "handler:old register:a:quick:" + long + " register:b:hangs:100 return:0",
		prints: "closing b; closing a; closed a; old", status: 0,
		logs: []string{"ERROR cexit: not closed in order at exit ", "type=main.thing", "made_at=", "library/main.go:", `error="it didn't return within 100ms and is left behind"`},
	},
	"one fails": {
		does:   "handler:old register:a:quick:" + long + " register:b:fails:" + long + " exit:7",
		prints: "closing b; closing a; closed a; old", status: 7, logs: []string{`error="out of luck"`},
	},
	"one panics": {
		does:   "handler:old register:a:quick:" + long + " register:b:panics:" + long + " exit:7",
		prints: "closing b; closing a; closed a; old", status: 7, logs: []string{"panic: out of order", "main.thing.Shutdown"},
	},
	"exit again, by a handler": {
		does:   "handler:old register:a:quick:" + long + " handler-exit:8 register:b:quick:" + long + " exit:3",
		prints: "closing b; closed b; closing a; closed a; old", status: 8,
	},
	"exit in a child": {
		does:   "handler:old register:a:quick:" + long + " fork:8 exit:0",
		prints: "old; child 8; closing a; closed a; old", status: 0,
	},
	"_exit":      {does: "handler:old register:a:quick:" + long + " _exit:9", status: 9},
	"quick_exit": {does: "handler:old register:a:quick:" + long + " quick_exit:9", status: 9},
	"abort":      {does: "handler:old register:a:quick:" + long + " abort", status: -1},
	"os.Exit":    {does: "handler:old register:a:quick:" + long + " os-exit:9", status: 9},
	"a panic":    {does: "handler:old register:a:quick:" + long + " panic", status: -1, logs: []string{"panic: nobody recovers"}},
}

// loadScripts are for a library that is loaded with dlopen. $OTHER is a copy of
// its file.
var loadScripts = map[string]script{
	"after dlclose": {
		does:   "handler:old register:a:quick:" + long + " dlclose handler:new exit:3",
		prints: "new; closing a; closed a; old", status: 3,
	},
	"two libraries": {
		does:   "register:a:quick:" + long + " dlopen:$OTHER register:b:quick:" + long + " exit:3",
		prints: "closing b; closed b; closing a; closed a", status: 3,
	},
}

// C programs with a Go library end, and Go programs.
func TestHosts(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: -short, and building Go libraries takes long")
	}
	built := build(t)
	for _, name := range []string{"archive", "shared", "dlopen"} {
		t.Run(name, func(t *testing.T) {
			runScripts(t, built, name, scripts)
			if name == "dlopen" {
				runScripts(t, built, name, loadScripts)
			}
			t.Run("many", func(t *testing.T) { closesMany(t, built, name) })
			t.Run("exit again, by Shutdown", func(t *testing.T) { shutdownExits(t, built, name) })
		})
	}
	t.Run("Go program", func(t *testing.T) {
		stdout, stderr, status := runHost(t, built, "program", nil)
		assert.Equal(t, 0, status, stderr)
		assert.Empty(t, stdout)
	})
	t.Run("Go program, C.exit", func(t *testing.T) {
		stdout, stderr, status := runHost(t, built, "program", []string{"C.exit"})
		assert.Equal(t, 3, status, stderr)
		assert.Equal(t, "closing a; closed a", stdout)
	})
}

// C guarantees room for 32 handlers; C libraries have room for more.
func closesMany(t *testing.T, dir, program string) {
	t.Parallel()
	var does, want []string
	for i := range 100 {
		does = append(does, fmt.Sprintf("register:%d:fails:%s", i, long))
		want = append(want, fmt.Sprintf("closing %d", 99-i))
	}
	stdout, stderr, status := runHost(t, dir, program, append(does, "exit:3"))
	assert.Equal(t, strings.Join(want, "; "), stdout)
	assert.Equal(t, 100, strings.Count(stderr, "out of luck"))
	assert.Equal(t, 3, status)
}

// The thread of Shutdown isn't the one that called exit first. The C library
// lets it run the other handlers, or makes it wait, as glibc 2.41 does, and
// then it is left behind. The rest is closed in both cases.
func shutdownExits(t *testing.T, dir, program string) {
	t.Parallel()
	stdout, stderr, status := runHost(t, dir, program, strings.Fields("register:a:quick:"+long+" register:b:exits:5000 exit:3"))
	assert.Equal(t, "closing b; closing a; closed a", stdout, stderr)
	assert.Contains(t, []int{3, 77}, status, stderr)
}

// build makes three programs of host.c. archive is linked with the Go library
// as an archive, shared with the same as a shared library, and dlopen with
// neither. A fourth program is the library itself as a Go program.
func build(t *testing.T) (dir string) {
	dir = t.TempDir()
	run := func(command string) {
		t.Helper()
		words := strings.Fields(strings.ReplaceAll(command, "$DIR", dir))
		output, err := exec.CommandContext(t.Context(), words[0], words[1:]...).CombinedOutput()
		require.NoError(t, err, "%s\n%s", command, output)
	}
	cc, err := exec.CommandContext(t.Context(), "go", "env", "CC").Output()
	require.NoError(t, err)
	host := strings.TrimSpace(string(cc)) + " -Wall -Wextra -Werror -pthread -I$DIR testdata/host.c "

	run("go build -race=false -buildmode=c-archive -o $DIR/library.a ./testdata/library")
	run(host + "-o $DIR/archive $DIR/library.a")
	run("go build -race=false -buildmode=c-shared -o $DIR/library.so ./testdata/library")
	run(host + "-o $DIR/shared $DIR/library.so")
	run("go build -race=false -o $DIR/program ./testdata/library")
	run(host + "-DLOAD -o $DIR/dlopen -ldl")

	// To dlopen, another file is another library, with a Go runtime of its own.
	library, err := os.ReadFile(filepath.Join(dir, "library.so"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "other.so"), library, 0o700))
	return dir
}

func runScripts(t *testing.T, dir, program string, scripts map[string]script) {
	for name, s := range scripts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			does := strings.ReplaceAll(s.does, "$OTHER", filepath.Join(dir, "other.so"))
			stdout, stderr, status := runHost(t, dir, program, strings.Fields(does))
			assert.Equal(t, s.prints, stdout, stderr)
			assert.Equal(t, s.status, status, stderr)
			for _, part := range s.logs {
				assert.Contains(t, stderr, part)
			}
			if len(s.logs) == 0 && s.status >= 0 {
				assert.Empty(t, stderr)
			}
		})
	}
}

// runHost returns what a host printed, its lines joined, and its exit status.
func runHost(t *testing.T, dir, program string, args []string) (stdout, stderr string, status int) {
	t.Helper()
	if program == "dlopen" {
		args = append([]string{"dlopen:" + filepath.Join(dir, "library.so")}, args...)
	}
	ctx, cancel := context.WithTimeout(t.Context(), exitLimit)
	defer cancel()
	var out, log bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(dir, program), args...)
	cmd.Stdout, cmd.Stderr = &out, &log
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // its children, too
	_ = cmd.Run()                                                                        // the state says how it ended
	require.NoError(t, ctx.Err(), "it did not end by itself\n%s%s", &out, &log)
	require.NotNil(t, cmd.ProcessState, "it did not start")
	return strings.Join(strings.Split(strings.TrimSpace(out.String()), "\n"), "; "), log.String(), cmd.ProcessState.ExitCode()
}
