package main

import (
	"bytes"
	"encoding/json"
	"os"
	"sync"
	"time"

	"github.com/zmqsafe/zmq-exit/cmd/zmq-exit-demo/internal/timeline"
)

// recordVariable holds, in the environment of a program that is to be drawn, the
// directory in which each of its processes records, in a file of its own.
const recordVariable = "ZMQ_EXIT_DEMO_RECORDING"

// A look takes the lock of each socket for a moment, and some 2 µs. So that the program
// runs as it does without, the time between two looks is a multiple of that. Measuring
// how long looks take would be no better: on a busy machine that says little.
const (
	lookPause          = 250 * time.Microsecond
	lookPausePerSocket = 50 * time.Microsecond
)

// startRecording records the contexts of this process in dir until stop is called:
// their closing reports, as logged by the default logger, and what looking at them
// shows. Each line is written at once, so it is there even if the process is killed.
// No directory means that nothing is recorded.
func startRecording(dir string) (stop func(), err error) {
	if dir == "" {
		return func() {}, nil
	}
	// Opened before the program begins: some of them close what is opened later.
	file, err := os.CreateTemp(dir, "*.jsonl")
	if err != nil {
		return nil, err
	}
	r := &recorder{file: file}
	r.write(timeline.Event{At: time.Now()})
	catchReports(r)
	quit, done := make(chan struct{}), make(chan struct{})
	look := newLooker(r)
	go func() {
		defer close(done)
		for {
			look.look()
			select {
			case <-quit:
				return
			case <-time.After(lookPause + time.Duration(len(look.sockets))*lookPausePerSocket):
			}
		}
	}()
	return func() {
		close(quit)
		<-done
		look.look()
		r.write(timeline.Event{At: time.Now()})
	}, nil
}

// recorder writes events, a line each. It is safe for concurrent use.
type recorder struct {
	mu   sync.Mutex
	file *os.File
}

func (r *recorder) write(events ...timeline.Event) {
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, e := range events {
		_ = encoder.Encode(e) // there is no Event that can't be encoded
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = r.file.Write(lines.Bytes()) // a full disk costs the rest of the recording
}
