package world

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/zmqsafe/zmq-exit/internal/mutant"
)

// mutantVariable says, in the environment of the mutants and their children,
// which of the faults is in effect: one binary has all, since it takes long to
// build.
const mutantVariable = "ZMQ_EXIT_MUTANT"

// mutants are faults below the guard and in its reports. In the edits, FAULT
// asks whether this one is in effect, and now.
var mutants = []struct {
	mutant mutant.Mutant
	every  int    // one in so many times
	says   string // is in what the account says
}{
	{mutant.Mutant{
		Name: "a message is dropped below the guard", File: "../../zmqsafe/send.go",
		Edits: [][2]string{
			// A REQ or REP would refuse the next call, and the plan stop.
			{"n, events, errno := libzmq.Send(", `if flags&SNDMORE == 0 && !s.midSend && !s.internal && s.typ != REQ && s.typ != REP && FAULT {
				return len(data), 0, nil
			}
			n, events, errno := libzmq.Send(`},
			{`import (`, "import (\n\"os\"\n\"sync/atomic\""},
			{"// drops reports", `var faultInEffect, faults = os.Getenv("` + mutantVariable + `"), new(atomic.Int64)

			func faulty(which string, every int64) bool {
				return which == faultInEffect && faults.Add(1)%every == 0
			}

			// drops reports`},
		},
	}, 10_000, "accepted"},
	{mutant.Mutant{
		Name: "a linger that ran out isn't reported", File: "../../zmqsafe/lingering.go",
		Edits: [][2]string{{"s.Outcome = RanOut\n", "if !FAULT {\ns.Outcome = RanOut\n}\n"}},
	}, 4, "0 possibly lost"},
	{mutant.Mutant{
		Name: "what was unread is not counted", File: "../../zmqsafe/unread.go",
		Edits: [][2]string{{"n, more := libzmq.Discard(s.sock, within)", "n, more := libzmq.Discard(s.sock, within)\nif n > 0 && FAULT {\nn, more = 0, false\n}"}},
	}, 2, "0 unread"},
}

// TestMutants wants the account to find each of them.
func TestMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("not run with -short: it builds package zmqsafe")
	}
	var all []mutant.Mutant
	for i, m := range mutants {
		for j := range m.mutant.Edits {
			edit := &m.mutant.Edits[j][1]
			*edit = strings.ReplaceAll(*edit, "FAULT", fmt.Sprintf("faulty(\"%d\", %d)", i, m.every))
		}
		all = append(all, m.mutant)
	}
	binary := mutant.Build(t, nil, all...)
	account := func(t *testing.T, fault string, arguments ...string) (out string, err error) {
		t.Parallel()
		command := exec.Command(binary, append([]string{"-test.run", "^TestAccount$"}, arguments...)...)
		command.Env = append(os.Environ(), mutantVariable+"="+fault)
		text, err := command.CombinedOutput()
		return string(text), err
	}
	t.Run("none", func(t *testing.T) {
		if out, err := account(t, "", "-messages", "10000"); err != nil {
			t.Fatal(out)
		}
	})
	for i, m := range mutants {
		t.Run(m.mutant.Name, func(t *testing.T) {
			// The first plan that fails ends it. Reports come early from this
			// seed on.
			out, err := account(t, fmt.Sprint(i), "-first", "4454", "-messages", "600000", "-quiet", "2s")
			if err == nil || !strings.Contains(out, m.says) {
				t.Fatalf("not found, or not said: %v\n%s", err, out)
			}
			t.Log(mutant.FirstFailure(out))
		})
	}
}
