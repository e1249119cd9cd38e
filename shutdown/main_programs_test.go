package shutdown

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/internal/patience"
)

// childVariable names the program that the test binary runs instead of tests.
const childVariable = "SHUTDOWN_TEST_PROGRAM"

func runProgram(name string) {
	program, ok := programs[name]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such program:", name)
		os.Exit(99)
	}
	patience.Bound, lateLines = limit, limit // a busy system is late with what the test looks for
	program()
}

// child is a process that runs one of programs.
type child struct {
	cmd    *exec.Cmd
	out    *bufio.Reader
	stderr bytes.Buffer
}

// start starts a program and waits until it has printed the lines. The program
// is killed after limit.
func start(t *testing.T, program string, lines ...string) *child {
	t.Helper()
	ctx, cancel := context.WithTimeout(bg, limit)
	t.Cleanup(cancel)
	c := &child{cmd: exec.CommandContext(ctx, os.Args[0])}
	c.cmd.Env = append(os.Environ(), childVariable+"="+program, "GORACE=atexit_sleep_ms=0")
	c.cmd.Stderr = &c.stderr
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.out = bufio.NewReader(out)
	require.NoError(t, c.cmd.Start())
	c.expect(t, lines...)
	return c
}

func (c *child) expect(t *testing.T, lines ...string) {
	t.Helper()
	for _, want := range lines {
		line, err := c.out.ReadString('\n')
		if err != nil || line != want+"\n" {
			_ = c.cmd.Wait()
			require.Equal(t, want+"\n", line, "%v\n%s", err, c.stderr.String())
		}
	}
}

func (c *child) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	require.NoError(t, c.cmd.Process.Signal(sig))
}

// insist sends a signal until end has seen the process end. On a busy machine a
// second one may reach it in the burst of the first, however late it was sent.
func (c *child) insist(sig syscall.Signal) {
	for c.cmd.Process.Signal(sig) == nil {
		time.Sleep(burst)
	}
}

// end waits for the end of the process and checks its status, which is -1 if a
// signal has killed it. It returns the lines that were not read yet.
func (c *child) end(t *testing.T, status int) []string {
	t.Helper()
	rest, err := io.ReadAll(c.out)
	require.NoError(t, err)
	_ = c.cmd.Wait()
	require.Equal(t, status, c.cmd.ProcessState.ExitCode(), "%v\n%s\n%s", c.cmd.ProcessState, rest, c.stderr.String())
	return strings.Split(strings.TrimSuffix(string(rest), "\n"), "\n")
}

// mainWith makes a program with Main. It prints ready when its setup is done,
// and closed at the very end.
func mainWith(setup func(g *Group) error) func() {
	return func() {
		Main(func(g *Group) error {
			g.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
			_ = g.Add("zmq", printing("closed"))
			if setup != nil {
				if err := setup(g); err != nil {
					return err
				}
			}
			fmt.Println("ready")
			return nil
		})
	}
}

// untilWaiting returns when the group watches its signals and waits for a
// cause.
func untilWaiting(g *Group) {
	for waiting := false; !waiting; time.Sleep(time.Millisecond) {
		g.mu.Lock()
		waiting = g.waiting
		g.mu.Unlock()
	}
}

func printWhenWaiting(g *Group) {
	untilWaiting(g)
	fmt.Println("waiting")
}

func printing(text string) Func {
	return func(context.Context) error {
		fmt.Println(text)
		return nil
	}
}

func hang(context.Context) error {
	fmt.Println("hangs")
	select {}
}

