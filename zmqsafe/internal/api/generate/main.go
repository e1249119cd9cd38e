// Command generate writes zmqsafe/options_generated.go. It is run by go generate
// in the directory of zmqsafe.
package main

import (
	"log"
	"os"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/api"
)

func main() {
	log.SetFlags(0)
	raw, err := api.Load(api.RawPath)
	if err != nil {
		log.Fatal(err)
	}
	source, err := api.Generate(raw)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("options_generated.go", source, 0o644); err != nil {
		log.Fatal(err)
	}
}
