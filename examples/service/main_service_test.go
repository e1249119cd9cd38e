package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/shutdown"
	zmq "github.com/zmqsafe/zmq-exit/zmqsafe"
	"github.com/zmqsafe/zmq-exit/zmqsafe/zmqsafetest"
)

// service is the example as a process, with peers.
type service struct {
	*child
	url    string
	client *http.Client
	jobs   *zmq.Socket // PUSH
	feed   *zmq.Socket // SUB
	feedAt string
}

var ready = regexp.MustCompile(`ready.*\((tcp://\S+)\).*\((tcp://\S+)\)`)

// startService starts the example with free ports, and waits until all of it
// works.
func startService(t *testing.T, flags ...string) *service {
	t.Helper()
	address := freeAddress(t)
	s := &service{url: "http://" + address, client: &http.Client{Transport: new(http.Transport), Timeout: limit}}
	t.Cleanup(s.client.CloseIdleConnections)
	s.child = start(t, "service", append(flags, "-http", address, "-jobs", "tcp://127.0.0.1:*", "-feed", "tcp://127.0.0.1:*")...)
	endpoints := ready.FindStringSubmatch(s.logs(t, "ready"))
	require.NotNil(t, endpoints)
	peers := zmqsafetest.NewContext(t)
	s.jobs, s.feed, s.feedAt = newSocket(t, peers, zmq.PUSH), newSocket(t, peers, zmq.SUB), endpoints[2]
	require.NoError(t, s.jobs.Connect(endpoints[1]))
	require.NoError(t, s.feed.SetSubscribe(""))
	require.NoError(t, s.feed.Connect(s.feedAt))
	require.Eventually(t, func() bool { return s.get("/debug/pprof/cmdline") != "" }, limit, time.Millisecond)
	return s
}

// freeAddress returns an address that hardly any other process uses.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 1+rand.IntN(254), rand.IntN(255), 1+rand.IntN(254)))
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// get returns what the service answers, or nothing.
func (s *service) get(path string) string {
	r, err := s.client.Get(s.url + path)
	if err != nil {
		return ""
	}
	return answer(r)
}

func (s *service) post(job string) string {
	r, err := s.client.Post(s.url+"/jobs", "text/plain", strings.NewReader(job))
	if err != nil {
		return ""
	}
	return answer(r)
}

func answer(r *http.Response) string {
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		return ""
	}
	return string(body)
}

// subscribed waits until the feed receives what the service publishes.
func (s *service) subscribed(t *testing.T) {
	t.Helper()
	require.NoError(t, s.feed.SetRcvtimeo(time.Millisecond))
	for last := ""; last == ""; {
		require.Equal(t, "PROBE", s.post("probe"))
		last, _ = s.feed.Recv(0)
	}
	require.NoError(t, s.feed.SetRcvtimeo(limit))
	require.Equal(t, "LAST PROBE", s.post("last probe"))
	for {
		result, err := s.feed.Recv(0)
		require.NoError(t, err)
		if result == "LAST PROBE" {
			return
		}
	}
}

// published returns what the feed receives, which must be n results.
func (s *service) published(t *testing.T, n int) []string {
	t.Helper()
	var results []string
	for range n {
		result, err := s.feed.Recv(0)
		require.NoError(t, err, "after %d of %d", len(results), n)
		results = append(results, result)
	}
	require.NoError(t, s.feed.SetRcvtimeo(0))
	more, err := s.feed.Recv(0)
	assert.Equal(t, zmq.Errno(syscall.EAGAIN), err, more)
	return results
}

// working waits until n jobs are at work.
func (s *service) working(t *testing.T, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return strings.Count(s.get("/debug/pprof/goroutine?debug=2"), "time.Sleep(") == n
	}, limit, 5*time.Millisecond)
}

func TestSIGTERMInFullFlow(t *testing.T) {
	const clients = 20
	s := startService(t, "-takes", "2ms")
	s.subscribed(t)
	var answered []string
	var mu sync.Mutex
	var done sync.WaitGroup
	flow := make(chan struct{}, clients)
	for client := range clients {
		done.Go(func() {
			for i := 0; ; i++ {
				result := s.post(fmt.Sprintf("client %d, job %d", client, i))
				if result == "" { // the service takes no more
					return
				}
				mu.Lock()
				answered = append(answered, result)
				mu.Unlock()
				if i == 10 {
					flow <- struct{}{}
				}
			}
		})
	}
	<-flow
	s.signal(t, syscall.SIGTERM)
	done.Wait()
	s.end(t, 0)
	assert.NotEmpty(t, answered)
	assert.ElementsMatch(t, answered, s.published(t, len(answered)), "each job that was answered was published, and no other")
}

