package linger_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
)

func Example() {
	var unset linger.Policy
	for _, p := range []linger.Policy{unset, linger.Drop, linger.MustFor(250 * time.Millisecond), linger.Forever} {
		fmt.Println(p, p.Milliseconds())
	}
	// Output:
	// 1s 1000
	// drop 0
	// 250ms 250
	// forever -1
}

func ExampleFor() {
	_, err := linger.For(-5 * time.Second)
	fmt.Println(err)
	// Output:
	// linger: negative duration -5s: use 0 or more, or linger.Forever
}

func ExamplePolicy_Within() {
	fmt.Println(linger.Forever.Within(3 * time.Second))
	fmt.Println(linger.Default.Within(3 * time.Second))
	fmt.Println(linger.Default.Within(-time.Second)) // the deadline has passed
	// Output:
	// 3s
	// 1s
	// drop
}

func ExampleParse() {
	_, err := linger.Parse("5")
	fmt.Println(err)
	// Output:
	// linger: number "5" without a unit: use "drop", "forever", or a duration of 0 or more with a unit, such as "250ms" or "1.5s"
}

func ExamplePolicy_UnmarshalText() {
	var fromFlag linger.Policy
	flags := flag.NewFlagSet("example", flag.ContinueOnError)
	flags.TextVar(&fromFlag, "linger", linger.Default, "how long closed sockets may linger")
	_ = flags.Parse([]string{"-linger", "2s"})
	fmt.Println(fromFlag)

	var config struct{ Linger linger.Policy }
	_ = json.Unmarshal([]byte(`{"Linger": "drop"}`), &config)
	fmt.Println(config.Linger)
	// Output:
	// 2s
	// drop
}