// programs are what child processes run.
var programs = map[string]func(){
	"waits":       mainWith(nil),
	"long burst":  func() { burst = limit; mainWith(nil)() },
	"step hangs":  mainWith(func(g *Group) error { return g.Add("hangs", Func(hang)) }),
	"setup hangs": func() { Main(func(*Group) error { fmt.Println("ready"); select {} }) },
	"setup obeys": func() {
		Main(func(g *Group) error {
			_ = g.Add("zmq", printing("closed"))
			fmt.Println("ready")
			<-g.Context().Done()
			return g.Context().Err()
		})
	},
	"setup fails": func() {
		Main(func(g *Group) error {
			_ = g.Add("zmq", printing("closed"))
			return errors.New("no such host")
		})
	},
	"setup panics": func() {
		Main(func(g *Group) error {
			_ = g.Add("zmq", printing("closed"))
			panic("boom")
		})
	},
	"much to say": func() {
		lateLines = overtime
		Main(func(*Group) error { return errors.New(strings.Repeat("x", 1<<20)) })
	},
	"nil setup": func() { Main(nil) },
	"batch": mainWith(func(g *Group) error {
		return g.Go("job", func(context.Context) error { return nil })
	}),
	"worker fails": mainWith(func(g *Group) error {
		return g.Go("feed", func(context.Context) error { return errors.New("boom") })
	}),
	"worker panics": mainWith(func(g *Group) error {
		return g.Go("feed", func(context.Context) error { panic("boom") })
	}),
	"step overruns": mainWith(func(g *Group) error {
		g.Timeout = 2 * time.Second // the other step has half of it
		_ = g.Add("hangs", Func(func(context.Context) error { select {} }))
		return g.Go("job", func(context.Context) error { return nil })
	}),
	"worker overruns": mainWith(func(g *Group) error {
		g.Timeout = 200 * time.Millisecond
		defer g.Stop()
		return g.Go("deaf", func(context.Context) error { select {} })
	}),
	"workers burn": mainWith(func(g *Group) error { // and steps use up all the time
		g.Timeout = 50 * time.Millisecond
		for range 12 {
			_ = g.Add("hangs", Func(func(context.Context) error { select {} }))
		}
		for range 2 * runtime.GOMAXPROCS(0) {
			_ = g.Go("burns", func(context.Context) error {
				for n := 0; ; n++ {
				}
			})
		}
		g.Stop()
		return nil
	}),
	"gives signals back": func() {
		var g Group
		go printWhenWaiting(&g)
		_ = g.Run(bg)
		fmt.Println("back")
		select {}
	},
	"ignores SIGINT": func() { // like a program that a script has started with &
		signal.Ignore(syscall.SIGINT)
		Main(func(g *Group) error {
			go printWhenWaiting(g)
			return g.Go("worker", func(ctx context.Context) error {
				<-ctx.Done()
				fmt.Println(context.Cause(ctx))
				return nil
			})
		})
	},
	"setup overruns": func() {
		Main(func(g *Group) error {
			_ = g.Add("zmq", printing("closed"))
			fmt.Println("ready")
			g.Stop()
			select {}
		})
	},
	"SIGQUIT only": func() {
		Main(func(g *Group) error {
			g.Signals = []os.Signal{syscall.SIGQUIT}
			go printWhenWaiting(g)
			return g.Add("zmq", printing("closed"))
		})
	},

	"exit in a worker": mainWith(func(g *Group) error {
		return g.Go("quits", func(context.Context) error {
			defer fmt.Println("deferred")
			Exit(7)
			return nil
		})
	}),
	"exit in a worker of a plain main": func() {
		var g Group
		_ = g.Add("zmq", printing("closed"))
		_ = g.Go("quits", func(context.Context) error { Exit(7); return nil })
		_ = g.Run(bg)
		os.Exit(99) // Run must not return before the process has ended
	},
	"exit in a step": mainWith(func(g *Group) error {
		_ = g.Add("quits", Func(func(context.Context) error { Exit(7); return nil }))
		g.Stop()
		return nil
	}),
	"exit in setup": mainWith(func(*Group) error { Exit(7); return nil }),
	"exit in main": func() {
		var g Group
		_ = g.Add("zmq", printing("closed"))
		Exit(7)
	},
	"exit without a group": func() { Exit(7) },
	"exit 0, and a close fails": mainWith(func(g *Group) error {
		_ = g.Add("db", Func(func(context.Context) error { return errors.New("disk full") }))
		Exit(0)
		return nil
	}),
	"exit 7, and a close fails": mainWith(func(g *Group) error {
		_ = g.Add("db", Func(func(context.Context) error { return errors.New("disk full") }))
		Exit(7)
		return nil
	}),
	"exit 0, then 3": mainWith(func(g *Group) error {
		_ = g.Add("quits, too", Func(func(context.Context) error { Exit(3); return nil }))
		Exit(0)
		return nil
	}),
	"exit, and a signal when one of two groups is done": func() {
		var quick, slow Group
		_ = slow.Add("slow", Func(func(context.Context) error {
			<-quick.done
			time.Sleep(20 * time.Millisecond) // its Run would go on meanwhile
			self, _ := os.FindProcess(os.Getpid())
			_ = self.Signal(syscall.SIGTERM)
			time.Sleep(20 * time.Millisecond)
			fmt.Println("closed")
			return nil
		}))
		_ = quick.Go("quits", func(context.Context) error {
			untilWaiting(&quick)
			Exit(7)
			return nil
		})
		_ = quick.Run(bg)
	},
	"exit 0, and others end by Goexit": func() { endsEverywhere(func() { runtime.Goexit() }, func() { Exit(0) }) },
	"exit 0 by all": func() {
		endsEverywhere(func() { Exit(0) }, func() {
			defer runtime.Goexit()
			Exit(0)
		})
	},
	"exit 256": func() { Exit(256) },
	"exit by several": mainWith(func(g *Group) error {
		for range 20 {
			_ = g.Go("quits", func(context.Context) error { Exit(7); return nil })
		}
		return nil
	}),
	"exit races": mainWith(func(g *Group) error {
		for i := range 8 {
			go func() {
				for range 300 {
					var other Group
					_ = other.Go("w", untilDone)
					_ = g.Go("w", untilDone)
					_ = g.Add("s", Func(func(context.Context) error { return nil }))
					if i == 0 {
						_ = other.Shutdown(bg)
					}
					if i == 1 {
						g.Stop()
					}
					if i > 6 {
						Exit(7)
					}
				}
			}()
		}
		return g.Go("quits, too", func(context.Context) error { Exit(7); return nil })
	}),
	"exit with groups inside": mainWith(func(g *Group) error {
		var added, run Group
		_ = added.Add("in added", printing("in added"))
		_ = run.Add("in run", printing("in run"))
		_ = g.Add("added", &added)
		_ = g.Go("run", run.Run)
		return g.Go("quits", func(context.Context) error { Exit(7); return nil })
	}),
}

// endsEverywhere makes a program that exits in a goroutine of its own, while
// ends ends each goroutine in which the group calls something.
func endsEverywhere(ends, exits func()) {
	Main(func(g *Group) error {
		ended := func() error { <-g.Context().Done(); ends(); return nil }
		deep := func() error { return deeply(100, ended) }
		_ = g.Add("step", Func(func(context.Context) error { return ended() }))
		_ = g.Add("deep", Func(func(context.Context) error { return deep() }))
		_ = g.Go("worker", func(context.Context) error { return ended() })
		_ = g.Serve("serve", ended, Func(func(context.Context) error { return nil }))
		_ = g.Serve("server", func() error { <-g.Context().Done(); return nil }, Func(func(context.Context) error { return ended() }))
		go exits()
		<-g.Context().Done()
		ends()
		return nil
	})
}

// deeply calls f with many calls and deferred calls below it.
func deeply(depth int, f func() error) error {
	defer func() { _ = recover() }()
	if depth > 0 {
		return deeply(depth-1, f)
	}
	return f()
}

// A library may call log.Fatal in an init function.
func init() {
	if os.Getenv(childVariable) == "exit in init" {
		var g Group
		_ = g.Add("zmq", printing("closed"))
		Exit(7)
	}
}
