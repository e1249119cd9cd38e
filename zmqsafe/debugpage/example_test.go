package debugpage_test

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
	"github.com/zmqsafe/zmq-exit/zmqsafe/debugpage"
)

// The page is served on an address that only this machine reaches.
func ExampleHandler() {
	mux := http.NewServeMux()
	mux.Handle("/debug/zmq", debugpage.Handler())
	go func() { log.Println(http.ListenAndServe("localhost:6060", mux)) }()
}

// A program reads what the page shows.
func ExampleHandler_json() {
	ctx, err := zmqsafe.NewContext()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ctx.Close()
	pull, err := ctx.NewSocket(zmqsafe.PULL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pull.Close()
	if err := pull.Bind("inproc://jobs"); err != nil {
		fmt.Println(err)
	}
	server := httptest.NewServer(debugpage.Handler())
	defer server.Close()

	response, err := http.Get(server.URL + "?format=json")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	var answer struct {
		Contexts []struct {
			Sockets []struct {
				Type      string
				Endpoints []string
				MadeAt    string `json:"made_at"`
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		fmt.Println(err)
	}
	for _, s := range answer.Contexts[0].Sockets {
		fmt.Println(s.Type, s.Endpoints, s.MadeAt)
	}
	http.DefaultClient.CloseIdleConnections()
	// Output:
	// PULL [inproc://jobs] debugpage/example_test.go:29
}
