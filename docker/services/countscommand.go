package main

import (
	"flag"
	"fmt"
	"io"
	"time"
)

const countsUsage = `Usage: services counts [flags]

Prints one line:

  accepted    messages that the sender's sends have accepted
  taken       messages that a guarded broker had received when it ended
  forwarded   messages that its sends had accepted when it ended
  delivered   messages that a receiver has got
  duplicates  messages that a receiver has got again
  lost        messages that were accepted and not delivered: for good when all have ended
  first       the first message that the last receiver has got, or none
  lost_live   lost from that one on

Exit status: 0, 1 when what is waited for didn't come, 2 for wrong usage.

Flags:
`

func countsCommand(flags *flag.FlagSet, args []string, stdout io.Writer) error {
	dir := countsFlag(flags)
	wait := flags.String("wait", "", "first wait for `what`: flow, until messages are delivered, or still, until nothing moves")
	limit := flags.Duration("limit", 30*time.Second, "wait no longer than this `time`")
	if err := parse(flags, countsUsage, args, stdout); err != nil {
		return err
	}
	until, ok := waits[*wait]
	if !ok {
		return usageError{fmt.Errorf("-wait %q: it must be flow or still", *wait)}
	}
	c, err := openCounts(*dir)
	if err != nil {
		return err
	}
	defer c.close()
	if !until(c, time.Now().Add(*limit)) {
		return fmt.Errorf("not %s within %v: %v", *wait, *limit, c)
	}
	_, err = fmt.Fprintln(stdout, c)
	return err
}

var waits = map[string]func(c *counts, deadline time.Time) bool{
	"":      func(*counts, time.Time) bool { return true },
	"flow":  waitFlow,
	"still": waitStill,
}

const (
	flowing   = 10_000      // messages that are delivered one after another
	stillFor  = time.Second // how long nothing happens
	lookEvery = 10 * time.Millisecond
)

// waitFlow returns true when, since its call, flowing messages have been
// delivered.
func waitFlow(c *counts, deadline time.Time) bool {
	for before := c.delivered.Load(); c.delivered.Load() < before+flowing; time.Sleep(lookEvery) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// waitStill returns true when nothing has been accepted or delivered for
// stillFor.
func waitStill(c *counts, deadline time.Time) bool {
	var last uint64
	for since := time.Now(); time.Since(since) < stillFor; time.Sleep(lookEvery) {
		if now := c.accepted.Load() + c.delivered.Load(); now != last {
			last, since = now, time.Now()
		}
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