func TestWorkersDoWhatHasArrived(t *testing.T) {
	s := startService(t, "-takes", "100ms", "-workers", "3", "-timeout", (limit / 3).String())
	s.subscribed(t)
	var want []string
	for i := range 30 { // for 1 s, three are at work
		_, err := s.jobs.Send(fmt.Sprintf("job %d", i), 0)
		require.NoError(t, err)
		want = append(want, fmt.Sprintf("JOB %d", i))
	}
	s.working(t, 3)
	s.signal(t, syscall.SIGTERM)
	s.end(t, 0)
	assert.ElementsMatch(t, want, s.published(t, len(want)))
	assert.Contains(t, s.logged.String(), "zmqsafe: socket drained")
	assert.Contains(t, s.logged.String(), "closed made_at=service/main.go:")
}

func TestASlowSubscriberGetsAllResults(t *testing.T) {
	const jobs, size = 40, 512 << 10 // more than fits into the buffers of the kernel
	s := startService(t, "-takes", "0", "-timeout", (limit / 2).String())
	require.NoError(t, s.feed.SetRcvhwm(1))
	require.NoError(t, s.feed.SetRcvbuf(loadBuffer))
	require.NoError(t, s.feed.Disconnect(s.feedAt))
	require.NoError(t, s.feed.Connect(s.feedAt))
	s.subscribed(t)
	for range jobs {
		require.Len(t, s.post(strings.Repeat("x", size)), size)
	}
	s.signal(t, syscall.SIGTERM)
	s.published(t, jobs)
	s.end(t, 0)
}

func TestTheSecondSignalEndsTheServiceAtOnce(t *testing.T) {
	for _, second := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(second.String(), func(t *testing.T) {
			s := startService(t, "-takes", "1m", "-timeout", "1m")
			_, err := s.jobs.Send("long", 0)
			require.NoError(t, err)
			s.working(t, 1)
			s.signal(t, syscall.SIGINT)
			require.Eventually(t, func() bool { return s.get("/debug/pprof/cmdline") == "" }, limit, time.Millisecond)
			go s.insist(second)
			s.end(t, 128+int(second))
		})
	}
}

func TestAJobThatTakesTooLong(t *testing.T) {
	s := startService(t, "-takes", "1m", "-timeout", "400ms")
	_, err := s.jobs.Send("long", 0)
	require.NoError(t, err)
	s.working(t, 1)
	s.signal(t, syscall.SIGTERM)
	s.end(t, shutdown.StatusDeadline)
	assert.Contains(t, s.logged.String(), `shutdown: worker "worker": still running`)
}

func TestTheProfileOfTheService(t *testing.T) {
	s := startService(t)
	profile := s.get("/debug/pprof/" + zmq.ProfileName + "?debug=1")
	assert.Contains(t, profile, "zmqsafe.sockets profile: total 2\n")
	assert.Contains(t, profile, "examples/service/main.go:")
	s.signal(t, syscall.SIGINT)
	s.end(t, 0)
}

func TestFlags(t *testing.T) {
	busy := listen(t).Addr().String()
	free := []string{"-http", "127.0.0.1:0", "-jobs", "tcp://127.0.0.1:*", "-feed", "tcp://127.0.0.1:*"}
	tests := map[string]struct {
		flags  []string
		status int
		says   string
	}{
		"help":               {[]string{"-h"}, 0, "take jobs from PUSH peers at endpoint"},
		"unknown":            {[]string{"-port", "80"}, 2, "flag provided but not defined: -port"},
		"HTTP port in use":   {[]string{"-http", busy}, 1, `shutdown: worker "http": listen tcp ` + busy + ": bind: address already in use"},
		"jobs port in use":   {[]string{"-jobs", "tcp://" + busy}, 1, "address already in use"},
		"malformed endpoint": {[]string{"-feed", busy}, 1, "malformed endpoint; want transport://address"},
		"negative timeout":   {[]string{"-timeout", "-1s"}, 1, "Group.Timeout is -1s: want a positive duration"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := start(t, "service", slices.Concat(free, tt.flags)...)
			c.end(t, tt.status)
			assert.Contains(t, c.logged.String(), tt.says)
		})
	}
}

// A new user reads it first.
func TestTheExampleIsShort(t *testing.T) {
	source, err := os.ReadFile("main.go")
	require.NoError(t, err)
	assert.Less(t, bytes.Count(source, []byte("\n")), 80, "lines")
}
