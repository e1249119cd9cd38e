package shutdown

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// programs are what child processes run.
var programs = map[string]func(){
	"waits":       mainWith(nil),
	"lingers":     lingersAlone,
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
	"much to say": func() { Main(func(*Group) error { return errors.New(strings.Repeat("x", 1<<20)) }) },
	"nil setup":   func() { Main(nil) },
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
		g.Timeout = 200 * time.Millisecond
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
	"ignores SIGINT": func() { // as a program that a script has started with &
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
			time.Sleep(20 * time.Millisecond) // for its Run to go on, if it does
			self, _ := os.FindProcess(os.Getpid())
			_ = self.Signal(syscall.SIGTERM)
			time.Sleep(20 * time.Millisecond)
			fmt.Println("closed")
			return nil
		}))
		_ = quick.Go("quits", func(context.Context) error { Exit(7); return nil })
		_ = quick.Run(bg)
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

// A library may call log.Fatal while it is being initialized.
func init() {
	if os.Getenv(childVariable) == "exit in init" {
		var g Group
		_ = g.Add("zmq", printing("closed"))
		Exit(7)
	}
}
