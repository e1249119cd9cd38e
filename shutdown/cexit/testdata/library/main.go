// A library for host.c, whose arguments say what the library does at exit.
package main

/*
#include <stdlib.h>
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/zmqsafe/zmq-exit/shutdown/cexit"
)

// lock is held by library_exit_locked.
var lock sync.Mutex

type thing struct{ name, behaviour string }

func (t thing) Shutdown(context.Context) error {
	fmt.Println("closing", t.name)
	switch t.behaviour {
	case "quick":
		// Timers, goroutines and the garbage collector work as usual.
		woken := make(chan struct{})
		go func() {
			defer close(woken)
			runtime.GC()
			time.Sleep(time.Millisecond)
		}()
		<-woken
	case "hangs":
		select {}
	case "fails":
		return errors.New("out of luck")
	case "panics":
		panic("out of order")
	case "locks":
		lock.Lock()
		defer lock.Unlock()
	case "exits":
		C.exit(77)
	}
	fmt.Println("closed", t.name)
	return nil
}

//export library_register
func library_register(name, behaviour *C.char, timeout C.int) C.int {
	err := cexit.Register(thing{C.GoString(name), C.GoString(behaviour)}, time.Duration(timeout)*time.Millisecond)
	if err != nil {
		fmt.Println(err)
		return -1
	}
	return 0
}

//export library_exit
func library_exit(status C.int) { C.exit(status) }

//export library_exit_locked
func library_exit_locked(status C.int) {
	lock.Lock()
	C.exit(status)
}

//export library_os_exit
func library_os_exit(status C.int) { os.Exit(int(status)) }

//export library_panic
func library_panic() { panic("nobody recovers") }

// main doesn't run in a library. In a Go program it ends with C's exit if there
// is an argument.
func main() {
	if err := cexit.Register(thing{"a", "quick"}, time.Minute); err != nil {
		panic(err)
	}
	if len(os.Args) > 1 {
		C.exit(3)
	}
}
