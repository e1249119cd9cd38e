// A library that sends reports, for hosts written in C; host.c is one. It is
// here twice, on pebbe/zmq4 and on zmqsafe.
package main

import "C"

import (
	"fmt"
	"os"
	"strings"
	"time"

	zmq "github.com/pebbe/zmq4"
)

var (
	collector string
	ctx       *zmq.Context
	reports   *zmq.Socket
)

// reports_load reads the file that names the collector's endpoint.
//
//export reports_load
func reports_load(file *C.char) C.int {
	config, err := os.ReadFile(C.GoString(file))
	collector = strings.TrimSpace(string(config))
	return failed(err)
}

//export reports_start
func reports_start() C.int { return failed(start()) }

func start() (err error) {
	if ctx, err = zmq.NewContext(); err != nil {
		return err
	}
	if reports, err = ctx.NewSocket(zmq.PUSH); err != nil {
		return err
	}
	if err := reports.SetLinger(time.Second); err != nil {
		return err
	}
	if err := reports.SetReconnectIvl(300 * time.Millisecond); err != nil {
		return err
	}
	return reports.Connect(collector)
}

//export reports_send
func reports_send(text *C.char) C.int {
	_, err := reports.Send(C.GoString(text), zmq.DONTWAIT)
	return failed(err)
}

//export reports_stop
func reports_stop() C.int {
	if err := reports.Close(); err != nil {
		return failed(err)
	}
	return failed(ctx.Term())
}

// failed turns an error into the -1 that C programs expect.
func failed(err error) C.int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "reports:", err)
	return -1
}

func main() {}
