package rules

import (
	"encoding/json"
	"fmt"
	"go/token"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// importRule is about what packages import in files that aren't tests. Packages
// are named from the root of the module; "a/..." is a and all below it.
type importRule struct {
	says   string   // what the rule is for
	of     []string // the packages that must obey it
	except []string // but not these

	// never is what they must not depend on, except for what is in but; with
	// direct, what they must not import themselves. notStandard is everything
	// but the standard library.
	never  []string
	but    []string
	direct bool
}

const notStandard = "anything but the standard library"

// pureEngine builds and tests without C.
var pureEngine = []string{"zmqsafe/internal/conns", "zmqsafe/internal/guard", "zmqsafe/internal/waker", "zmqsafe/internal/zap"}

var importRules = []importRule{
	{
		says:  "the engine is understood, built and tested without libzmq",
		of:    pureEngine,
		never: []string{notStandard},
	},
	{
		says:  "these serve programs without ZeroMQ, too",
		of:    []string{"shutdown", "shutdown/tcplinger", "linger", "internal/patience"},
		never: []string{notStandard},
		// A logger that hangs holds up no stop and no close of a context, by
		// the same means.
		but: []string{"internal/patience", "shutdown/tcplinger"},
	},
	{
		says:  "cmd/zmq-exit is installed without a C compiler and libzmq",
		of:    []string{"cmd/zmq-exit"},
		never: []string{"zmqsafe", "github.com/pebbe/zmq4"},
	},
	{
		says:   "only zmqsafe calls libzmq past pebbe/zmq4",
		of:     []string{"..."},
		except: []string{"zmqsafe"},
		never:  []string{"zmqsafe/internal/libzmq"},
		direct: true,
	},
	{
		says: "only the debug page, test helpers, the account, the demo, services and examples import zmqsafe",
		of:   []string{"..."},
		except: []string{
			"zmqsafe/debugpage", "zmqsafe/zmqsafetest", "zmqsafe/internal/bysite", "zmqsafe/internal/conformance/...",
			"internal/world", "cmd/zmq-exit-demo", "docker/...", "examples/...", "testdata/...",
		},
		never:  []string{"zmqsafe"},
		direct: true,
	},
}

// listed is what go list says of a package.
type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Error      *struct{ Err string }
}

// TestImports keeps the boundaries between the packages.
func TestImports(t *testing.T) {
	mustGoFiles(t) // so that a cached result ends with a change of any of them
	packages, err := goList[listed](root, nil, "-deps", "-json=ImportPath,Standard,Imports,Error", "./...", "./testdata/c/...")
	if err != nil {
		t.Fatal(err)
	}
	report(t, checkImports(importRules, packages))
}

// TestEngineWithoutC builds the engine where there is no C, and type-checks its
// tests there. `make lint` runs them.
func TestEngineWithoutC(t *testing.T) {
	sources := sources{fset: token.NewFileSet()}
	for _, p := range pureEngine {
		build := exec.Command("go", "build", "./"+p)
		build.Dir = root
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Errorf("CGO_ENABLED=0 go build ./%s: %v\n%s", p, err, out)
		}
		complaints, err := sources.typeCheck(root, runtime.GOARCH, []string{"CGO_ENABLED=0"}, "./"+p)
		if err != nil {
			t.Error(err)
		}
		report(t, complaints)
	}
}

// TestNeedsC wants one error from a build without C, which says what is needed,
// and no list of what is undefined.
func TestNeedsC(t *testing.T) {
	const needs = module + "/internal/needs_CGO_ENABLED_1_and_a_C_compiler_on_Unix_or_WSL: "
	for _, p := range []string{"zmqsafe", "zmqsafe/debugpage", "zmqsafe/zmqsafetest", "shutdown/cexit"} {
		for _, env := range [][]string{{"CGO_ENABLED=0"}, {"GOOS=windows", "CGO_ENABLED=1"}} {
			build := exec.Command("go", "build", "./"+p)
			build.Dir = root
			build.Env = append(os.Environ(), env...)
			out, err := build.CombinedOutput()
			if errs := strings.Count(string(out), ": "); err == nil || errs != 1 || !strings.Contains(string(out), needs) {
				t.Errorf("%s go build ./%s: %v\n%s", env, p, err, out)
			}
		}
	}
}

