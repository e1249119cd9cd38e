// Package explain says of each exit hazard what happens, why, and what helps.
// It says the same of other causes of crashes.
//
// A hazard is one text file here, named for it: fields, folded as in a mail,
// then the explanation. Its programs, which need libzmq, are in the command
// zmq-exit-demo. That command prints the explanation, and its tests require the
// program on pebbe/zmq4 to end in one of the Outcomes. Package diagnose, which
// must do without libzmq, gives the Cause and the Remedy to those who had the
// crash. The files in the directory causes are alike. They are about crashes
// that have no program, because zmqsafe can't prevent them or they have nothing
// to do with Go.
package explain

import (
	"embed"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Hazard is one way in which a ZeroMQ program dies, hangs or loses messages
// when it ends.
type Hazard struct {
	ID       string   `json:"id"` // "fd-sweep"
	Title    string   `json:"title"`
	Outcomes []string `json:"-"` // how the program on pebbe/zmq4 may end
	Cause    string   `json:"-"` // for somebody who had the crash
	Remedy   string   `json:"-"`
	Explain  string   `json:"explain"` // what happens in libzmq, and what zmqsafe does
}

// Hazards are all hazards by ID.
var Hazards = read(".")

// causes are the other causes by ID. They have no Outcomes.
var causes = read("causes")

// Find returns what there is to say about a hazard or another cause.
func Find(id string) (Hazard, bool) {
	h, ok := Hazards[id]
	if !ok {
		h, ok = causes[id]
	}
	return h, ok
}

//go:embed *.txt causes/*.txt
var files embed.FS

// read panics if a file is malformed, so the first test finds it.
func read(dir string) map[string]Hazard {
	entries, err := files.ReadDir(dir)
	if err != nil {
		panic(err)
	}
	hazards := map[string]Hazard{}
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		text, err := files.ReadFile(path.Join(dir, entry.Name()))
		if err != nil {
			panic(err)
		}
		h := Hazard{ID: strings.TrimSuffix(entry.Name(), ".txt")}
		var fields string
		fields, h.Explain, _ = strings.Cut(string(text), "\n\n")
		for field := range strings.SplitSeq(strings.ReplaceAll(fields, "\n  ", " "), "\n") {
			switch key, value, _ := strings.Cut(field, ": "); key {
			case "Title":
				h.Title = value
			case "Outcomes":
				h.Outcomes = strings.Split(value, ", ")
			case "Cause":
				h.Cause = value
			case "Remedy":
				h.Remedy = value
			default:
				panic(fmt.Sprintf("%s: unknown field %q", entry.Name(), key))
			}
		}
		hazards[h.ID] = h
	}
	return hazards
}

// find returns the one hazard that the arguments of a command name.
func find(args []string) (Hazard, error) {
	known := strings.Join(slices.Sorted(maps.Keys(Hazards)), ", ") + "; other causes are " + strings.Join(slices.Sorted(maps.Keys(causes)), ", ")
	if len(args) != 1 {
		return Hazard{}, fmt.Errorf("one hazard is wanted, not %d: the hazards are %s", len(args), known)
	}
	h, ok := Find(args[0])
	if !ok {
		return Hazard{}, fmt.Errorf("unknown hazard %q: the hazards are %s", args[0], known)
	}
	return h, nil
}
