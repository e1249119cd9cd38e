package rules

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

var processors = flag.String("processors", "", "type-check the module for these `GOARCHs`, with commas between them")

// TestProcessors type-checks the module with its tests as it is compiled for
// other processors. That takes no cross compiler, since C is taken on trust: a
// name of C may be anything. `make lint` says which processors; without, there
// is nothing to do, since each takes a second or more.
func TestProcessors(t *testing.T) {
	sources := sources{fset: token.NewFileSet()}
	for arch := range strings.FieldsFuncSeq(*processors, func(r rune) bool { return r == ',' }) {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			complaints, err := sources.typeCheck(root, arch, nil, "./...", "./testdata/c/...", "./shutdown/cexit/testdata/library")
			if err != nil {
				t.Fatal(err)
			}
			report(t, complaints)
		})
	}
}

// sources are parsed once, since most are the same for all processors.
type sources struct {
	fset  *token.FileSet
	mu    sync.Mutex
	files map[string]func() (*ast.File, error)
}

func (s *sources) parse(path string) (*ast.File, error) {
	s.mu.Lock()
	once, ok := s.files[path]
	if !ok {
		once = sync.OnceValues(func() (*ast.File, error) {
			return parser.ParseFile(s.fset, path, nil, parser.SkipObjectResolution)
		})
		if s.files == nil {
			s.files = map[string]func() (*ast.File, error){}
		}
		s.files[path] = once
	}
	s.mu.Unlock()
	return once()
}

// checked is a package as go list shows it: with -test, once as it is, and once
// as its tests see it.
type checked struct {
	ImportPath, Dir   string
	GoFiles, CgoFiles []string
	ImportMap         map[string]string // from what a file says to an ImportPath
	Module            *struct{ Main bool }
	Error             *struct{ Err string }
}

// typeCheck returns the errors in packages of the module at dir, and in their
// tests. The environment is for go list.
func (s *sources) typeCheck(dir, arch string, env []string, patterns ...string) (complaints []string, err error) {
	args := append([]string{"-deps", "-test", "-json=ImportPath,Dir,GoFiles,CgoFiles,ImportMap,Module,Error"}, patterns...)
	listed, err := goList[checked](dir, append(env, "GOOS=linux", "GOARCH="+arch), args...)
	if err != nil {
		return nil, err
	}
	sizes := types.SizesFor("gc", arch)
	if sizes == nil {
		return nil, fmt.Errorf("unknown processor %s", arch)
	}
	done := map[string]*types.Package{"unsafe": types.Unsafe}
	for _, p := range listed { // what is imported comes first
		if p.ImportPath == "unsafe" || strings.HasSuffix(p.ImportPath, ".test") {
			continue
		}
		ours := p.Module != nil && p.Module.Main
		complain := func(err error) {
			// What comes of a name of C has an invalid type.
			if ours && !strings.Contains(err.Error(), "invalid type") {
				complaints = append(complaints, strings.TrimPrefix(err.Error(), absolute(dir)+"/"))
			}
		}
		if p.Error != nil {
			complain(fmt.Errorf("%s: %s", p.ImportPath, p.Error.Err))
		}
		var files []*ast.File
		for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
			file, err := s.parse(filepath.Join(p.Dir, name))
			if err != nil {
				return nil, err
			}
			files = append(files, file)
		}
		config := types.Config{
			Sizes:            sizes,
			FakeImportC:      true,
			IgnoreFuncBodies: !ours,
			Error:            complain,
			Importer: importer(func(path string) (*types.Package, error) {
				if mapped, ok := p.ImportMap[path]; ok {
					path = mapped
				}
				if imported := done[path]; imported != nil {
					return imported, nil
				}
				return nil, fmt.Errorf("go list has not shown %s", path)
			}),
		}
		path, _, _ := strings.Cut(p.ImportPath, " ")
		done[p.ImportPath], _ = config.Check(path, s.fset, files, nil) // Error has the errors
	}
	slices.Sort(complaints)
	return slices.Compact(complaints), nil
}

type importer func(path string) (*types.Package, error)

func (i importer) Import(path string) (*types.Package, error) { return i(path) }

func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

// TestTypeCheck shows that mistakes are seen that this project has made, and
// that only some processors have.
func TestTypeCheck(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module m\n\ngo 1.25\n",
		"events.go": `package m

import "syscall"

var events = syscall.EpollEvent{Events: syscall.EPOLLIN | -syscall.EPOLLET}
`,
		"c.go": `package m

// int answer;
import "C"

func Answer() int { return int(C.answer) + C.whatever(1<<70) }
`,
		"events_test.go": `package m

var large int = 1 << 40
`,
		"m_test.go": `package m_test

import "m"

var answer string = m.Answer()
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const (
		negative = "events.go:5:41: cannot use syscall.EPOLLIN | -syscall.EPOLLET"
		overflow = "events_test.go:3:17: cannot use 1 << 40"
		typed    = "m_test.go:5:21: cannot use m.Answer()"
	)
	sources := sources{fset: token.NewFileSet()}
	for arch, want := range map[string][]string{
		"amd64": {typed},
		"arm64": {negative, typed},
		"386":   {overflow, typed},
	} {
		t.Run(arch, func(t *testing.T) {
			got, err := sources.typeCheck(dir, arch, nil, "./...")
			if err != nil {
				t.Fatal(err)
			}
			wantComplaints(t, got, want...)
		})
	}
	if _, err := sources.typeCheck(dir, "pdp11", nil, "./..."); err == nil {
		t.Error("pdp11 is no processor of Go, and no error says so")
	}
}