// checkImports says which import of which package breaks which rule.
func checkImports(rules []importRule, all []listed) (complaints []string) {
	packages := map[string]listed{}
	for _, p := range all {
		packages[p.ImportPath] = p
		if p.Error != nil {
			complaints = append(complaints, p.ImportPath+": "+p.Error.Err)
		}
	}
	for _, r := range rules {
		for _, name := range slices.Concat(r.of, r.except, r.never, r.but) {
			if name != notStandard && !strings.HasSuffix(name, "...") && packages[fullPath(name)].ImportPath == "" {
				complaints = append(complaints, fmt.Sprintf("there is no package %s, which this rule names: %s", name, r.says))
			}
		}
		for _, path := range slices.Sorted(maps.Keys(packages)) {
			name := shortPath(path)
			if name == path || !matches(name, r.of) || matches(name, r.except) {
				continue
			}
			if chain := r.broken(packages, path, map[string]bool{}); chain != nil {
				complaints = append(complaints, fmt.Sprintf("%s imports %s, but %s: see ARCHITECTURE.md, and importRules in internal/rules",
					name, strings.Join(chain, ", which imports "), r.says))
			}
		}
	}
	return complaints
}

// broken returns the imports that lead from a package to what it must not have.
func (r importRule) broken(packages map[string]listed, path string, seen map[string]bool) []string {
	seen[path] = true
	for _, imported := range packages[path].Imports {
		p := packages[imported]
		if p.Standard || imported == "C" || seen[imported] {
			continue
		}
		allowed := matches(shortPath(imported), r.but)
		if !allowed && (slices.Contains(r.never, notStandard) || matches(shortPath(imported), r.never)) {
			return []string{shortPath(imported)}
		}
		if r.direct {
			continue
		}
		if chain := r.broken(packages, imported, seen); chain != nil {
			return append([]string{shortPath(imported)}, chain...)
		}
	}
	return nil
}

func matches(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		dir, below := strings.CutSuffix(pattern, "...")
		return name == pattern || below && strings.HasPrefix(name+"/", dir)
	})
}

func shortPath(path string) string { return strings.TrimPrefix(path, module+"/") }

func fullPath(name string) string {
	if strings.Contains(name, ".") {
		return name
	}
	return module + "/" + name
}

// goList decodes what go list prints of the packages of the module at dir, on a
// system with C unless the environment says something else.
func goList[T any](dir string, env []string, args ...string) ([]T, error) {
	cmd := exec.Command("go", append([]string{"list", "-e"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=1", "GOWORK=off"), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var all []T
	for decoder := json.NewDecoder(out); ; {
		var p T
		switch err := decoder.Decode(&p); err {
		case nil:
			all = append(all, p)
		case io.EOF:
			return all, cmd.Wait()
		default:
			return nil, err
		}
	}
}

func TestCheckImports(t *testing.T) {
	packages := []listed{
		{ImportPath: "fmt", Standard: true, Imports: []string{"unsafe"}},
		{ImportPath: "example.com/far", Imports: []string{"fmt"}},
		{ImportPath: module + "/engine", Imports: []string{"fmt", module + "/helper"}},
		{ImportPath: module + "/helper", Imports: []string{"example.com/far"}},
		{ImportPath: module + "/face", Imports: []string{module + "/engine", "C"}},
		{ImportPath: module + "/face/page", Imports: []string{module + "/face"}},
		{ImportPath: module + "/broken", Error: &struct{ Err string }{"no Go files"}},
	}
	tests := []struct {
		name string
		rule importRule
		want []string
	}{
		{"kept", importRule{of: []string{"helper"}, never: []string{"face"}}, nil},
		{
			"not the standard library",
			importRule{of: []string{"engine"}, never: []string{notStandard}, says: "it stands apart"},
			[]string{"engine imports helper, but it stands apart: see ARCHITECTURE.md"},
		},
		{"allowed", importRule{of: []string{"engine"}, never: []string{notStandard}, but: []string{"helper", "example.com/far"}}, nil},
		{
			"only what an allowed package must not import",
			importRule{of: []string{"engine"}, never: []string{notStandard}, but: []string{"helper"}},
			[]string{"engine imports helper, which imports example.com/far, but"},
		},
		{
			"through another package",
			importRule{of: []string{"face/..."}, never: []string{"example.com/far"}},
			[]string{
				"face imports engine, which imports helper, which imports example.com/far, but",
				"face/page imports face, which imports engine, which imports helper, which imports example.com/far, but",
			},
		},
		{"direct, but not itself", importRule{of: []string{"face/page"}, never: []string{"engine"}, direct: true}, nil},
		{
			"everything but what is excepted",
			importRule{of: []string{"..."}, except: []string{"face"}, never: []string{"face", "engine"}, direct: true},
			[]string{"face/page imports face, but"},
		},
		{"a package that isn't there", importRule{of: []string{"gone"}}, []string{"there is no package gone"}},
		{"an exception that isn't there", importRule{except: []string{"gone"}}, []string{"there is no package gone"}},
		{"a forbidden package that isn't there", importRule{never: []string{"gone"}}, []string{"there is no package gone"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := checkImports([]importRule{test.rule}, packages)
			wantComplaints(t, got, append([]string{"broken: no Go files"}, test.want...)...)
		})
	}
}
